/*
 * Traffic for the benches of the data plane: numbered, time-stamped UDP frames of exact size, put
 * on devices of this network namespace without a qdisc, and what is needed to count them.
 *
 *     frames blast SIZE SECONDS DEVICE…       as many as one core can send
 *     frames send SIZE PPS SECONDS DEVICE…    so many a second in all, the devices in turn
 *     frames burst SIZE PPS MS SECONDS DEVICE…  the same on average, but once in MS all at once
 *     frames count SILENCE_MS DEVICE          numbers and delays of what comes, until nothing does
 *     frames rates EVERY_MS SAMPLES DEVICE…   lines "ns bytes frames …" of what devices received
 *     frames drop DEVICE                      all that arrives there is counted and dropped from
 * now on SIZE: bytes with the Ethernet header. Results are lines NAME=VALUE; cpu_ns: processor time
 * of the sender, all that the kernel does in it included.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/measure.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/net/bpf.h"

enum {
	BATCH = 64,
	DEVICES_MAX = 2048,
	FRAME_MAX = 1514,
	HEADERS = ETH_HLEN + 20 + 8,
	FRAME_MIN = HEADERS + 16 + 2,
	DELAYS_MAX = 8 * 1000 * 1000,
	PORT_DISCARD = 9,
	QUEUED_BYTES = 256 * 1024 * 1024, /* more than any queue on the way holds */
	NS_MS = 1000 * 1000,
	STALL_NS = 20 * NS_MS,
};

static const long long NS_S = 1000LL * NS_MS;

/* Behind the headers of each frame. */
struct stamp {
	uint64_t number;
	uint64_t sent_ns;
} __attribute__((packed));

struct sender {
	int fd;
	size_t size;
	int n_devices;
	struct sockaddr_ll devices[DEVICES_MAX];
	unsigned char frames[BATCH][FRAME_MAX];
	struct iovec vectors[BATCH];
	struct mmsghdr messages[BATCH];
	uint64_t sent;
};

struct seen {
	uint64_t received, next, late;
	uint32_t *delays_us;
	size_t n_delays;
	double jitter_us; /* sum of the differences of neighbours */
};

static volatile sig_atomic_t is_over;

static void
over(int signal)
{
	(void)signal;
	is_over = 1;
}

static bool
failed(const char *what)
{
	fprintf(stderr, "frames: %s: %s\n", what, strerror(errno));
	return false;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* Ethernet, IPv4 and UDP to nobody: whoever gets the frame leaves it alone. */
static bool
sender_open(struct sender *sender, long long size, char **names, int n_names)
{
	int one = 1, bytes = QUEUED_BYTES;

	sender->size = (size_t)size;
	sender->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (sender->fd < 0 ||
	    setsockopt(sender->fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) ||
	    setsockopt(sender->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)))
		return failed("opening the sender");
	for (; sender->n_devices < n_names; sender->n_devices++) {
		struct sockaddr_ll *device = &sender->devices[sender->n_devices];

		device->sll_family = AF_PACKET;
		device->sll_ifindex = (int)if_nametoindex(names[sender->n_devices]);
		if (!device->sll_ifindex)
			return failed(names[sender->n_devices]);
	}
	for (size_t i = 0; i < BATCH; i++) {
		struct msghdr *header = &sender->messages[i].msg_hdr;

		measure_frame(sender->frames[i], sender->size);
		sender->vectors[i] = (struct iovec){sender->frames[i], sender->size};
		header->msg_iov = &sender->vectors[i];
		header->msg_iovlen = 1;
		header->msg_namelen = sizeof(struct sockaddr_ll);
	}
	return true;
}

/* The next `n` frames, at most BATCH. False: the device took none. */
static bool
sender_put(struct sender *sender, unsigned n)
{
	struct stamp stamp = {.sent_ns = (uint64_t)measure_clock(CLOCK_MONOTONIC)};
	int got;

	for (unsigned i = 0; i < n; i++) {
		stamp.number = sender->sent + i;
		memcpy(sender->frames[i] + HEADERS, &stamp, sizeof(stamp));
		sender->messages[i].msg_hdr.msg_name =
		    &sender->devices[stamp.number % (uint64_t)sender->n_devices];
	}
	got = sendmmsg(sender->fd, sender->messages, n, 0);
	if (got > 0)
		sender->sent += (uint64_t)got;
	return got > 0;
}

static void
sender_report(const struct sender *sender, long long wall_ns)
{
	printf("sent=%llu\ncpu_ns=%lld\nwall_ns=%lld\n", (unsigned long long)sender->sent,
	    measure_clock(CLOCK_PROCESS_CPUTIME_ID), wall_ns);
}

