/*
 * sncd's events: who is told of what, by the slice's own way and by what managers put right.
 */
#include <string.h>

#include "lib/base/id.h"
#include "test/support/fake_site.h"
#include "test/support/site.h"
#include "test/support/suite.h"

#define RING                                                                                       \
	"node a : b\n"                                                                             \
	"node b : a\n"                                                                             \
	"link ab bandwidth=100Mbps : a.b b.a\n"                                                    \
	"amap a koganei\namap b nagoya\n"

static void
events_tell_the_way_and_are_the_owners_own(void)
{
	struct fake_site *site = fake_site_new();
	const char *id = fake_create(site, site_document(site->arena, "ring", RING), NULL);
	struct snc_events_result events;
	bool has_running = false, has_node = false;
	struct err err;

	fake_wait(site, id, "RUNNING");
	assert_true(snc_events_call(
	    &site->developer, site->arena, &(struct snc_events_args){0, "ring", 0}, &events, &err));
	for (size_t i = 0; i < events.n_events; i++) {
		has_running = has_running || strcmp(events.events[i].what, "RUNNING") == 0;
		has_node = has_node || (strcmp(events.events[i].subject, "node a") == 0 &&
					   strcmp(events.events[i].what, "running") == 0);
	}
	assert_true(has_running && has_node);
	assert_true(snc_events_call(
	    &site->other, site->arena, &(struct snc_events_args){0, NULL, 0}, &events, &err));
	for (size_t i = 0; i < events.n_events; i++)
		assert_text(events.events[i].slice, "");
	fake_site_free(site);
}

/* The hello of a programmer with one note. */
static void
tell(struct fake_site *site, const char *host, uint64_t rid)
{
	struct controller_note note = {
	    arena_text(site->arena, id_text(rid).text), "repaired", "it was not running"};
	struct controller_hello_args args = {
	    .manager = arena_format(site->arena, "programmer@%s", host),
	    .version = "0",
	    .db_uuid = arena_format(site->arena, "programmer@%s", host),
	    .capacity = "",
	    .notes = &note,
	    .n_notes = 1};
	struct rpc_call call = {.role = "programmer", .name = host, .arena = site->arena};
	struct controller_hello_result result;
	struct err err = {0};

	assert_true(snc_controller_ops.hello(site->snc, &call, &args, &result, &err));
}

static size_t
count_repairs(struct fake_site *site, const struct rpc_client *client, const char *subject)
{
	struct snc_events_result events;
	size_t n = 0;
	struct err err;

	assert_true(snc_events_call(
	    client, site->arena, &(struct snc_events_args){0, NULL, 0}, &events, &err));
	for (size_t i = 0; i < events.n_events; i++)
		n += !strcmp(events.events[i].what, "repaired") &&
		     !strcmp(events.events[i].subject, subject) &&
		     !strcmp(events.events[i].text, "it was not running");
	return n;
}

static void
what_a_manager_put_right_is_an_event_of_the_owner_and_the_noc(void)
{
	struct fake_site *site = fake_site_new();
	const char *id = fake_create(site, site_document(site->arena, "ring", RING), NULL);
	const struct controller_row_state *rows, *node = NULL;
	size_t n_rows;

	fake_wait(site, id, "RUNNING");
	assert_true(controller_rows(site->snc->controller, NULL, id, site->arena, &rows, &n_rows));
	for (size_t i = 0; i < n_rows; i++)
		if (!strcmp(rows[i].row.manager, "programmer@koganei"))
			node = &rows[i];
	assert_true(node != NULL);

	tell(site, "nagoya", node->row.rid); /* speaks for its own rows alone */
	assert_equal(count_repairs(site, &site->developer, node->row.subject), 0);
	tell(site, "koganei", node->row.rid);
	tell(site, "koganei", node->row.rid); /* told again: no answer had come */
	assert_equal(count_repairs(site, &site->developer, node->row.subject), 1);
	assert_equal(count_repairs(site, &site->noc, node->row.subject), 1);
	assert_equal(count_repairs(site, &site->other, node->row.subject), 0);
	fake_site_free(site);
}

static void
events_of_a_slice_that_never_was_are_refused(void)
{
	struct fake_site *site = fake_site_new();
	const char *id = fake_create(site, site_document(site->arena, "ring", RING), NULL);
	struct snc_events_args of_it = {0, id, 0};
	struct snc_events_result events;
	struct err err = {0};

	fake_wait(site, id, "RUNNING");
	assert_true(!snc_events_call(
	    &site->developer, site->arena, &(struct snc_events_args){0, "nope", 0}, &events, &err));
	assert_equal(err.code, ERR_NOT_FOUND);
	assert_true(!snc_events_call(&site->other, site->arena, &of_it, &events, &err));
	assert_equal(err.code, ERR_NOT_FOUND);
	assert_true(snc_events_call(&site->noc, site->arena, &of_it, &events, &err));
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(events_tell_the_way_and_are_the_owners_own),
    TEST(what_a_manager_put_right_is_an_event_of_the_owner_and_the_noc),
    TEST(events_of_a_slice_that_never_was_are_refused),
};

suite_main("snc_events", tests)
