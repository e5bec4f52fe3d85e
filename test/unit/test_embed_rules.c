/*
 * Where nodes may not go, whatever is free: hosts in maintenance, and those where others are that
 * they must be apart from, or where those are not that they must be with.
 */
#include <stdlib.h>
#include <string.h>

#include "snc/embed.h"
#include "snc/slice.h"
#include "test/support/site.h"
#include "test/support/suite.h"

static const char *const three[] = {"koganei", "nagoya", "osaka", NULL};

/* Changes the site before the embedding. */
typedef void change(struct substrate *substrate);

/* The mapping, or else the refusals; in arena. */
static const char *
embedded(struct arena *arena, const char *text, change *change_site)
{
	struct substrate *substrate = site_new(arena, three);
	struct slice *slice = site_slice(arena, substrate, site_document(arena, "s", text));
	auto_str struct str said = {0};
	diagnoses found = {0};
	struct mapping *mapping;

	if (change_site)
		change_site(substrate);
	if (embed(&(struct embed_request){slice_expand(slice, arena), substrate, &clock_real,
		      INT64_MAX},
		arena, &mapping, &found))
		mapping_print(mapping, substrate, &said);
	vec_each (each, &found)
		str_addf(
		    &said, "%s line %u: %s\n", err_code_text(each->code), each->line, each->text);
	vec_done(&found);
	return arena_text(arena, str_text(&said));
}

static void
close_koganei(struct substrate *substrate)
{
	site_host(substrate, "koganei")->drained = "until further notice";
	site_host(substrate, "koganei")->drained_until_ms = INT64_MAX;
}

static void
close_and_fill_koganei(struct substrate *substrate)
{
	close_koganei(substrate);
	site_host(substrate, "koganei")->cpu_free = 1;
}

static void
close_koganei_and_fill_the_others(struct substrate *substrate)
{
	close_koganei(substrate);
	site_host(substrate, "nagoya")->cpu_free = 1;
	site_host(substrate, "osaka")->cpu_free = 1;
}

/* Nobody but koganei sends anything. */
static void
close_koganei_and_cut_the_others(struct substrate *substrate)
{
	close_koganei(substrate);
	for (size_t i = 0; i < substrate->n_hosts; i++) {
		struct substrate_host *host = &substrate->hosts[i];

		if (str_equal(host->name, "koganei"))
			continue;
		host->ports[0].free_bps = host->ports[1].free_bps = 0;
		host->loop_free_bps[0] = host->loop_free_bps[1] = 0;
	}
}

