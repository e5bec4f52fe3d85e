/*
 * Dying at every fault point of sncd, the engine and the store on the way of a modify, sncd and all
 * managers in one process: opened again, the slice is the whole old one or the whole new one, the
 * modify is over, nothing is left behind, and it can be deleted. Without VNODE_SWEEP=all only the
 * first passages of each point are tried.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/support/crash.h"
#include "test/support/fake_site.h"
#include "test/support/site.h"
#include "test/support/suite.h"

#define NODES "node a : p q\nnode b : p q\n"
#define PLACES "amap a koganei\namap b osaka\n"
#define OLD NODES "link l1 bandwidth=100Mbps : a.p b.p\nlink l2 : a.q b.q\n" PLACES
#define NEW                                                                                        \
	NODES "node c : p\nlink l1 bandwidth=600Mbps : a.p b.p\nlink l3 : a.q c.p\n" PLACES        \
	      "amap c nagoya\n"

enum { OLD_ROWS = 2 + 3 + 3, NEW_ROWS = 3 + 3 + 3, PASSAGES_DEFAULT = 6 };

static const char *const points[] = {"snc.modify.before", "snc.modify.after", "snc.modify.switch",
    "snc.modify.finish", "controller.admit.before", "controller.admit.after",
    "controller.merge.before", "controller.part.before", "controller.tick.before",
    "controller.tick.after", "controller.call.before", "controller.call.after",
    "manager.reserve.after", "manager.commit.after", "manager.release.before",
    "manager.remove.after", "store.commit.before", "store.commit.after"};

static char root[200];

static const char *
only_slice(struct fake_site *site)
{
	struct snc_slice_list_result list;
	struct err err;

	if (!snc_slice_list_call(
		&site->developer, site->arena, &(struct snc_slice_list_args){}, &list, &err))
		_exit(2);
	return list.n_slices ? list.slices[0].id : NULL;
}

static bool
modify(struct fake_site *site, const char *slice, const char *text)
{
	const char *document = site_document(site->arena, "s", text);
	struct snc_slice_modify_args args = {
	    .slice = slice, .document = {document, strlen(document)}};
	struct snc_slice_modify_result result;
	struct err err;

	return snc_slice_modify_call(&site->developer, site->arena, &args, &result, &err);
}

static bool
has_objects(struct fake_site *site, int n)
{
	for (int i = 0; i < 2000 && fake_objects(site) != n; i++)
		usleep(5000);
	return fake_objects(site) == n;
}

static void
prepare(void)
{
	struct fake_site *site = fake_site_open(root);
	const char *id = fake_create(site, site_document(site->arena, "s", OLD), NULL);

	_exit(fake_wait(site, id, "RUNNING") && has_objects(site, OLD_ROWS) ? 0 : 2);
}

static void
tell_story(void)
{
	struct fake_site *site = fake_site_open(root);
	const char *id = only_slice(site);

	if (!id || !modify(site, id, NEW) || !fake_wait(site, id, NULL) ||
	    !has_objects(site, NEW_ROWS))
		_exit(2);
	_exit(0);
}

static bool
fail(const char *what)
{
	fprintf(stderr, "\n  violated: %s\n", what);
	return false;
}

/* All of the old one, or all of the new one. */
static bool
is_whole(struct fake_site *site, const char *id)
{
	struct snc_slice_show_result shown;
	struct err err;
	bool is_new;

	if (!snc_slice_show_call(
		&site->developer, site->arena, &(struct snc_slice_show_args){id}, &shown, &err))
		return fail("the slice cannot be shown");
	is_new = shown.n_nodes == 3;
	if (strcmp(shown.slices[0].state, "RUNNING") != 0 || shown.slices[0].reason[0])
		return fail("the slice does not run");
	if (shown.n_links != 2 || strcmp(shown.links[1].name, is_new ? "l3" : "l2") != 0)
		return fail("links of both documents");
	if (shown.links[0].reserved_ab_bps != (is_new ? 600000000 : 100000000))
		return fail("a rate of the other document");
	for (size_t i = 0; i < shown.n_links; i++)
		if (strcmp(shown.links[i].state, "open") != 0)
			return fail("a link is not open");
	return has_objects(site, is_new ? NEW_ROWS : OLD_ROWS) ||
	       fail("an object too many or too few");
}

static bool
is_real(struct fake_site *site, const char *id)
{
	for (int i = 0; i < 2000; i++) {
		struct snc_slice_show_result shown;
		struct err err;

		if (snc_slice_show_call(&site->developer, site->arena,
			&(struct snc_slice_show_args){id}, &shown, &err) &&
		    !shown.slices[0].progress[0] && !shown.slices[0].degraded)
			return true;
		usleep(5000);
	}
	return fail("it rests half-way");
}

static bool
has_orphans(struct fake_site *site)
{
	struct snc_orphans_result result;
	struct err err;

	return !snc_orphans_call(
		   &site->noc, site->arena, &(struct snc_orphans_args){}, &result, &err) ||
	       result.n_orphans;
}

static void
check_after(void)
{
	struct fake_site *site = fake_site_open(root);
	const char *id = only_slice(site);
	bool is_good = id && is_real(site, id) && is_whole(site, id);
	struct err err;

	if (is_good && has_orphans(site))
		is_good = fail("orphans");
	if (is_good &&
	    (!modify(site, id, OLD) || !fake_wait(site, id, NULL) || !is_whole(site, id)))
		is_good = fail("it cannot be modified again");
	if (is_good &&
	    (!snc_slice_delete_call(&site->developer, site->arena,
		 &(struct snc_slice_delete_args){id}, &(struct snc_slice_delete_result){}, &err) ||
		fake_wait(site, id, "GONE") || !has_objects(site, 0)))
		is_good = fail("it cannot be deleted");
	fake_site_free(site);
	_exit(is_good ? 0 : 1);
}

/* One run; true when the point was passed fewer times, so that the story ended. */
static bool
crash_at(const char *name, int passage)
{
	char crash[100];
	int before, status, after;

	snprintf(root, sizeof(root), "%s/run", test_dir());
	test_remove(root);
	if (mkdir(root, 0700))
		abort();
	snprintf(crash, sizeof(crash), "%s:%d", name, passage);
	before = test_die_at(NULL, prepare);
	status = test_die_at(crash, tell_story);
	after = test_die_at(NULL, check_after);
	if (before != 0 || ((!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) && status != 0)) {
		printf("\n  %s: the story failed (status %x)\n", crash, (unsigned)status);
		CU_FAIL("the story");
	}
	if (after != 0) {
		printf("\n  %s: what is left does not agree (status %x)\n", crash, (unsigned)after);
		CU_FAIL("the state after");
	}
	return status == 0;
}

static void
a_crash_anywhere_leaves_the_old_slice_or_makes_the_new_one(void)
{
	const char *sweep = getenv("VNODE_SWEEP");
	int limit = sweep && !strcmp(sweep, "all") ? 1000 : PASSAGES_DEFAULT, n_crashes = 0;

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		int passage = 1;

		while (passage <= limit && !crash_at(points[i], passage))
			passage++;
		if (sweep)
			printf("\n  %s: %d crashes", points[i], passage - 1);
		n_crashes += passage - 1;
	}
	printf("\n  %d crashes\n", n_crashes);
	CU_ASSERT_TRUE(n_crashes > 30);
}

static const struct test tests[] = {
    TEST(a_crash_anywhere_leaves_the_old_slice_or_makes_the_new_one),
};

suite_main("modify_crash", tests)
