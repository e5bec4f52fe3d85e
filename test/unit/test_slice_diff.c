/*
 * Two documents compared: the way of every element, and what is told of it.
 */
#include <string.h>

#include "lib/model/slice_diff.h"
#include "test/support/site.h"
#include "test/support/suite.h"

static const char *const hosts[] = {"koganei", "nagoya", "osaka", NULL};

#define BEFORE                                                                                     \
	"node a : p q\n"                                                                           \
	"node b : p q\n"                                                                           \
	"node c : p q\n"                                                                           \
	"link ab bandwidth=10Mbps maxBandwidth=20Mbps : a.p b.p\n"                                 \
	"link bc bandwidth=5Mbps : b.q c.p\n"                                                      \
	"amap a koganei\n"

/* A document that is to follow the one above, and what is said of it. */
struct turn {
	struct arena *arena;
	struct slice_diff diff;
};

static struct turn
turn_without(const char *lost, const char *after)
{
	const struct slice_place places[] = {{"a", "koganei", false},
	    {"b", "nagoya", !strcmp(lost, "nagoya")}, {"c", "osaka", false}};
	struct turn turn = {.arena = arena_new()};
	const struct substrate *substrate = site_new(turn.arena, hosts);
	struct slice_diff_request request = {
	    .before = site_slice(turn.arena, substrate, site_document(turn.arena, "s", BEFORE)),
	    .after = site_slice(turn.arena, substrate, site_document(turn.arena, "s", after)),
	    .places = places,
	    .n_places = 3,
	};

	slice_diff(&request, turn.arena, &turn.diff);
	return turn;
}

static struct turn
turn(const char *after)
{
	return turn_without("", after);
}

static void
assert_way(
    const struct turn *turn, bool is_link, const char *name, enum slice_way way, bool is_rebuilt)
{
	const struct slice_change *change = slice_diff_find(&turn->diff, is_link, name);

	assert_true(change != NULL);
	assert_text(slice_way_text(change->way), slice_way_text(way));
	assert_equal(change->is_rebuilt, is_rebuilt);
}

static void
the_same_document_changes_nothing(void)
{
	struct turn same = turn(BEFORE);

	assert_equal(slice_diff_way(&same.diff), SLICE_WAY_UNCHANGED);
	assert_equal(same.diff.n, 5);
	arena_free(same.arena);
}

static void
what_was_on_a_host_that_is_gone_begins_anew_with_its_links(void)
{
	struct turn lost = turn_without("nagoya", BEFORE);

	assert_way(&lost, false, "a", SLICE_WAY_UNCHANGED, false);
	assert_way(&lost, false, "b", SLICE_WAY_RESTART, true);
	assert_way(&lost, true, "ab", SLICE_WAY_LOCAL, true);
	assert_way(&lost, true, "bc", SLICE_WAY_LOCAL, true);
	arena_free(lost.arena);
}

/* 1 Mbps is 1000 kbps. */
static void
what_is_written_otherwise_and_means_the_same_is_unchanged(void)
{
	struct turn same = turn("node c : p q\nnode a cpu=1 : p q\nnode b : p q\n"
				"link bc bandwidth=5000kbps maxBandwidth=5Mbps : b.q c.p\n"
				"link ab bandwidth=10Mbps maxBandwidth=20Mbps : a.p b.p\n");

	assert_equal(slice_diff_way(&same.diff), SLICE_WAY_UNCHANGED);
	arena_free(same.arena);
}

static void
every_kind_of_change_has_its_way(void)
{
	static const struct {
		const char *after, *name;
		enum slice_way way;
		bool is_link, is_rebuilt;
	} cases[] = {
	    {"link ab bandwidth=10Mbps maxBandwidth=30Mbps : a.p b.p\n", "ab", SLICE_WAY_HITLESS,
		true, false},
	    {"link ab bandwidth=10Mbps maxBandwidth=20Mbps priority=3 : a.p b.p\n", "ab",
		SLICE_WAY_HITLESS, true, false},
	    {"link ab bandwidth=15Mbps maxBandwidth=20Mbps : a.p b.p\n", "ab", SLICE_WAY_HITLESS,
		true, true},
	    {"link ab bandwidth=10Mbps maxBandwidth=20Mbps latency=9ms : a.p b.p\n", "ab",
		SLICE_WAY_HITLESS, true, true},
	    {"link ab bandwidth=10Mbps maxBandwidth=20Mbps isolation=policing : a.p b.p\n", "ab",
		SLICE_WAY_HITLESS, true, true},
	    {"link ab bandwidth=10Mbps maxBandwidth=20Mbps : a.q b.p\n", "ab", SLICE_WAY_LOCAL,
		true, true},
	    {"link ab bandwidth=10Mbps maxBandwidth=20Mbps mtu=1400 : a.p b.p\n", "a",
		SLICE_WAY_RESTART, false, true},
	    {"link ac bandwidth=1Mbps : a.q c.q\n", "ac", SLICE_WAY_ADD, true, false},
	    {"link ac bandwidth=1Mbps : a.q c.q\n", "ab", SLICE_WAY_REMOVE, true, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_arena struct arena *arena = arena_new();
		struct turn one = turn(arena_format(arena,
		    "node a : p q\nnode b : p q\nnode c : p q\n%s"
		    "link bc bandwidth=5Mbps : b.q c.p\n",
		    cases[i].after));

		assert_way(
		    &one, cases[i].is_link, cases[i].name, cases[i].way, cases[i].is_rebuilt);
		assert_way(&one, false, "c", SLICE_WAY_UNCHANGED, false);
		arena_free(one.arena);
	}
}

static void
links_go_with_a_node_that_begins_anew(void)
{
	struct turn moved = turn("node a : p q\nnode b memory=256MiB : p q\nnode c : p q\n"
				 "link ab bandwidth=10Mbps maxBandwidth=20Mbps : a.p b.p\n"
				 "link bc bandwidth=5Mbps : b.q c.p\n"
				 "amap c osaka\n");

	assert_way(&moved, false, "a", SLICE_WAY_UNCHANGED, false);
	assert_way(&moved, false, "b", SLICE_WAY_RESTART, true);
	assert_way(&moved, false, "c", SLICE_WAY_UNCHANGED, false);
	assert_way(&moved, true, "ab", SLICE_WAY_LOCAL, true);
	assert_text(slice_diff_find(&moved.diff, true, "ab")->text, "with node b");
	arena_free(moved.arena);
}

static void
the_whole_of_a_change_is_printed(void)
{
	struct turn many =
	    turn("node a cpu=2 : p q\nnode b : p q\nnode d : p q\n"
		 "link ab bandwidth=30Mbps maxBandwidth=40Mbps priority=1 : a.p b.p\n"
		 "link bd : b.q d.p\n"
		 "amap a koganei\namap b osaka\n");
	auto_str struct str text = {0};

	slice_diff_print(&many.diff, &text);
	test_golden("slice/diff.txt", str_text(&text));
	arena_free(many.arena);
}

static const struct test tests[] = {
    TEST(the_same_document_changes_nothing),
    TEST(what_was_on_a_host_that_is_gone_begins_anew_with_its_links),
    TEST(what_is_written_otherwise_and_means_the_same_is_unchanged),
    TEST(every_kind_of_change_has_its_way),
    TEST(links_go_with_a_node_that_begins_anew),
    TEST(the_whole_of_a_change_is_printed),
};

suite_main("slice_diff", tests)
