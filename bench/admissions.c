/*
 * How many slices a second does sncd admit, for 32 clients at once; how fast does it answer after a
 * start, and is all there that it promised? A client of a real sncd over RPC with TLS, as
 * bench/admissions.sh starts it.
 *
 * - create FILE N CLIENTS PREFIX NODES IN_S: creates N slices of so many nodes, each linked with
 * each, named PREFIX-I, that start in IN_S seconds; adds each that was answered to FILE
 * - first: waits until a call is answered
 * - verify FILE: is each slice of FILE listed?
 * - settle SECONDS: waits until every slice is RUNNING
 * - hosts N: are N hosts up, and known?
 * - orphans: what does not agree anywhere: nothing
 *
 * DIR, which comes before all of them, is of test/support/many_managers.c.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/measure.h"
#include "lib/api/snc_api.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "lib/http/http_client.h"

enum { NODES_MAX = 16, CALL_MS = 60000, CLIENTS_MAX = 256, SLICES_MAX = 1000000, MS = 1000000 };

struct load {
	struct http_client *http;
	const char *prefix;
	int n_nodes;
	int64_t from_ms; /* 0 = at once */
	long n;
	atomic_long next, n_refused;
	pthread_mutex_t lock; /* of the rest */
	FILE *acknowledged;
	double *ms; /* of each that was answered */
	size_t n_answered;
	struct err first; /* refusal */
};

static bool
post(void *self, const char *body, size_t size, struct str *reply, int timeout_ms, struct err *err)
{
	auto_str struct str request = {0};

	str_add_bytes(&request, body, size);
	return http_client_post(self, "/RPC2", &request, reply, timeout_ms, err);
}

static struct rpc_client
client_of(struct http_client *http)
{
	return (struct rpc_client){.post = post, .self = http, .timeout_ms = CALL_MS};
}

static double
now_ms(void)
{
	return (double)measure_clock(CLOCK_MONOTONIC) / MS;
}

/* ---- documents: every node is linked with every other ---- */

static void
add_links(int n_nodes, struct str *text, struct str *binds)
{
	for (int a = 0, n = 0; a < n_nodes; a++)
		for (int b = a + 1; b < n_nodes; b++, n++) {
			str_addf(text,
			    "<linkSliver name=\"l%d\" type=\"link\" subtype=\"GRE\"><vports>"
			    "<vport name=\"e1\"/><vport name=\"e2\"/></vports><resources>"
			    "<resource key=\"bandwidth\" "
			    "value=\"1Mbps\"/></resources></linkSliver>\n",
			    n);
			str_addf(binds,
			    "<bind name=\"x%d\"><vport slivername=\"n%d\" portname=\"p%d\"/>"
			    "<vport slivername=\"l%d\" portname=\"e1\"/></bind>\n"
			    "<bind name=\"y%d\"><vport slivername=\"l%d\" portname=\"e2\"/>"
			    "<vport slivername=\"n%d\" portname=\"p%d\"/></bind>\n",
			    n, a, b, n, n, n, b, a);
		}
}

static void
add_nodes(int n_nodes, struct str *text)
{
	for (int a = 0; a < n_nodes; a++) {
		str_addf(text,
		    "<nodeSliver name=\"n%d\"><instance type=\"prog\" subtype=\"SlowPath_VM\">"
		    "<resources><resource key=\"cpu\" value=\"1\"/><resource key=\"memory\""
		    " value=\"128MiB\"/></resources><params><param key=\"bootImage\""
		    " value=\"image:container-minimal\"/></params></instance><vports>",
		    a);
		for (int b = 0; b < n_nodes; b++)
			if (b != a)
				str_addf(text, "<vport name=\"p%d\"/>", b);
		str_add(text, "</vports></nodeSliver>\n");
	}
}

static void
write_document(const char *name, int n_nodes, struct str *text)
{
	auto_str struct str binds = {0};

	str_addf(text,
	    "<slice-design version=\"1.0\"><slicespec name=\"%s\"><sliverdef><linkSlivers>\n",
	    name);
	add_links(n_nodes, text, &binds);
	str_add(text, "</linkSlivers><nodeSlivers>\n");
	add_nodes(n_nodes, text);
	str_addf(text,
	    "</nodeSlivers></sliverdef><structure>\n%s</structure></slicespec></slice-design>\n",
	    str_text(&binds));
}

/* ---- create ---- */

static void
note(struct load *load, const struct snc_slice_create_result *created, double ms,
    const struct err *err)
{
	pthread_mutex_lock(&load->lock);
	if (created) {
		load->ms[load->n_answered++] = ms;
		fprintf(load->acknowledged, "%s %s\n", created->id, created->name);
	} else if (load->n_refused++ == 0) {
		load->first = *err;
	}
	pthread_mutex_unlock(&load->lock);
}

