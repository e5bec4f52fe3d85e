/*
 * Embedding: what fits is placed within every capacity, what does not is refused with its reason.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/id.h"
#include "lib/model/units.h"
#include "snc/embed.h"
#include "snc/slice.h"
#include "test/support/site.h"
#include "test/support/suite.h"

static const char *const three[] = {"koganei", "nagoya", "osaka", NULL};

struct outcome {
	struct arena *arena;
	struct substrate *substrate;
	struct mapping *mapping; /* NULL = refused */
	diagnoses found;
};

/* Changes the site before the embedding. */
typedef void change(struct substrate *substrate);

static struct outcome
embedded(const char *text, change *change_site)
{
	struct outcome outcome = {.arena = arena_new()};
	struct slice *slice;

	outcome.substrate = site_new(outcome.arena, three);
	slice =
	    site_slice(outcome.arena, outcome.substrate, site_document(outcome.arena, "s", text));
	if (change_site)
		change_site(outcome.substrate);
	if (!embed(&(struct embed_request){slice_expand(slice, outcome.arena), outcome.substrate,
		       &clock_real, INT64_MAX},
		outcome.arena, &outcome.mapping, &outcome.found))
		outcome.mapping = NULL;
	return outcome;
}

static void
outcome_done(struct outcome *outcome)
{
	vec_done(&outcome->found);
	arena_free(outcome->arena);
}

static char *
mapping_text(const struct outcome *outcome)
{
	auto_str struct str text = {0};

	if (outcome->mapping)
		mapping_print(outcome->mapping, outcome->substrate, &text);
	else
		vec_each (found, &outcome->found)
			str_addf(&text, "%s line %u: %s\n", err_code_text(found->code), found->line,
			    found->text);
	return arena_text(outcome->arena, str_text(&text));
}

#define RING                                                                                       \
	"node a cpu=1 memory=128MiB : b c\n"                                                       \
	"node b cpu=1 memory=128MiB : a c\n"                                                       \
	"node c cpu=1 memory=128MiB : a b\n"                                                       \
	"link ab bandwidth=100Mbps : a.b b.a\n"                                                    \
	"link bc bandwidth=20Mbps : b.c c.b\n"                                                     \
	"link ca bandwidth=10Mbps : c.a a.c\n"

static void
nodes_without_an_amap_are_spread_over_the_hosts(void)
{
	struct outcome outcome = embedded(RING, NULL);

	assert_text(mapping_text(&outcome),
	    "node a: koganei\n"
	    "node b: nagoya\n"
	    "node c: osaka\n"
	    "link ab: koganei:u0 to nagoya:u0 over koganei:u0-r1 nagoya:u0-r1, 2 ms\n"
	    "link bc: nagoya:u1 to osaka:u1 over nagoya:u1-r2 osaka:u1-r2, 2 ms\n"
	    "link ca: osaka:u1 to koganei:u1 over osaka:u1-r2 koganei:u1-r2, 2 ms\n");
	outcome_done(&outcome);
}

static void
an_amap_is_honoured_and_links_on_one_host_are_local(void)
{
	struct outcome outcome = embedded(RING "amap a osaka\namap b osaka\namap c nagoya\n", NULL);

	assert_text(mapping_text(&outcome),
	    "node a: osaka\n"
	    "node b: osaka\n"
	    "node c: nagoya\n"
	    "link ab: local on osaka\n"
	    "link bc: osaka:u0 to nagoya:u0 over osaka:u0-r1 nagoya:u0-r1, 2 ms\n"
	    "link ca: nagoya:u1 to osaka:u1 over nagoya:u1-r2 osaka:u1-r2, 2 ms\n");
	outcome_done(&outcome);
}

static void
a_hub_goes_where_most_of_its_ends_are(void)
{
	struct outcome outcome =
	    embedded("node a : p\nnode b : p\nnode c : p\nlink lan bandwidth=10Mbps : a.p b.p c.p\n"
		     "amap a koganei\namap b osaka\namap c osaka\n",
		NULL);

	assert_text(mapping_text(&outcome),
	    "node a: koganei\n"
	    "node b: osaka\n"
	    "node c: osaka\n"
	    "hub of link lan: osaka\n"
	    "link lan.e1: koganei:u0 to osaka:u0 over koganei:u0-r1 osaka:u0-r1, 2 ms\n"
	    "link lan.e2: local on osaka\n"
	    "link lan.e3: local on osaka\n");
	outcome_done(&outcome);
}

static void
koganei_is_down(struct substrate *substrate)
{
	site_host(substrate, "koganei")->is_up = false;
}

