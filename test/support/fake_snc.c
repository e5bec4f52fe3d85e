/*
 * The fake keeps one slice. Whatever is under way is finished by the next call for events that
 * waits, so tests need not sleep.
 */
#include "test/support/fake_snc.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/snc_api.h"
#include "lib/model/slice.h"
#include "test/support/domain.h"
#include "test/support/fake_snc_link.h"
#include "test/support/fake_snc_project.h"
#include "test/support/suite.h"

enum { EVENTS_MAX = 32 };

struct fake_snc {
	struct rpc_server *rpc;
	struct http_server *http;
	pthread_mutex_t mutex;    /* one call at a time */
	char name[64], state[16]; /* of the slice; state "" = there is none */
	char goal[16];            /* what is under way; "" = nothing */
	char reason[80];
	const char *events[EVENTS_MAX]; /* states that were reached */
	size_t n_events;
	char typed[256];
};

static void
note(struct fake_snc *fake, const char *what)
{
	if (fake->n_events < EVENTS_MAX)
		fake->events[fake->n_events++] = what;
}

static void
set_text(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
}

static void
finish(struct fake_snc *fake)
{
	static const char *const states[] = {"DEFINED", "RESERVED", "RUNNING", "STOPPED", "GONE"};

	if (!fake->goal[0])
		return;
	if (!strcmp(fake->name, "doomed") && strcmp(fake->goal, "GONE") != 0) {
		set_text(fake->state, sizeof(fake->state), "DEFINED");
		set_text(fake->reason, sizeof(fake->reason),
		    "no path from 'koganei' to 'osaka' within 1 ms");
	} else {
		set_text(
		    fake->state, sizeof(fake->state), strcmp(fake->goal, "GONE") ? fake->goal : "");
	}
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (!strcmp(fake->goal, states[i]))
			note(fake, states[i]);
	fake->goal[0] = '\0';
}

/* ---- documents ---- */

static bool
read_checked(const struct rpc_call *call, const struct rpc_blob *document, struct slice **slice,
    diagnoses *found)
{
	static const struct slice_image images[] = {
	    {"container-minimal", SLICE_FORM_CONTAINER, 0}, {"vm-minimal", SLICE_FORM_VM, 0}};
	static const struct slice_host hosts[] = {{"koganei", false}, {"nagoya", false}};
	const struct slice_world world = {.role = call->role,
	    .images = images,
	    .n_images = 2,
	    .hosts = hosts,
	    .n_hosts = 2,
	    .arena = call->arena};
	bool has_values;

	if (!slice_read(document->bytes, document->size, call->arena, slice, found))
		return false;
	has_values = slice_defaults(*slice, call->arena, found);
	return slice_check(*slice, &world, found) && has_values;
}

static bool
fake_check(void *self, const struct rpc_call *call, const struct snc_slice_check_args *args,
    struct snc_slice_check_result *result, struct err *err)
{
	static const struct snc_quota_use quotas[] = {
	    {"project", "memory", (int64_t)1 << 30, (int64_t)4 << 30, (int64_t)256 << 30},
	    {"each", "rate-hours", -1, 2500000000, 500000000000},
	};
	struct slice *slice = NULL;
	diagnoses found = {0};
	struct snc_diagnosis *rows;

	(void)self, (void)err;
	result->quotas = quotas;
	result->n_quotas = args->project ? 2 : 0;
	result->feasible = read_checked(call, &args->document, &slice, &found);
	result->name = slice ? slice->name : "";
	rows = arena_alloc(call->arena, (found.n + 1) * sizeof(*rows));
	for (size_t i = 0; i < found.n; i++)
		rows[i] = (struct snc_diagnosis){err_code_text(found.items[i].code),
		    found.items[i].is_warning ? "warning" : "error", found.items[i].line,
		    arena_text(call->arena, found.items[i].xpath),
		    arena_text(call->arena, found.items[i].subject),
		    arena_text(call->arena, found.items[i].text),
		    arena_text(call->arena, found.items[i].hint)};
	result->diagnoses = rows;
	result->n_diagnoses = found.n;
	vec_done(&found);
	return true;
}

