/*
 * On-line embedding: takes the requests of a file in the order of arrival, frees what has left by
 * then, places each with the search that sncd uses and its budget, and prints the solution. What it
 * comes to goes to stderr: acceptance (RAC, percent), revenue to cost over life (LRC), revenue
 * times life by time (LAR), and the milliseconds of processor time that a request took.
 *     embed FILE.vne [--budget-ms N] [--admission all|many] [--seed N]
 * --budget-ms N gives each request N ms in place of sncd's budget, which is work. --admission all,
 * as sncd does it at first, takes every request that has a place; many refuses some, as sncd does
 * with [snc] admission=many: snc/admission.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/vne.h"
#include "lib/base/str.h"
#include "snc/admission.h"
#include "snc/embed.h"

struct placed {
	struct arena *arena; /* of the answer; NULL = rejected, or left again */
	struct core_request request;
	struct core_answer answer;
};

struct replay {
	struct vne *vne;
	struct placed *placed; /* by request */
	double *took_ms;
	size_t n_accepted;
	double revenue, cost;
	int64_t budget_ms; /* 0 = sncd's budget */
	uint64_t seed;
	double asked_for; /* by all so far: admission_weight */
	size_t n_asked;
	enum admission_policy admission;
};

/* Processor time, as the machine may have other things to do. */
static int64_t
processor_ms(void *self)
{
	struct timespec now;

	(void)self;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static double
processor_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void
leave(struct replay *replay, double time)
{
	for (size_t i = 0; i < replay->vne->n_requests; i++) {
		const struct vne_request *request = &replay->vne->requests[i];
		struct placed *placed = &replay->placed[i];

		if (!placed->arena || request->arrival + request->life >= time)
			continue;
		core_take(&replay->vne->net, &placed->request, &placed->answer, -1);
		arena_free(placed->arena);
		placed->arena = NULL;
	}
}

static void
print(const struct replay *replay, size_t at)
{
	const struct vne_request *request = &replay->vne->requests[at];
	const struct core_answer *answer = &replay->placed[at].answer;

	printf("a %ld\n", request->id);
	for (size_t i = 0; i < request->n_nodes; i++)
		printf("n %zu %u\n", i, answer->hosts[i]);
	for (size_t i = 0; i < request->n_links; i++) {
		const struct core_link *link = &request->links[i];
		const struct core_path *path = &answer->paths[i];

		printf("p %u %u %u", link->a, link->b, answer->hosts[link->a]);
		for (size_t k = 0; k < path->n_arcs; k++)
			printf(" %u", replay->vne->net.arcs[path->arcs[k]].to);
		printf("\n");
	}
}

static void
account(struct replay *replay, size_t at)
{
	const struct vne_request *request = &replay->vne->requests[at];
	double cost = request->revenue;

	for (size_t i = 0; i < request->n_links; i++)
		cost += (double)request->links[i].up / VNE_UNITS *
			((double)replay->placed[at].answer.paths[i].n_arcs - 1);
	replay->n_accepted++;
	replay->revenue += request->revenue * request->life;
	replay->cost += cost * request->life;
}

/* On the paths of an answer; without one every link takes one hop. */
static struct admission_amounts
sum_request(const struct core_request *request, const struct core_answer *answer)
{
	struct admission_amounts sum = {{0}};

	for (size_t i = 0; i < request->n_nodes; i++)
		sum.of[ADMISSION_CPU] += (double)request->nodes[i].wants[0];
	for (size_t i = 0; i < request->n_links; i++)
		sum.of[ADMISSION_RATE] += (double)(request->links[i].up + request->links[i].down) *
					  (answer ? (double)answer->paths[i].n_arcs : 1);
	return sum;
}

static void
sum_net(const struct core_net *net, struct admission_case *asked)
{
	for (size_t i = 0; i < net->n_hosts; i++) {
		const struct core_host *host = &net->hosts[i];

		asked->size.of[ADMISSION_CPU] += (double)host->size[0];
		asked->used.of[ADMISSION_CPU] += (double)(host->size[0] - host->room[0]);
	}
	for (size_t i = 0; i < net->n_slots; i++) {
		const struct core_slot *slot = &net->slots[i];

		asked->size.of[ADMISSION_RATE] += (double)slot->size;
		asked->used.of[ADMISSION_RATE] += (double)(slot->size - slot->free);
	}
}

/* All that ask count for what is much, those without a place too. */
static bool
is_admitted(struct replay *replay, const struct placed *placed, bool is_placed, double life)
{
	struct admission_case asked = {
	    .asked = sum_request(&placed->request, NULL),
	    .life = life,
	    .others = replay->asked_for,
	    .n_others = replay->n_asked,
	};

	if (replay->admission == ADMISSION_ALL)
		return is_placed;
	sum_net(&replay->vne->net, &asked);
	replay->asked_for += admission_weight(&asked);
	replay->n_asked++;
	if (!is_placed)
		return false;
	asked.takes = sum_request(&placed->request, &placed->answer);
	return admission_part(&asked) >= 1;
}

static void
arrive(struct replay *replay, size_t at)
{
	static const struct clock clock = {processor_ms, processor_ms, NULL};
	const struct vne_request *from = &replay->vne->requests[at];
	struct placed *placed = &replay->placed[at];
	double start = processor_now();
	int64_t now_ms = processor_ms(NULL);
	bool is_taken;

	placed->arena = arena_new();
	placed->request = (struct core_request){.nodes = from->nodes,
	    .n_nodes = from->n_nodes,
	    .links = from->links,
	    .n_links = from->n_links,
	    .seed = replay->seed,
	    .search_steps = replay->budget_ms ? UINT32_MAX : EMBED_SEARCH_STEPS,
	    .improve_steps = replay->budget_ms ? INT64_MAX : EMBED_IMPROVE_STEPS,
	    .clock = &clock,
	    .deadline_ms = now_ms + (replay->budget_ms ? replay->budget_ms : EMBED_SEARCH_MS)};
	is_taken = core_solve(&replay->vne->net, &placed->request, placed->arena, &placed->answer);
	if (is_admitted(replay, placed, is_taken, from->life)) {
		core_take(&replay->vne->net, &placed->request, &placed->answer, 1);
		print(replay, at);
		account(replay, at);
	} else {
		arena_free(placed->arena);
		placed->arena = NULL;
	}
	replay->took_ms[at] = processor_now() - start;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
report(const struct replay *replay)
{
	size_t n = replay->vne->n_requests;
	double last = 0;

	for (size_t i = 0; i < n; i++)
		if (replay->vne->requests[i].arrival > last)
			last = replay->vne->requests[i].arrival;
	qsort(replay->took_ms, n, sizeof(replay->took_ms[0]), by_size);
	fprintf(stderr,
	    "accepted %zu/%zu RAC %.2f LRC %.4f LAR %.2f ms p50 %.2f p99 %.2f max %.2f\n",
	    replay->n_accepted, n, 100.0 * (double)replay->n_accepted / (double)n,
	    replay->cost > 0 ? replay->revenue / replay->cost : 0,
	    last > 0 ? replay->revenue / last : 0, replay->took_ms[n / 2],
	    replay->took_ms[n * 99 / 100], replay->took_ms[n - 1]);
}

static bool
read_options(struct replay *replay, char **argv, int argc)
{
	for (int i = 0; i + 1 < argc; i += 2) {
		long long number;

		if (str_equal(argv[i], "--admission")) {
			struct err why;

			if (!admission_parse(argv[i + 1], &replay->admission, &why))
				return false;
			continue;
		}
		if (!str_to_i64(argv[i + 1], 0, 1000000, &number))
			return false;
		if (str_equal(argv[i], "--budget-ms"))
			replay->budget_ms = number;
		else if (str_equal(argv[i], "--seed"))
			replay->seed = (uint64_t)number;
		else
			return false;
	}
	return argc % 2 == 0;
}

int
main(int argc, char **argv)
{
	auto_arena struct arena *arena = arena_new();
	struct replay replay = {0};
	size_t n;

	if (argc < 2 || !read_options(&replay, argv + 2, argc - 2)) {
		fprintf(stderr, "usage: embed FILE.vne [--budget-ms N] "
				"[--admission all|many] [--seed N]\n");
		return 2;
	}
	replay.vne = vne_read(argv[1], arena);
	n = replay.vne->n_requests;
	replay.placed = arena_alloc(arena, n * sizeof(replay.placed[0]));
	replay.took_ms = arena_alloc(arena, n * sizeof(replay.took_ms[0]));
	for (size_t i = 0; i < n; i++) {
		leave(&replay, replay.vne->requests[i].arrival);
		arrive(&replay, i);
	}
	report(&replay);
	for (size_t i = 0; i < n; i++)
		arena_free(replay.placed[i].arena);
	return 0;
}