static void
all_are_down(struct substrate *substrate)
{
	for (size_t i = 0; i < substrate->n_hosts; i++)
		substrate->hosts[i].is_up = false;
}

static void
koganei_lacks_the_image(struct substrate *substrate)
{
	site_host(substrate, "koganei")->n_images = 0;
}

static void
ports_of_koganei_are_nearly_full(struct substrate *substrate)
{
	for (size_t i = 0; i < 2; i++)
		site_host(substrate, "koganei")->ports[i].free_bps = 50000000;
}

static void
routers_are_nearly_full(struct substrate *substrate)
{
	for (size_t i = 0; i < substrate->graph->n_edges; i++)
		substrate->graph->edges[i].free_ba_bps = 60000000;
}

static void
the_tnc_is_silent(struct substrate *substrate)
{
	substrate->graph = NULL;
}

static void
koganei_is_a_gateway(struct substrate *substrate)
{
	site_host(substrate, "koganei")->is_agw = true;
}

static void
loops_are_narrow(struct substrate *substrate)
{
	for (size_t i = 0; i < substrate->n_hosts; i++)
		substrate->hosts[i].loop_free_bps[1] = 1000000;
}

/* Between nodes of one host there is room for none of its spokes. */
static void
a_hub_goes_where_its_spokes_fit(void)
{
	struct outcome outcome = embedded("node a : p\nnode b : p\nnode c : p\n"
					  "link lan bandwidth=10Mbps : a.p b.p c.p\n"
					  "amap a osaka\namap b osaka\namap c koganei\n",
	    loops_are_narrow);

	assert_true(strstr(mapping_text(&outcome), "hub of link lan: nagoya\n") != NULL);
	outcome_done(&outcome);
}

#define PAIR_ON_TWO                                                                                \
	"node a : p\n"                                                                             \
	"node b : p\n"                                                                             \
	"link ab bandwidth=100Mbps latency=5ms : a.p b.p\n"                                        \
	"amap a koganei\n"                                                                         \
	"amap b nagoya\n"

#define LAN_ON_THREE(rate, latency)                                                                \
	"node a : p\nnode b : p\nnode c : p\n"                                                     \
	"link lan bandwidth=" rate " latency=" latency " : a.p b.p c.p\n"                          \
	"amap a koganei\namap b nagoya\namap c osaka\n"

static const struct refusal {
	const char *text;
	change *change_site;
	enum err_code code;
	unsigned line;
	const char *says; /* a part of the sentence */
} refusals[] = {
    {"node a cpu=5 : p\n", NULL, ERR_R01, 1, "asks for cpu 5; 'koganei' has 4 free"},
    {"node a memory=5GiB : p\n", NULL, ERR_R01, 1, "asks for memory 5 GiB"},
    {"node a cpu=3 : p\nnode b cpu=2 : p\namap a nagoya\namap b nagoya\n", NULL, ERR_R01, 2,
	"'nagoya' has 1 free"},
    {PAIR_ON_TWO, koganei_is_down, ERR_O03, 4, "VNode 'koganei' is unreachable"},
    {"node a : p\n", all_are_down, ERR_O03, 1, "is unreachable"},
    {PAIR_ON_TWO, koganei_lacks_the_image, ERR_S13, 4, "no image 'container-minimal'"},
    {PAIR_ON_TWO, koganei_is_a_gateway, ERR_S12, 4, "access gateway"},
    {PAIR_ON_TWO, ports_of_koganei_are_nearly_full, ERR_R02, 3, "'koganei' has at most 50 Mbps"},
    {PAIR_ON_TWO, routers_are_nearly_full, ERR_R03, 3, "the widest path has 60 Mbps free"},
    {PAIR_ON_TWO, the_tnc_is_silent, ERR_R03, 3, "the TNC does not answer"},
    {"node a : p\nnode b : p\nlink ab bandwidth=1Mbps latency=1ms : a.p b.p\namap a koganei\n"
     "amap b osaka\n",
	NULL, ERR_R03, 3, "best path with its rate takes 2 ms"},
    {LAN_ON_THREE("2Gbps", "9ms"), NULL, ERR_R02, 4, "link 'lan' asks for 2.06 Gbps on the wire"},
    {LAN_ON_THREE("1Mbps", "3ms"), NULL, ERR_R03, 4,
	"link 'lan' asks for 1.5 ms from 'nagoya' to 'koganei', half of the way between two ends"},
    {LAN_ON_THREE("1Mbps", "9ms"), the_tnc_is_silent, ERR_R03, 4, "the TNC does not answer"},
    {"node a : p\nnode b : p\nlink ab bandwidth=2Mbps : a.p b.p\namap a osaka\namap b osaka\n",
	loops_are_narrow, ERR_R02, 3, "'osaka' has at most 1 Mbps"},
};