static bool
fake_create(void *self, const struct rpc_call *call, const struct snc_slice_create_args *args,
    struct snc_slice_create_result *result, struct err *err)
{
	struct fake_snc *fake = self;
	struct slice *slice = NULL;
	diagnoses found = {0};
	bool is_good = read_checked(call, &args->document, &slice, &found);

	if (!is_good && found.n)
		*err = found.items[0];
	vec_done(&found);
	if (!is_good)
		return false;
	if (fake->state[0])
		return err_set(err, ERR_S11, "slice '%s' exists", fake->name);
	set_text(fake->name, sizeof(fake->name), slice->name);
	set_text(fake->goal, sizeof(fake->goal), args->goal ? args->goal : "RUNNING");
	set_text(fake->state, sizeof(fake->state), "DEFINED");
	fake->reason[0] = '\0';
	result->id = "0000000000001";
	result->name = slice->name;
	return true;
}

/* ---- the slice ---- */

static const struct snc_slice *
row_of(const struct fake_snc *fake, struct arena *arena)
{
	struct snc_slice *row = arena_new_of(arena, struct snc_slice);

	*row = (struct snc_slice){.id = "0000000000001",
	    .name = fake->name,
	    .owner = "dev1",
	    .project = "default",
	    .state = arena_text(arena, fake->state),
	    .progress = fake->goal[0] ? "run" : "",
	    .reason = arena_text(arena, fake->reason),
	    .code = fake->reason[0] ? "R03" : "",
	    .hint = fake->reason[0] ? "allow more latency" : "",
	    .n_nodes = 2,
	    .n_links = 2};
	return row;
}

static bool
find_slice(const struct fake_snc *fake, const char *name, struct err *err)
{
	if (fake->state[0] && (!strcmp(name, fake->name) || !strcmp(name, "0000000000001")))
		return true;
	return err_set(err, ERR_NOT_FOUND, "there is no slice '%s'", name);
}

static bool
fake_list(void *self, const struct rpc_call *call, const struct snc_slice_list_args *args,
    struct snc_slice_list_result *result, struct err *err)
{
	const struct fake_snc *fake = self;

	(void)args, (void)err;
	result->slices = row_of(fake, call->arena);
	result->n_slices = fake->state[0] != '\0';
	return true;
}

static bool
fake_show(void *self, const struct rpc_call *call, const struct snc_slice_show_args *args,
    struct snc_slice_show_result *result, struct err *err)
{
	const struct fake_snc *fake = self;

	if (!find_slice(fake, args->slice, err))
		return false;
	*result =
	    (struct snc_slice_show_result){.slices = row_of(fake, call->arena), .n_slices = 1};
	return true;
}

static bool
set_goal(struct fake_snc *fake, const char *name, const char *goal, struct err *err)
{
	if (!find_slice(fake, name, err))
		return false;
	set_text(fake->goal, sizeof(fake->goal), goal);
	fake->reason[0] = '\0';
	return true;
}

static bool
fake_run(void *self, const struct rpc_call *call, const struct snc_slice_run_args *args,
    struct snc_slice_run_result *result, struct err *err)
{
	(void)call, (void)result;
	return set_goal(self, args->slice, "RUNNING", err);
}

static bool
fake_reserve(void *self, const struct rpc_call *call, const struct snc_slice_reserve_args *args,
    struct snc_slice_reserve_result *result, struct err *err)
{
	(void)call, (void)result;
	return set_goal(self, args->slice, "RESERVED", err);
}

static bool
fake_stop(void *self, const struct rpc_call *call, const struct snc_slice_stop_args *args,
    struct snc_slice_stop_result *result, struct err *err)
{
	(void)call, (void)result;
	return set_goal(self, args->slice, "STOPPED", err);
}

static bool
fake_delete(void *self, const struct rpc_call *call, const struct snc_slice_delete_args *args,
    struct snc_slice_delete_result *result, struct err *err)
{
	(void)call, (void)result;
	return set_goal(self, args->slice, "GONE", err);
}

static bool
fake_wait(void *self, const struct rpc_call *call, const struct snc_slice_wait_args *args,
    struct snc_slice_wait_result *result, struct err *err)
{
	const struct fake_snc *fake = self;

	(void)err;
	result->slices = row_of(fake, call->arena);
	result->n_slices = fake->state[0] && (!strcmp(args->slice, fake->name) ||
						 !strcmp(args->slice, "0000000000001"));
	result->done = !fake->goal[0];
	return true;
}

