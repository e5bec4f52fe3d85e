/*
 * Where nodes may not go, whatever is free: hosts in maintenance.
 */
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

static const struct test tests[] = {
    TEST(a_host_in_maintenance_is_left_out_and_named_where_it_binds),
    TEST(a_host_in_maintenance_is_named_beside_links_that_find_no_way),
};

suite_main("embed_rules", tests)
