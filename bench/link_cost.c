/*
 * Does a frame cost more where there are many links? Two hosts side by side in network namespaces,
 * one with 10 link ends, one with N, each link end on a veth port of its own and with its own class
 * of the shaper, made by redirectord's driver and shaper. Frames of 60 bytes are sent from inside
 * the containers, every frame by another link than the one before, and all links in turn: what a
 * frame needs of its link is not in the processor's caches when there are many. They are
 * encapsulated, shaped, and dropped and counted at the router behind the underlay port. link_cost
 * [N [ROUNDS [MS]]]      (10000 7 400) ns per frame: processor time of the sender and ksoftirqd.
 * The same frames dropped as they enter their ports (no redirector) tell what the sender and so
 * many veths cost by themselves. 250 containers' ends share a network namespace: 10,000 of those
 * would be a bench of their own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/link_world.h"
#include "bench/measure.h"
#include "lib/base/str.h"

enum { FEW = 10, SIZE = 60, ROUNDS_MAX = 99 };

static const uint64_t port_bps = 100000000000;

/* A host and what was measured there. */
struct side {
	struct link_world world;
	double link_ns[ROUNDS_MAX], veth_ns[ROUNDS_MAX];
};

static double
blast(struct link_world *world, long long ms, bool is_counted)
{
	long long end, cpu = measure_clock(CLOCK_PROCESS_CPUTIME_ID) + measure_ksoftirqd();
	unsigned long long n = 0, before = link_world_arrived(world).frames;

	end = measure_clock(CLOCK_MONOTONIC) + ms * 1000000;
	while (measure_clock(CLOCK_MONOTONIC) < end)
		n += link_world_send(world);
	cpu = measure_clock(CLOCK_PROCESS_CPUTIME_ID) + measure_ksoftirqd() - cpu;
	if (is_counted)
		n = link_world_arrived(world).frames - before;
	return (double)cpu / (double)n;
}

static void
measure(struct side *side, int round, long long ms)
{
	link_world_put(&side->world);
	side->link_ns[round] = blast(&side->world, ms, true);
	link_world_sink(&side->world);
	side->veth_ns[round] = blast(&side->world, ms, false);
}

/* ---- telling --------------------------------------------------------------------------------- */

static int
by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double
median(const double *values, int n)
{
	double sorted[ROUNDS_MAX];

	memcpy(sorted, values, (size_t)n * sizeof(*values));
	qsort(sorted, (size_t)n, sizeof(*sorted), by_size);
	return sorted[n / 2];
}

static double
ratio(const double *a, const double *b, int n)
{
	double ratios[ROUNDS_MAX];

	for (int i = 0; i < n; i++)
		ratios[i] = a[i] / b[i];
	return median(ratios, n);
}

static bool
bar(const char *what, double value)
{
	bool is_good = value <= 1.1;

	printf("bar: %s: %.3f (wanted <= 1.1) %s\n", what, value, is_good ? "ok" : "missed");
	return is_good;
}

static bool
tell(const struct side *few, const struct side *many, int rounds)
{
	double links = ratio(many->link_ns, few->link_ns, rounds);
	double veths = ratio(many->veth_ns, few->veth_ns, rounds);

	printf("links   ns per frame: veth alone   encapsulate + shape   ratio\n");
	for (const struct side *side = few; side; side = side == few ? many : NULL)
		printf("%6u %25.0f %21.0f %7.3f\n", side->world.config.n,
		    median(side->veth_ns, rounds), median(side->link_ns, rounds),
		    ratio(side->link_ns, side->veth_ns, rounds));
	printf("veth alone, many / few: %.3f\n", veths);
	(void)bar("encapsulate + shape beside what veths cost, many / few", links / veths);
	return bar("encapsulate + shape, many / few", links);
}

static void
side_make(struct side *side, uint32_t n, uint32_t burst, const char *folder)
{
	struct link_world_config config = {
	    .folder = folder,
	    .n = n,
	    .frame_bytes = SIZE,
	    .n_same = burst,
	    .rate_bps = port_bps / 2 / n,
	    .ceil_bps = port_bps,
	    .port_bps = port_bps,
	};

	link_world_make(&side->world, &config);
}

int
main(int argc, char **argv)
{
	static struct side few, many;
	char folder[] = "/tmp/link_cost-XXXXXX";
	long long n = 10000, rounds = 7, ms = 400, burst = 1;
	bool is_good;

	if (argc > 5 || (argc > 1 && !str_to_i64(argv[1], FEW, LINK_WORLD_MAX, &n)) ||
	    (argc > 2 && !str_to_i64(argv[2], 1, ROUNDS_MAX, &rounds)) ||
	    (argc > 3 && !str_to_i64(argv[3], 1, 60000, &ms)) ||
	    (argc > 4 && !str_to_i64(argv[4], 1, LINK_BATCH, &burst))) {
		fprintf(stderr, "usage: link_cost [N [ROUNDS [MS [BURST]]]]\n");
		return 2;
	}
	link_world_prepare(folder);
	side_make(&few, FEW, (uint32_t)burst, folder);
	side_make(&many, (uint32_t)n, (uint32_t)burst, folder);
	for (int i = 0; i < rounds; i++) {
		measure(&few, i, ms);
		measure(&many, i, ms);
	}
	is_good = tell(&few, &many, (int)rounds);
	link_world_done(&few.world);
	link_world_done(&many.world);
	rmdir(folder);
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
