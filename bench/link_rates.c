/*
 * Do many saturated links together get what they were promised? A host with N link ends of the same
 * rate of own full frames, each offered 1.2 times as much; what came to the router behind the
 * underlay port within SECONDS against the sum of the rates. The first seconds are left out: until
 * then the links have saved up, and their queues fill. link_rates [N [KBPS [SECONDS [RUNS]]]] (1000
 * 200 10 5)
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/link_world.h"
#include "bench/measure.h"
#include "lib/base/str.h"

enum { FRAME = 1514, WIRE = FRAME + 42, WARM_SECONDS = 4, RUNS_MAX = 99, EVERY_NS = 2000000 };

static const double second_ns = 1e9;

/* Sends what is due for that time: frames per second of all links. False: there was not the time.
 */
static bool
offer(struct link_world *world, double pps, double seconds)
{
	long long start = measure_clock(CLOCK_MONOTONIC), now = start;
	double sent = 0;

	while ((double)(now - start) < seconds * second_ns) {
		struct timespec pause = {.tv_nsec = EVERY_NS};

		while (sent < pps * (double)(now - start) / second_ns)
			sent += link_world_send(world);
		nanosleep(&pause, NULL);
		now = measure_clock(CLOCK_MONOTONIC);
	}
	return (double)(now - start) < (seconds + 0.1) * second_ns;
}

/* The sum of what came, as a share of what was promised. */
static double
run(struct link_world *world, double seconds)
{
	double promised = (double)world->config.rate_bps * world->config.n;
	double pps = promised * 1.2 / 8 / WIRE;
	struct link_arrived before, after;
	long long from, to;

	(void)offer(world, pps, WARM_SECONDS);
	before = link_world_arrived(world);
	from = measure_clock(CLOCK_MONOTONIC);
	if (!offer(world, pps, seconds))
		printf("the sender was late: the machine is too busy\n");
	after = link_world_arrived(world);
	to = measure_clock(CLOCK_MONOTONIC);
	return (double)(after.bytes - before.bytes) * 8 * second_ns / (double)(to - from) /
	       promised;
}

static int
by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static bool
tell(double *shares, long long runs)
{
	double error;
	bool is_good;

	qsort(shares, (size_t)runs, sizeof(*shares), by_size);
	error = shares[runs / 2] - 1;
	is_good = error < 0.003 && error > -0.003;
	printf("sum of the rates delivered: median %+.4f%%, least %+.4f%%, most %+.4f%%\n",
	    100 * error, 100 * (shares[0] - 1), 100 * (shares[runs - 1] - 1));
	printf("bar: error of the sum: %.5f (wanted <= 0.003) %s\n", error < 0 ? -error : error,
	    is_good ? "ok" : "missed");
	return is_good;
}

int
main(int argc, char **argv)
{
	static struct link_world world;
	char folder[] = "/tmp/link_rates-XXXXXX";
	long long n = 1000, kbps = 200, seconds = 10, runs = 5;
	struct link_world_config config = {
	    .folder = folder, .frame_bytes = FRAME, .n_same = 1, .port_bps = 100000000000};
	double shares[RUNS_MAX];

	if (argc > 5 || (argc > 1 && !str_to_i64(argv[1], 1, LINK_WORLD_MAX, &n)) ||
	    (argc > 2 && !str_to_i64(argv[2], 8, 1000000, &kbps)) ||
	    (argc > 3 && !str_to_i64(argv[3], 1, 3600, &seconds)) ||
	    (argc > 4 && !str_to_i64(argv[4], 1, RUNS_MAX, &runs))) {
		fprintf(stderr, "usage: link_rates [N [KBPS [SECONDS [RUNS]]]]\n");
		return 2;
	}
	config.n = (uint32_t)n;
	config.rate_bps = config.ceil_bps = (uint64_t)kbps * 1000 * WIRE / FRAME;
	link_world_prepare(folder);
	link_world_make(&world, &config);
	link_world_put(&world);
	for (long long i = 0; i < runs; i++)
		shares[i] = run(&world, (double)seconds);
	link_world_done(&world);
	rmdir(folder);
	return tell(shares, runs) ? EXIT_SUCCESS : EXIT_FAILURE;
}