static bool
fake_events(void *self, const struct rpc_call *call, const struct snc_events_args *args,
    struct snc_events_result *result, struct err *err)
{
	struct fake_snc *fake = self;
	size_t from = args->after < 0 ? 0 : (size_t)args->after;
	struct snc_event *rows = arena_alloc(call->arena, EVENTS_MAX * sizeof(*rows));

	(void)err;
	if (args->wait_ms)
		finish(fake);
	for (size_t i = from; i < fake->n_events; i++)
		rows[result->n_events++] = (struct snc_event){(int64_t)i + 1, 0, fake->name,
		    arena_format(call->arena, "slice %s", fake->name), fake->events[i],
		    "\"quoted\""};
	result->events = rows;
	return true;
}

/* ---- times: what fits, fits at the earliest start; what is to last a day never does ---- */

enum { DAY_MS = 86400000, GRACE_MS = 600000 };

static bool
fake_find_slot(void *self, const struct rpc_call *call, const struct snc_slice_find_slot_args *args,
    struct snc_slice_find_slot_result *result, struct err *err)
{
	static const struct snc_node node = {.name = "n1", .host = "koganei"};

	(void)self, (void)call, (void)err;
	result->found = args->duration_ms.value < DAY_MS;
	result->from_ms = args->after_ms.value;
	result->until_ms = args->after_ms.value + args->duration_ms.value;
	result->looked_until_ms = result->from_ms;
	result->nodes = &node;
	result->n_nodes = 1;
	return true;
}

static bool
fake_renew(void *self, const struct rpc_call *call, const struct snc_slice_renew_args *args,
    struct snc_slice_renew_result *result, struct err *err)
{
	(void)call;
	if (!find_slice(self, args->slice, err))
		return false;
	result->until_ms = args->until_ms.value;
	result->grace_ms = GRACE_MS;
	return true;
}

/* ---- the rest ---- */

static bool
fake_hosts(void *self, const struct rpc_call *call, const struct snc_host_list_args *args,
    struct snc_host_list_result *result, struct err *err)
{
	static const struct snc_host hosts[] = {{"koganei", "vnode", "up",
	    "redirectord programmerd", 8, 6, (int64_t)16 << 30, (int64_t)8 << 30, "tcg",
	    "vm-minimal", "until further notice: new switch", (int64_t)1 << 40, 0}};

	(void)self, (void)call, (void)args, (void)err;
	*result = (struct snc_host_list_result){hosts, 1};
	return true;
}

static bool
fake_nodes(void *self, const struct rpc_call *call, const struct snc_node_list_args *args,
    struct snc_node_list_result *result, struct err *err)
{
	static const struct snc_node nodes[] = {{"ring", "n1", "container", "container-minimal",
	    "koganei", "running", true, 1, 64 << 20, "0000000000002", NULL, 0}};

	(void)self, (void)call, (void)args, (void)err;
	*result = (struct snc_node_list_result){nodes, 1};
	return true;
}

static bool
fake_delays(void *self, const struct rpc_call *call, const struct snc_delays_args *args,
    struct snc_delays_result *result, struct err *err)
{
	static const struct snc_delay delays[] = {
	    {"hello-ring", "l1", "n1", "koganei", "nagoya", 998, 2, 61000, 72000, 70500, 91000,
		130000, 1200, 4000},
	    {"hello-ring", "l2", "n2", "nagoya", "osaka", 10, 0, 5100, 6000, 6000, 7000, 7100, 100,
		-1},
	};

	(void)self, (void)call, (void)args, (void)err;
	*result = (struct snc_delays_result){delays, 2};
	return true;
}

/* An old line first; then what was typed comes back in capitals' stead as `echo: TEXT`. */
static bool
fake_console_read(void *self, const struct rpc_call *call, const struct snc_console_read_args *args,
    struct snc_console_read_result *result, struct err *err)
{
	const struct fake_snc *fake = self;
	const char *all = arena_format(
	    call->arena, "old line\n%s%s", fake->typed[0] ? "echo: " : "", fake->typed);
	size_t from = args->offset < 0 ? 0 : (size_t)args->offset;

	(void)err;
	from = from < strlen(all) ? from : strlen(all);
	result->offset = (int64_t)from;
	result->output = (struct rpc_blob){all + from, strlen(all) - from};
	result->ready = true;
	return true;
}