static void
create_one(struct load *load, long index)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str text = {0};
	struct rpc_client client = client_of(load->http);
	const char *name = arena_format(arena, "%s-%ld", load->prefix, index);
	struct snc_slice_create_args args = {
	    .op_id = name,
	    .goal = "RUNNING",
	    .from_ms = {load->from_ms != 0, load->from_ms},
	};
	struct snc_slice_create_result result;
	struct err err = {0};
	double from;

	write_document(name, load->n_nodes, &text);
	args.document = (struct rpc_blob){str_text(&text), text.len};
	from = now_ms();
	if (snc_slice_create_call(&client, arena, &args, &result, &err))
		note(load, &result, now_ms() - from, NULL);
	else
		note(load, NULL, 0, &err);
}

static void *
client_main(void *self)
{
	struct load *load = self;
	long index;

	while ((index = atomic_fetch_add(&load->next, 1)) < load->n)
		create_one(load, index);
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static bool
run_clients(struct load *load, long n_clients, struct err *err)
{
	pthread_t threads[CLIENTS_MAX];
	double from = now_ms(), s;

	for (long i = 0; i < n_clients; i++)
		if (pthread_create(&threads[i], NULL, client_main, load) != 0)
			return err_set(err, ERR_UNAVAILABLE, "too many threads");
	for (long i = 0; i < n_clients; i++)
		pthread_join(threads[i], NULL);
	s = (now_ms() - from) / 1000;
	if (load->n_refused)
		printf("refused %ld, first: %s %s\n", load->n_refused,
		    err_code_text(load->first.code), load->first.text);
	if (!load->n_answered)
		return err_set(err, ERR_UNAVAILABLE, "nothing was admitted");
	qsort(load->ms, load->n_answered, sizeof(load->ms[0]), compare);
	printf("admitted %zu in %.1f s: %.1f/s, p50 %.0f ms, p99 %.0f ms\n", load->n_answered, s,
	    (double)load->n_answered / s, load->ms[load->n_answered / 2],
	    load->ms[load->n_answered * 99 / 100]);
	return true;
}

/* Many clients: a connection each, out of the pool of one. */
static bool
run_create(struct http_client *http, char **argv, struct err *err)
{
	struct load load = {.http = http, .prefix = argv[3]};
	long long n, n_clients, n_nodes, in_s;
	bool is_good;

	if (!str_to_i64(argv[1], 1, SLICES_MAX, &n) ||
	    !str_to_i64(argv[2], 1, CLIENTS_MAX, &n_clients) ||
	    !str_to_i64(argv[4], 1, NODES_MAX, &n_nodes) ||
	    !str_to_i64(argv[5], 0, SLICES_MAX, &in_s))
		return err_set(err, ERR_USAGE, "N, CLIENTS, NODES and IN_S are numbers");
	load.acknowledged = fopen(argv[0], "ae");
	if (!load.acknowledged)
		return err_set(err, ERR_UNAVAILABLE, "'%s' cannot be written", argv[0]);
	pthread_mutex_init(&load.lock, NULL);
	load.n = (long)n;
	load.n_nodes = (int)n_nodes;
	load.from_ms = in_s ? ((int64_t)time(NULL) + in_s) * 1000 : 0;
	load.ms = xcalloc((size_t)n, sizeof(load.ms[0]));
	is_good = run_clients(&load, (long)n_clients, err);
	free(load.ms);
	pthread_mutex_destroy(&load.lock);
	return fclose(load.acknowledged) == 0 && is_good;
}

/* ---- first ---- */

static bool
run_first(struct http_client *http, struct err *err)
{
	double from = now_ms();
	struct timespec pause_of = {.tv_nsec = 2L * MS};

	do {
		auto_arena struct arena *arena = arena_new();
		struct rpc_client client = client_of(http);
		struct snc_slice_show_args args = {.slice = "no-such-slice"};
		struct snc_slice_show_result result;

		if (snc_slice_show_call(&client, arena, &args, &result, err) ||
		    err->code == ERR_NOT_FOUND) {
			printf("answered after %.0f ms\n", now_ms() - from);
			return true;
		}
		nanosleep(&pause_of, NULL);
	} while (now_ms() - from < CALL_MS);
	return false;
}

/* ---- verify, settle ---- */

struct tally {
	struct map *ids;
	size_t n, n_running;
};

static bool
list_all(struct http_client *http, struct arena *arena, struct tally *tally, struct err *err)
{
	struct rpc_client client = client_of(http);
	struct snc_slice_list_args args = {0};
	struct snc_slice_list_result result;

	do {
		if (!snc_slice_list_call(&client, arena, &args, &result, err))
			return false;
		for (size_t i = 0; i < result.n_slices; i++) {
			tally->n++;
			tally->n_running += str_equal(result.slices[i].state, "RUNNING");
			if (tally->ids)
				map_put(tally->ids, result.slices[i].id, tally->ids);
		}
		args.after = result.next;
	} while (result.next);
	return true;
}

static bool
run_verify(struct http_client *http, const char *path, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	auto_map struct map *ids = map_new();
	struct tally tally = {.ids = ids};
	char id[64], name[64];
	size_t n = 0, n_lost = 0;
	double from = now_ms(), ms;
	FILE *file = fopen(path, "re");

	if (!file)
		return err_set(err, ERR_NOT_FOUND, "'%s' cannot be read", path);
	/* After a start all hosts come back at once, and a handshake waits among theirs. */
	while (!list_all(http, arena, &tally, err)) {
		if (now_ms() - from > CALL_MS) {
			fclose(file);
			return false;
		}
		tally = (struct tally){.ids = ids};
	}
	ms = now_ms() - from;
	while (fscanf(file, "%63s %63s", id, name) == 2) {
		n++;
		n_lost += !map_get(ids, id);
	}
	fclose(file);
	printf("acknowledged %zu, listed %zu after %.0f ms, lost %zu\n", n, tally.n, ms, n_lost);
	return n_lost == 0 || err_set(err, ERR_INTERNAL, "%zu are lost", n_lost);
}

static bool
run_settle(struct http_client *http, const char *seconds, struct err *err)
{
	double from = now_ms();
	long long wait_s;
	struct tally tally;

	if (!str_to_i64(seconds, 1, 100000, &wait_s))
		return err_set(err, ERR_USAGE, "SECONDS is a number");
	do {
		auto_arena struct arena *arena = arena_new();

		tally = (struct tally){0};
		if (!list_all(http, arena, &tally, err))
			return false;
		if (tally.n_running == tally.n) {
			printf("all %zu run after %.1f s\n", tally.n, (now_ms() - from) / 1000);
			return true;
		}
		sleep(1);
	} while (now_ms() - from < (double)wait_s * 1000);
	return err_set(err, ERR_TIMEOUT, "%zu of %zu run", tally.n_running, tally.n);
}

/* ---- hosts, orphans ---- */

static bool
run_hosts(struct http_client *http, const char *wanted, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct rpc_client client = client_of(http);
	struct snc_host_list_result result;
	long long n;
	long long n_up = 0;

	if (!str_to_i64(wanted, 1, SLICES_MAX, &n))
		return err_set(err, ERR_USAGE, "N is a number");
	if (!snc_host_list_call(&client, arena, &(struct snc_host_list_args){}, &result, err))
		return false;
	for (size_t i = 0; i < result.n_hosts; i++)
		n_up += str_equal(result.hosts[i].state, "up") && result.hosts[i].images[0];
	printf("%lld of %lld hosts are up\n", n_up, n);
	return n_up >= n || err_set(err, ERR_UNAVAILABLE, "%lld of %lld hosts are up", n_up, n);
}

static bool
run_orphans(struct http_client *http, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct rpc_client client = client_of(http);
	struct snc_orphans_result result;

	if (!snc_orphans_call(&client, arena, &(struct snc_orphans_args){}, &result, err))
		return false;
	printf("orphans %zu\n", result.n_orphans);
	return !result.n_orphans || err_set(err, ERR_INTERNAL, "%s: %s", result.orphans[0].manager,
					result.orphans[0].line);
}

static bool
run(int argc, char **argv, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct http_client_config config = {.address = "127.0.0.1:7701",
	    .name = "snc.ctl.vnode",
	    .ca_file = arena_format(arena, "%s/ca/ca.crt", argv[0]),
	    .cert_file = arena_format(arena, "%s/snc/noc.crt", argv[0]),
	    .key_file = arena_format(arena, "%s/snc/noc.key", argv[0])};
	struct http_client *http = http_client_new(&config, err);
	bool is_good = false;

	if (!http)
		return false;
	if (argc == 8 && str_equal(argv[1], "create"))
		is_good = run_create(http, argv + 2, err);
	else if (argc == 2 && str_equal(argv[1], "first"))
		is_good = run_first(http, err);
	else if (argc == 3 && str_equal(argv[1], "verify"))
		is_good = run_verify(http, argv[2], err);
	else if (argc == 3 && str_equal(argv[1], "settle"))
		is_good = run_settle(http, argv[2], err);
	else if (argc == 3 && str_equal(argv[1], "hosts"))
		is_good = run_hosts(http, argv[2], err);
	else if (argc == 2 && str_equal(argv[1], "orphans"))
		is_good = run_orphans(http, err);
	else
		(void)err_set(err, ERR_USAGE, "see the head of bench/admissions.c");
	http_client_free(http);
	return is_good;
}

int
main(int argc, char **argv)
{
	struct err err = {0};

	if (argc < 3) {
		fprintf(stderr,
		    "usage: admissions DIR create FILE N CLIENTS PREFIX NODES IN_S | first"
		    " | verify FILE | settle SECONDS | hosts N | orphans\n");
		return 2;
	}
	if (run(argc - 1, argv + 1, &err))
		return 0;
	fprintf(stderr, "admissions: %s\n", err.text);
	return 1;
}
