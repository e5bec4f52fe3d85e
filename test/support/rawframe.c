/*
 * Frames of any EtherType with random payload, to be sent at one end of a virtual link and compared
 * at the other.
 *
 *     rawframe send DEVICE ETHERTYPE SIZE COUNT SEED   SIZE: payload bytes behind the type
 *     rawframe receive DEVICE ETHERTYPE SIZE COUNT SEED TIMEOUT_MS
 * ETHERTYPE in hex; "TAG:ETHERTYPE" puts an 802.1Q tag with that (decimal) VLAN in front. Both ends
 * compute the same payload from SEED. receive prints "ready" when it listens, then "ok COUNT", and
 * fails when a frame is missing, changed, of another length, or out of order.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/str.h"

enum { SPACE = 70000, ADDRESSES = 12, TAG = 4 };

struct job {
	int fd;
	unsigned tag; /* 0 = none */
	unsigned type;
	long long size, count, seed, timeout_ms;
};

static const unsigned char addresses[ADDRESSES] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0x11, 0x22, 0x33, 0x44, 0x55};

/* The n-th frame: addresses, type and payload; a tag is put in by `send` alone. */
static size_t
frame_make(const struct job *job, long long n, unsigned char *frame)
{
	unsigned long long value = (unsigned long long)job->seed * 2654435761u + (unsigned)n;
	size_t at = ADDRESSES;

	memcpy(frame, addresses, ADDRESSES);
	frame[at++] = (unsigned char)(job->type >> 8);
	frame[at++] = (unsigned char)job->type;
	for (long long i = 0; i < job->size; i++) {
		value = value * 6364136223846793005u + 1442695040888963407u;
		frame[at++] = (unsigned char)(value >> 56);
	}
	return at;
}

static size_t
tag_insert(const struct job *job, unsigned char *frame, size_t size)
{
	if (!job->tag)
		return size;
	memmove(frame + ADDRESSES + TAG, frame + ADDRESSES, size - ADDRESSES);
	frame[12] = 0x81;
	frame[13] = 0;
	frame[14] = (unsigned char)(job->tag >> 8);
	frame[15] = (unsigned char)job->tag;
	return size + TAG;
}

static int
send_all(const struct job *job)
{
	static unsigned char frame[SPACE];

	for (long long n = 0; n < job->count; n++) {
		size_t size = tag_insert(job, frame, frame_make(job, n, frame));

		if (send(job->fd, frame, size, 0) != (ssize_t)size) {
			fprintf(stderr, "send: %s\n", strerror(errno));
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}

/* One frame as it was on the wire: the kernel hands the tag beside it. -1 at the timeout. */
static ssize_t
receive_one(const struct job *job, void *frame, unsigned *tag)
{
	struct pollfd poll_fd = {.fd = job->fd, .events = POLLIN};
	struct iovec vector = {.iov_base = frame, .iov_len = SPACE};

	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct msghdr message = {
	    .msg_iov = &vector,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control),
	};
	struct cmsghdr *part;
	ssize_t got;

	*tag = 0;
	if (poll(&poll_fd, 1, (int)job->timeout_ms) <= 0)
		return -1;
	got = recvmsg(job->fd, &message, 0);
	for (part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
		struct tpacket_auxdata beside;

		if (part->cmsg_level != SOL_PACKET || part->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&beside, CMSG_DATA(part), sizeof(beside));
		if (beside.tp_status & TP_STATUS_VLAN_VALID)
			*tag = beside.tp_vlan_tci;
	}
	return got;
}

static int
receive_all(const struct job *job)
{
	static unsigned char frame[SPACE], wanted[SPACE];
	long long n = 0;

	printf("ready\n");
	fflush(stdout);
	while (n < job->count) {
		unsigned tag;
		ssize_t got = receive_one(job, frame, &tag);
		size_t size = frame_make(job, n, wanted);

		if (got < 0) {
			fprintf(stderr, "only %lld of %lld frames came\n", n, job->count);
			return EXIT_FAILURE;
		}
		/* Others may speak on the link, too. */
		if (memcmp(frame, addresses, ADDRESSES) != 0)
			continue;
		if ((size_t)got != size || memcmp(frame, wanted, size) != 0 || tag != job->tag) {
			fprintf(stderr, "frame %lld differs: %zd bytes of %zu, tag %u of %u\n", n,
			    got, size, tag, job->tag);
			return EXIT_FAILURE;
		}
		n++;
	}
	printf("ok %lld\n", n);
	return EXIT_SUCCESS;
}

static bool
open_device(struct job *job, const char *device, bool is_receiver)
{
	struct sockaddr_ll address = {
	    .sll_family = AF_PACKET,
	    .sll_protocol = htons((unsigned short)(is_receiver ? job->type : 0)),
	    .sll_ifindex = (int)if_nametoindex(device),
	};
	int one = 1, bytes = 64 * 1024 * 1024;

	/* A tagged frame is matched by its tag while the tag is beside it, so take all then. */
	if (is_receiver && job->tag)
		address.sll_protocol = htons(ETH_P_ALL);
	job->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	return address.sll_ifindex && job->fd >= 0 &&
	       !setsockopt(job->fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) &&
	       (!setsockopt(job->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) ||
		   !setsockopt(job->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes))) &&
	       !bind(job->fd, (struct sockaddr *)&address, sizeof(address));
}

static bool
read_type(struct job *job, const char *text)
{
	const char *colon = strchr(text, ':');
	char *end;

	job->tag = colon ? (unsigned)strtoul(text, NULL, 10) : 0;
	job->type = (unsigned)strtoul(colon ? colon + 1 : text, &end, 16);
	return !*end && job->type > 0 && job->type <= 0xffff;
}

int
main(int argc, char **argv)
{
	bool is_receiver = argc == 8 && !strcmp(argv[1], "receive");
	struct job job = {0};

	if ((!is_receiver && (argc != 7 || strcmp(argv[1], "send") != 0)) ||
	    !read_type(&job, argv[3]) || !str_to_i64(argv[4], 0, SPACE - 64, &job.size) ||
	    !str_to_i64(argv[5], 1, 1000000000, &job.count) ||
	    !str_to_i64(argv[6], 0, 1000000000, &job.seed) ||
	    (is_receiver && !str_to_i64(argv[7], 1, 3600000, &job.timeout_ms))) {
		fprintf(stderr, "usage: rawframe send|receive DEVICE [VLAN:]ETHERTYPE SIZE COUNT "
				"SEED [TIMEOUT_MS]\n");
		return 2;
	}
	if (!open_device(&job, argv[2], is_receiver)) {
		fprintf(stderr, "device '%s': %s\n", argv[2], strerror(errno));
		return EXIT_FAILURE;
	}
	return is_receiver ? receive_all(&job) : send_all(&job);
}