static void
each_refusal_has_its_code_its_line_and_what_is_free(void)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *expected = &refusals[i];
		struct outcome outcome = embedded(expected->text, expected->change_site);
		const char *text = mapping_text(&outcome);

		if (outcome.mapping || outcome.found.items[0].code != expected->code ||
		    outcome.found.items[0].line != expected->line ||
		    !strstr(outcome.found.items[0].text, expected->says))
			printf("\nrow %zu: %s", i, text);
		assert_true(outcome.mapping == NULL);
		assert_equal(outcome.found.items[0].code, expected->code);
		assert_equal(outcome.found.items[0].line, expected->line);
		assert_true(strstr(outcome.found.items[0].text, expected->says) != NULL);
		assert_true(outcome.found.items[0].hint[0] != '\0');
		outcome_done(&outcome);
	}
}

static void
all_nodes_that_fit_nowhere_are_told_at_once(void)
{
	struct outcome outcome =
	    embedded("node a cpu=9 : p\nnode b cpu=1 : p\nnode c memory=99GiB : p\n", NULL);

	assert_equal(outcome.found.n, 2);
	assert_equal(outcome.found.items[0].line, 1);
	assert_equal(outcome.found.items[1].line, 3);
	outcome_done(&outcome);
}

static void
a_dead_end_is_left_again(void)
{
	/* The two largest would take two hosts; the third, bound by its link, needs one of them. */
	struct outcome outcome = embedded("node a cpu=4 : p\nnode b cpu=4 : p\nnode c cpu=2 : p\n"
					  "node d cpu=2 : p\nlink cd bandwidth=5Gbps : c.p d.p\n",
	    NULL);

	assert_true(strstr(mapping_text(&outcome), "link cd: local on ") != NULL);
	outcome_done(&outcome);
}

static void
best_effort_asks_for_no_rate(void)
{
	struct outcome outcome = embedded("node a : p\nnode b : p\nlink ab isolation=besteffort : "
					  "a.p b.p\namap a koganei\namap b nagoya\n",
	    ports_of_koganei_are_nearly_full);

	assert_true(outcome.mapping != NULL);
	outcome_done(&outcome);
}

/* ---- property: a mapping never takes more than there is ---- */

static unsigned
draw(unsigned *seed, unsigned n)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % n;
}

static void
make_tight(struct substrate *substrate, unsigned *seed)
{
	for (size_t i = 0; i < substrate->n_hosts; i++) {
		struct substrate_host *host = &substrate->hosts[i];

		host->cpu_free = draw(seed, 5);
		host->memory_free_bytes = (int64_t)draw(seed, 5) << 29;
		host->is_up = draw(seed, 8) != 0;
		host->loop_free_bps[0] = host->loop_free_bps[1] = (int64_t)draw(seed, 4) * 60000000;
		for (size_t k = 0; k < 2; k++)
			host->ports[k].free_bps = (int64_t)draw(seed, 4) * 60000000;
	}
	for (size_t i = 0; i < substrate->graph->n_edges; i++) {
		substrate->graph->edges[i].free_ab_bps = (int64_t)draw(seed, 4) * 60000000;
		substrate->graph->edges[i].free_ba_bps = (int64_t)draw(seed, 4) * 60000000;
	}
}

static char *
random_slice(struct arena *arena, unsigned *seed)
{
	auto_str struct str text = {0};
	unsigned n = 2 + draw(seed, 4);

	for (unsigned i = 0; i < n; i++)
		str_addf(&text, "node n%u cpu=%u memory=%uMiB : l r m\n", i, 1 + draw(seed, 2),
		    256 * (1 + draw(seed, 4)));
	for (unsigned i = 0; i + 1 < n; i++)
		str_addf(&text,
		    "link k%u bandwidthUp=%uMbps bandwidthDown=%uMbps%s : n%u.r n%u.l\n", i,
		    10 + draw(seed, 60), 10 + draw(seed, 60), draw(seed, 3) ? "" : " latency=2ms",
		    i, i + 1);
	if (n > 2 && draw(seed, 2)) {
		str_addf(&text, "link m bandwidth=%uMbps%s :", 10 + draw(seed, 30),
		    draw(seed, 3) ? "" : " latency=4ms");
		for (unsigned i = 0; i < n; i++)
			str_addf(&text, " n%u.m", i);
		str_add(&text, "\n");
	}
	return arena_text(arena, str_text(&text));
}

