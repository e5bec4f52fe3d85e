/*
 * Which requests the benchmark's replay takes where it may choose: nothing is refused as long as
 * there is much room, and on a full substrate what takes much, for long or by long ways.
 */
#include "bench/admission.h"
#include "test/support/suite.h"

/* One host's CPU and one link's rate stand for all of the substrate. */
static struct core_host host = {.size = {100}, .room = {100}};
static struct core_slot slot = {.size = 100, .free = 100};
static struct core_net net = {.hosts = &host, .n_hosts = 1, .slots = &slot, .n_slots = 1};

static struct core_node nodes[2];
static struct core_link wire = {.a = 0, .b = 1};
static struct core_request request = {.nodes = nodes, .n_nodes = 2, .links = &wire, .n_links = 1};

static void
set_load(int64_t percent)
{
	host.room[0] = slot.free = 100 - percent;
}

/* A request of two nodes of so much CPU and a link of that rate. */
static bool
takes(struct admission *admission, int64_t size, size_t n_hops, double life)
{
	struct core_path path = {.n_arcs = n_hops};
	struct core_answer answer = {.paths = &path, .n_placed = 2};

	nodes[0].wants[0] = nodes[1].wants[0] = wire.up = size;
	return admission_takes(admission, &net, &request, &answer, life);
}

/* As many that ask for 1 so long that one more does not move the mean. */
static struct admission
seen_many(void)
{
	struct admission admission = {0};

	set_load(0);
	for (unsigned i = 0; i < 1000; i++)
		assert_true(takes(&admission, 1, 1, 10));
	return admission;
}

static void
with_much_room_nothing_is_refused(void)
{
	struct admission admission = seen_many();

	assert_true(takes(&admission, 30, 1, 1000));
}

static void
a_full_substrate_refuses_what_takes_much(void)
{
	struct admission admission = seen_many();

	set_load(100);
	assert_true(takes(&admission, 1, 1, 10));
	assert_true(takes(&admission, 2, 1, 5));
	assert_true(!takes(&admission, 2, 1, 10));
	assert_true(!takes(&admission, 1, 1, 20));
	assert_true(!takes(&admission, 1, 3, 10));
	set_load(50);
	assert_true(takes(&admission, 2, 1, 10));
	assert_true(takes(&admission, 1, 3, 10));
	assert_true(!takes(&admission, 1, 1, 100));
}

static void
what_is_much_follows_from_all_that_asked(void)
{
	struct admission admission = seen_many();

	set_load(100);
	assert_true(!takes(&admission, 10, 1, 10));
	for (unsigned i = 0; i < 4000; i++)
		(void)!takes(&admission, 10, 1, 10);

	assert_true(takes(&admission, 10, 1, 10));
}

static void
what_has_no_place_is_not_taken(void)
{
	struct admission admission = seen_many();
	struct core_path path = {.n_arcs = 1};
	struct core_answer answer = {.paths = &path, .n_placed = 1};

	nodes[0].wants[0] = nodes[1].wants[0] = wire.up = 1;
	assert_true(!admission_takes(&admission, &net, &request, &answer, 10));
}

static const struct test tests[] = {
    TEST(with_much_room_nothing_is_refused),
    TEST(a_full_substrate_refuses_what_takes_much),
    TEST(what_is_much_follows_from_all_that_asked),
    TEST(what_has_no_place_is_not_taken),
};

suite_main("admission", tests)