static void
a_host_in_maintenance_is_left_out_and_named_where_it_binds(void)
{
	static const struct {
		const char *text;
		change *change_site;
		const char *expected;
	} cases[] = {
	    {"node a : p\namap a koganei\n", close_koganei,
		"R05 line 2: node 'a': 'koganei' is in maintenance until further notice\n"},
	    {"node a cpu=2 : p\namap a koganei\n", close_and_fill_koganei,
		"R01 line 1: node 'a' asks for cpu 2; 'koganei' has 1 free\n"
		"R05 line 2: node 'a': 'koganei' is in maintenance until further notice\n"},
	    {"node a cpu=2 : p\n", close_koganei_and_fill_the_others,
		"R05 line 1: node 'a' would fit on 'koganei', which is in maintenance until "
		"further notice\n"},
	    {"node a cpu=5 : p\n", close_koganei,
		"R01 line 1: node 'a' asks for cpu 5; 'koganei' has 4 free, and no other VNode "
		"has more\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_arena struct arena *arena = arena_new();

		assert_text(
		    embedded(arena, cases[i].text, cases[i].change_site), cases[i].expected);
	}
}

static void
a_host_in_maintenance_is_named_beside_links_that_find_no_way(void)
{
	auto_arena struct arena *arena = arena_new();
	const char *text = embedded(arena,
	    "node a : p\nnode b : p\nlink l1 bandwidth=1Mbps : a.p b.p\namap a nagoya\n",
	    close_koganei_and_cut_the_others);

	assert_true(strstr(text, "R02 line 3: link 'l1'") || strstr(text, "R03 line 3: link 'l1'"));
	assert_true(strstr(text, "R05 line 2: node 'b' would fit on 'koganei'") != NULL);
}

#define FOUR                                                                                       \
	"node a : p\nnode b : p q\nnode c : p q\nnode d : p\n"                                     \
	"link l1 bandwidth=1Mbps : a.p b.p\nlink l2 bandwidth=1Mbps : b.q c.p\n"                   \
	"link l3 bandwidth=1Mbps : c.q d.p\n"

static const char *
host_of(struct arena *arena, const char *mapped, const char *node)
{
	const char *at = strstr(mapped, arena_format(arena, "node %s: ", node));

	assert_true(at != NULL);
	at = strchr(at, ':') + 2;
	return arena_copy(arena, at, strcspn(at, "\n"));
}

static void
nodes_are_together_and_apart_as_the_document_says(void)
{
	auto_arena struct arena *arena = arena_new();
	const char *text = embedded(arena, FOUR "together a d\napart b c\napart a c\n", NULL);

	assert_text(host_of(arena, text, "a"), host_of(arena, text, "d"));
	assert_true(!str_equal(host_of(arena, text, "b"), host_of(arena, text, "c")));
	assert_true(!str_equal(host_of(arena, text, "a"), host_of(arena, text, "c")));
	/* Where one of them has its place the others have theirs. */
	text = embedded(arena, FOUR "amap d osaka\ntogether a b\ntogether b d\napart c d\n", NULL);
	assert_text(host_of(arena, text, "a"), "osaka");
	assert_text(host_of(arena, text, "b"), "osaka");
	assert_true(!str_equal(host_of(arena, text, "c"), "osaka"));
}

static void
leave_little_room(struct substrate *substrate)
{
	site_host(substrate, "koganei")->cpu_free = 2;
	site_host(substrate, "nagoya")->cpu_free = 1;
	site_host(substrate, "osaka")->cpu_free = 3;
}

static void
those_together_go_where_all_of_them_have_room(void)
{
	auto_arena struct arena *arena = arena_new();
	const char *text = embedded(arena, FOUR "together a b c\n", leave_little_room);

	assert_text(host_of(arena, text, "a"), "osaka");
	assert_text(host_of(arena, text, "b"), "osaka");
	assert_text(host_of(arena, text, "c"), "osaka");
}

static void
a_refusal_says_whose_company_binds(void)
{
	auto_arena struct arena *arena = arena_new();

	assert_text(embedded(arena, FOUR "apart a b c d\n", NULL),
	    "R07 line 4: node 'd' is to be apart from 'a', which is on 'koganei'; no other VNode "
	    "takes "
	    "it\n");
	assert_text(embedded(arena, FOUR "together a b c d\n", leave_little_room),
	    "R01 line 4: node 'd' asks for cpu 1; 'osaka' has 0 free, where 'a' is, which it is to "
	    "be "
	    "together with\n");
}

/* One random slice of up to eight nodes, of which some are together and some apart. */
static bool
keeps_company(unsigned *seed)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str text = {0};
	unsigned n = 3 + ((unsigned)rand_r(seed) & 0xffff) % 6; /* cannot come to 0 */
	unsigned draws[2][3];                                   /* together, apart */
	const char *mapped;
	bool is_placed;

	for (unsigned i = 0; i < n; i++)
		str_addf(&text, "node n%u : p q\n", i);
	for (unsigned i = 0; i + 1 < n; i++)
		str_addf(&text, "link l%u bandwidth=%dMbps : n%u.q n%u.p\n", i,
		    1 + rand_r(seed) % 400, i, i + 1);
	for (unsigned i = 0; i < 3; i++) {
		draws[0][i] = (2 * i + (unsigned)rand_r(seed) % 2) % n;
		draws[1][i] = i == 1 ? draws[0][0] : (draws[0][0] + 1 + i) % n;
	}
	if (draws[0][0] == draws[0][1] || draws[1][0] == draws[0][0] || draws[1][0] == draws[0][1])
		return false;
	str_addf(&text, "together n%u n%u\napart n%u n%u\n", draws[0][0], draws[0][1], draws[1][0],
	    draws[1][1]);
	mapped = embedded(arena, str_text(&text), rand_r(seed) % 2 ? leave_little_room : NULL);
	is_placed = !strncmp(mapped, "node ", 5);
	if (!is_placed)
		return false;
	for (int k = 0; k < 2; k++) {
		const char *a = host_of(arena, mapped, arena_format(arena, "n%u", draws[k][0]));
		const char *b = host_of(arena, mapped, arena_format(arena, "n%u", draws[k][1]));

		assert_true(str_equal(a, b) == (k == 0));
	}
	return true;
}

static void
no_answer_ever_breaks_company(void)
{
	enum { ROUNDS = 200 };

	unsigned seed = 7;
	int n_placed = 0;

	for (int i = 0; i < ROUNDS; i++)
		n_placed += keeps_company(&seed);
	assert_true(n_placed > ROUNDS / 10);
}

static const struct test tests[] = {
    TEST(a_host_in_maintenance_is_left_out_and_named_where_it_binds),
    TEST(a_host_in_maintenance_is_named_beside_links_that_find_no_way),
    TEST(nodes_are_together_and_apart_as_the_document_says),
    TEST(those_together_go_where_all_of_them_have_room),
    TEST(a_refusal_says_whose_company_binds),
    TEST(no_answer_ever_breaks_company),
};

suite_main("embed_rules", tests)