static bool
blast(struct sender *sender, long long seconds)
{
	long long start = measure_clock(CLOCK_MONOTONIC), now = start;

	for (; !is_over && now < start + seconds * NS_S; now = measure_clock(CLOCK_MONOTONIC))
		if (!sender_put(sender, BATCH))
			return failed("sending");
	sender_report(sender, now - start);
	return true;
}

/* All frames that are due. */
static bool
catch_up(struct sender *sender, uint64_t due)
{
	while (sender->sent < due) {
		uint64_t left = due - sender->sent;

		if (!sender_put(sender, (unsigned)(left < BATCH ? left : BATCH)))
			return failed("sending");
	}
	return true;
}

/* What is due is sent every `every_ns`. Time in which the machine let us wait is left out. */
static bool
paced(struct sender *sender, long long pps, long long every_ns, long long seconds)
{
	long long begin = measure_clock(CLOCK_MONOTONIC), start = begin, now = begin, at = begin;

	while (!is_over && now < start + seconds * NS_S) {
		struct timespec pause = {.tv_sec = at / NS_S, .tv_nsec = at % NS_S};

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &pause, NULL);
		now = measure_clock(CLOCK_MONOTONIC);
		if (now - at > every_ns + STALL_NS)
			start += now - at;
		if (!catch_up(
			sender, (uint64_t)((double)pps * (double)(now - start) / (double)NS_S)))
			return false;
		at += (now - at) / every_ns * every_ns + every_ns;
	}
	sender_report(sender, now - begin);
	return true;
}

/* ---- receiving ------------------------------------------------------------------------------- */

static int
receiver_open(const char *name)
{
	struct sockaddr_ll address = {
	    .sll_family = AF_PACKET,
	    .sll_protocol = htons(ETH_P_IP),
	    .sll_ifindex = (int)if_nametoindex(name),
	};
	int bytes = QUEUED_BYTES, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || !address.sll_ifindex ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		failed(name);
		return -1;
	}
	return fd;
}

static void
seen_frame(struct seen *seen, const unsigned char *frame, size_t size, uint64_t now)
{
	struct udphdr udp;
	struct stamp stamp;

	if (size < FRAME_MIN)
		return;
	memcpy(&udp, frame + HEADERS - sizeof(udp), sizeof(udp));
	memcpy(&stamp, frame + HEADERS, sizeof(stamp));
	if (udp.dest != htons(PORT_DISCARD) || frame[ETH_HLEN + 9] != IPPROTO_UDP)
		return;
	seen->received++;
	if (stamp.number < seen->next)
		seen->late++;
	else
		seen->next = stamp.number + 1;
	if (seen->n_delays < DELAYS_MAX) {
		uint32_t delay = (uint32_t)((now - stamp.sent_ns) / 1000);
		uint32_t last = seen->n_delays ? seen->delays_us[seen->n_delays - 1] : delay;

		seen->jitter_us += delay > last ? delay - last : last - delay;
		seen->delays_us[seen->n_delays++] = delay;
	}
}