static void
take_link(struct substrate *left, const struct mapping_link *link)
{
	int64_t up = rate_on_wire(link->link->rate_up_bps, link->link->mtu, 42);
	int64_t down = rate_on_wire(link->link->rate_down_bps, link->link->mtu, 42);
	struct substrate_host *a = site_host(left, link->host_a->name);
	struct substrate_host *b = site_host(left, link->host_b->name);
	struct graph_demand demand = {0, 0, up, down, 0};

	if (link->is_local) {
		assert_true(link->host_a == link->host_b);
		a->loop_free_bps[0] -= up;
		a->loop_free_bps[1] -= down;
		return;
	}
	assert_true(link->host_a != link->host_b);
	a->ports[link->port_a - link->host_a->ports].free_bps -= up;
	b->ports[link->port_b - link->host_b->ports].free_bps -= down;
	demand.a = (unsigned)link->port_a->vertex;
	demand.b = (unsigned)link->port_b->vertex;
	graph_take(left->graph, &demand, &link->path, 1);
	assert_true(!link->link->latency_us || link->path.latency_us <= link->link->latency_us);
}

static void
assert_nothing_short(const struct substrate *left)
{
	for (size_t i = 0; i < left->n_hosts; i++) {
		const struct substrate_host *host = &left->hosts[i];

		assert_true(host->cpu_free >= 0 && host->memory_free_bytes >= 0);
		assert_true(host->loop_free_bps[0] >= 0 && host->loop_free_bps[1] >= 0);
		assert_true(host->ports[0].free_bps >= 0 && host->ports[1].free_bps >= 0);
	}
	for (size_t i = 0; i < left->graph->n_edges; i++)
		assert_true(left->graph->edges[i].free_ab_bps >= 0 &&
			    left->graph->edges[i].free_ba_bps >= 0);
}

static void
assert_keeps_capacities(const struct outcome *outcome)
{
	struct substrate *left = outcome->substrate; /* nobody needs it any more */

	for (size_t i = 0; i < outcome->mapping->n_nodes; i++) {
		const struct mapping_node *node = &outcome->mapping->nodes[i];
		struct substrate_host *host = site_host(left, node->host->name);

		assert_true(host->is_up);
		host->cpu_free -= node->node->cpu;
		host->memory_free_bytes -= node->node->memory_bytes;
	}
	for (size_t i = 0; i < outcome->mapping->n_links; i++)
		take_link(left, &outcome->mapping->links[i]);
	assert_nothing_short(left);
}

/* One random slice on one random site; true when it was placed. */
static bool
try_random(unsigned seed)
{
	struct outcome outcome = {.arena = arena_new()};
	struct slice *slice;
	bool is_placed;

	outcome.substrate = site_new(outcome.arena, three);
	slice = site_slice(outcome.arena, outcome.substrate,
	    site_document(outcome.arena, "s", random_slice(outcome.arena, &seed)));
	make_tight(outcome.substrate, &seed);
	is_placed = embed(&(struct embed_request){slice_expand(slice, outcome.arena),
			      outcome.substrate, &clock_real, INT64_MAX},
	    outcome.arena, &outcome.mapping, &outcome.found);
	if (is_placed)
		assert_keeps_capacities(&outcome);
	else
		assert_true(outcome.found.n > 0 && outcome.found.items[0].line > 0);
	outcome_done(&outcome);
	return is_placed;
}

static void
no_mapping_takes_more_than_there_is(void)
{
	enum { ROUNDS = 400 };

	int n_placed = 0;

	for (unsigned round = 1; round <= ROUNDS; round++)
		n_placed += try_random(round);

	assert_true(n_placed > 40 && n_placed < ROUNDS - 40);
}

static const struct test tests[] = {
    TEST(nodes_without_an_amap_are_spread_over_the_hosts),
    TEST(an_amap_is_honoured_and_links_on_one_host_are_local),
    TEST(a_hub_goes_where_most_of_its_ends_are),
    TEST(a_hub_goes_where_its_spokes_fit),
    TEST(each_refusal_has_its_code_its_line_and_what_is_free),
    TEST(all_nodes_that_fit_nowhere_are_told_at_once),
    TEST(a_dead_end_is_left_again),
    TEST(best_effort_asks_for_no_rate),
    TEST(no_mapping_takes_more_than_there_is),
};

suite_main("embed", tests)