static bool
fake_console_write(void *self, const struct rpc_call *call,
    const struct snc_console_write_args *args, struct snc_console_write_result *result,
    struct err *err)
{
	struct fake_snc *fake = self;

	(void)call, (void)result, (void)err;
	snprintf(fake->typed, sizeof(fake->typed), "%.*s", (int)args->input.size,
	    (const char *)args->input.bytes);
	return true;
}

/* Answers with the words it was given; the exit code is their number. */
static bool
fake_exec(void *self, const struct rpc_call *call, const struct snc_exec_args *args,
    struct snc_exec_result *result, struct err *err)
{
	const char *text = "";

	(void)self, (void)err;
	for (size_t i = 0; i < args->n_argv; i++)
		text = arena_format(call->arena, "%s[%s]", text, args->argv[i].word);
	result->output = (struct rpc_blob){text, strlen(text)};
	result->exit = (int64_t)args->n_argv;
	return true;
}

static bool
fake_orphans(void *self, const struct rpc_call *call, const struct snc_orphans_args *args,
    struct snc_orphans_result *result, struct err *err)
{
	static const struct snc_orphan rows[] = {
	    {"redirector@koganei", "device vn0 without a row"}};

	(void)self, (void)call, (void)args, (void)err;
	*result = (struct snc_orphans_result){rows, 1};
	return true;
}

static bool
fake_doctor(void *self, const struct rpc_call *call, const struct snc_doctor_args *args,
    struct snc_doctor_result *result, struct err *err)
{
	static const struct snc_fact facts[] = {{"koganei", "kvm", true, "works", ""}};

	(void)self, (void)call, (void)args, (void)err;
	*result = (struct snc_doctor_result){facts, 1};
	return true;
}

/* ---- server ---- */

static void
answer(void *self, const struct http_request *request, struct http_response *response)
{
	struct fake_snc *fake = self;
	struct rpc_call call = {request->role, request->name, request->arena};

	pthread_mutex_lock(&fake->mutex);
	rpc_server_handle(fake->rpc, &call, request->body, request->size, &response->body);
	pthread_mutex_unlock(&fake->mutex);
}

struct fake_snc *
fake_snc_new(struct arena *arena)
{
	static struct snc_ops ops = {.slice_check = fake_check,
	    .slice_create = fake_create,
	    .slice_list = fake_list,
	    .slice_show = fake_show,
	    .slice_run = fake_run,
	    .slice_stop = fake_stop,
	    .slice_reserve = fake_reserve,
	    .slice_delete = fake_delete,
	    .slice_wait = fake_wait,
	    .slice_renew = fake_renew,
	    .slice_find_slot = fake_find_slot,
	    .events = fake_events,
	    .host_list = fake_hosts,
	    .node_list = fake_nodes,
	    .delays = fake_delays,
	    .console_read = fake_console_read,
	    .console_write = fake_console_write,
	    .exec = fake_exec,
	    .orphans = fake_orphans,
	    .doctor = fake_doctor};
	struct fake_snc *fake = xcalloc(1, sizeof(*fake));
	struct http_server_config config = {
	    .address = arena_format(arena, "unix:%s/snc.sock", test_dir()),
	    .ca_file = domain_path(arena, "ca/ca.crt"),
	    .cert_file = domain_path(arena, "server.crt"),
	    .key_file = domain_path(arena, "server.key"),
	    .handler = answer,
	    .self = fake};
	struct err err = {0};

	pthread_mutex_init(&fake->mutex, NULL);
	fake_snc_link(&ops);
	fake_snc_project(&ops);
	fake->rpc = rpc_server_new();
	if (!rpc_server_add(fake->rpc, &snc_service, &ops, fake, &err) ||
	    !(fake->http = http_server_new(&config, &err))) {
		printf("\n%s\n", err.text);
		abort();
	}
	return fake;
}

void
fake_snc_free(struct fake_snc *fake)
{
	if (!fake)
		return;
	http_server_free(fake->http);
	rpc_server_free(fake->rpc);
	pthread_mutex_destroy(&fake->mutex);
	free(fake);
}

const char *
fake_snc_typed(const struct fake_snc *fake)
{
	return fake->typed;
}