static int
by_size(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

/* `late`: came behind one with a higher number, or twice. */
static void
seen_report(struct seen *seen)
{
	size_t n = seen->n_delays;

	printf("received=%llu\nhighest=%llu\nlate=%llu\n", (unsigned long long)seen->received,
	    (unsigned long long)seen->next, (unsigned long long)seen->late);
	if (!n)
		return;
	qsort(seen->delays_us, n, sizeof(*seen->delays_us), by_size);
	printf("delay_p50_us=%u\ndelay_p99_us=%u\ndelay_max_us=%u\njitter_us=%.1f\n",
	    seen->delays_us[n / 2], seen->delays_us[n * 99 / 100], seen->delays_us[n - 1],
	    seen->jitter_us / (double)n);
}

static bool
count(const char *name, long long silence_ms)
{
	static unsigned char frames[BATCH][FRAME_MAX];
	struct mmsghdr messages[BATCH] = {0};
	struct iovec vectors[BATCH];
	struct pollfd poll_fd = {.fd = receiver_open(name), .events = POLLIN};
	struct seen seen = {0};

	if (poll_fd.fd < 0)
		return false;
	seen.delays_us = xcalloc(DELAYS_MAX, sizeof(*seen.delays_us));
	for (size_t i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){frames[i], FRAME_MAX};
		messages[i].msg_hdr.msg_iov = &vectors[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	printf("ready\n");
	fflush(stdout);
	while (poll(&poll_fd, 1, seen.received ? (int)silence_ms : -1) > 0) {
		int got = recvmmsg(poll_fd.fd, messages, BATCH, MSG_DONTWAIT, NULL);
		uint64_t now = (uint64_t)measure_clock(CLOCK_MONOTONIC);

		for (int i = 0; i < got; i++)
			seen_frame(&seen, frames[i], messages[i].msg_len, now);
	}
	seen_report(&seen);
	free(seen.delays_us);
	return true;
}

/* ---- counters of devices --------------------------------------------------------------------- */

static void
rates_line(char *line, char **names, int n_names, unsigned long long (*sums)[2])
{
	char *colon = strchr(line, ':'), *name = line + strspn(line, " ");

	if (!colon)
		return;
	*colon = '\0';
	for (int i = 0; i < n_names; i++)
		if (str_equal(name, names[i]))
			measure_counts(colon + 1, sums[i]);
}

/* One moment for all devices: the kernel prints them in one go. */
static bool
rates_sample(char **names, int n_names)
{
	static unsigned long long sums[DEVICES_MAX][2];
	FILE *file = fopen("/proc/thread-self/net/dev", "re");
	char line[512];

	if (!file)
		return failed("/proc/net/dev");
	setvbuf(file, NULL, _IOFBF, 1 << 20);
	printf("%lld", measure_clock(CLOCK_MONOTONIC));
	while (fgets(line, sizeof(line), file))
		rates_line(line, names, n_names, sums);
	fclose(file);
	for (int i = 0; i < n_names; i++)
		printf(" %llu %llu", sums[i][0], sums[i][1]);
	printf("\n");
	return true;
}

static bool
rates(long long every_ms, long long samples, char **names, int n_names)
{
	long long at = measure_clock(CLOCK_MONOTONIC);

	for (long long i = 0; i < samples; i++, at += every_ms * NS_MS) {
		struct timespec pause = {.tv_sec = at / NS_S, .tv_nsec = at % NS_S};

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &pause, NULL);
		if (!rates_sample(names, n_names))
			return false;
	}
	return true;
}

/* ---- a sink ---------------------------------------------------------------------------------- */

static bool
drop(const char *name)
{
	uint32_t device = if_nametoindex(name);
	struct err err = {0};
	struct netlink *netlink = netlink_new(&err);
	int program = measure_sink();
	bool is_good = device && netlink && program >= 0 &&
		       bpf_ingress_attach(netlink, device, program, BPF_HOOK_AUTO, &err);

	if (!is_good)
		fprintf(stderr, "frames: cannot drop at '%s': %s\n", name, err.text);
	netlink_free(netlink);
	return is_good;
}

/* ---- the command line ------------------------------------------------------------------------ */

static int
usage(void)
{
	fprintf(stderr, "usage: frames blast SIZE SECONDS DEVICE... | send SIZE PPS SECONDS "
			"DEVICE... | burst SIZE PPS MS SECONDS DEVICE...\n"
			"       frames count SILENCE_MS DEVICE | rates EVERY_MS SAMPLES DEVICE... "
			"| drop DEVICE\n");
	return 2;
}

/* How many numbers a verb takes; -1: there is no such verb. */
static int
numbers_of(const char *verb)
{
	static const struct {
		const char *verb;
		int n;
	} verbs[] = {
	    {"blast", 2}, {"send", 3}, {"burst", 4}, {"count", 1}, {"rates", 2}, {"drop", 0}};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (str_equal(verb, verbs[i].verb))
			return verbs[i].n;
	return -1;
}

static bool
run_sender(const char *verb, const long long *numbers, char **devices, int n_devices)
{
	static struct sender sender;

	if (numbers[0] < FRAME_MIN || numbers[0] > FRAME_MAX ||
	    !sender_open(&sender, numbers[0], devices, n_devices))
		return false;
	signal(SIGTERM, over);
	if (str_equal(verb, "blast"))
		return blast(&sender, numbers[1]);
	if (str_equal(verb, "send"))
		return paced(&sender, numbers[1], NS_MS, numbers[2]);
	return paced(&sender, numbers[1], numbers[2] * NS_MS, numbers[3]);
}

int
main(int argc, char **argv)
{
	int n_numbers = argc > 1 ? numbers_of(argv[1]) : -1, n_devices = argc - 2 - n_numbers;
	long long numbers[4] = {0};
	char **devices = argv + 2 + n_numbers;
	bool is_good;

	if (n_numbers < 0 || n_devices < 1 || n_devices > DEVICES_MAX)
		return usage();
	for (int i = 0; i < n_numbers; i++)
		if (!str_to_i64(argv[2 + i], 1, 1000000000, &numbers[i]))
			return usage();
	if (str_equal(argv[1], "count"))
		is_good = count(devices[0], numbers[0]);
	else if (str_equal(argv[1], "rates"))
		is_good = rates(numbers[0], numbers[1], devices, n_devices);
	else if (str_equal(argv[1], "drop"))
		is_good = drop(devices[0]);
	else
		is_good = run_sender(argv[1], numbers, devices, n_devices);
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
