/*
 * Frames of any EtherType, sent and received as they are; part of the test images.
 *
 *     rawframe send DEVICE ETHERTYPE SEED SIZE      one broadcast frame, SIZE pseudo-random bytes
 *     rawframe receive DEVICE ETHERTYPE COUNT SECONDS
 * Each frame's payload is printed in hexadecimal, a line a frame.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { MAX_FRAME = 9000 };

static int open_device(const char *device, uint16_t type);
static int send_frame(int fd, uint16_t type, uint64_t seed, size_t size);
static int receive_frames(int fd, long count, long seconds);

static int
number(const char *text, long max, long *value)
{
	char *end;

	errno = 0;
	*value = strtol(text, &end, 0);
	return !errno && !*end && end != text && *value >= 0 && *value <= max;
}

int
main(int argc, char **argv)
{
	long type, first, second;
	int fd;

	if (argc != 6 || !number(argv[3], UINT16_MAX, &type) ||
	    !number(argv[4], INT32_MAX, &first) || !number(argv[5], MAX_FRAME, &second)) {
		fprintf(stderr, "usage: rawframe send DEVICE ETHERTYPE SEED SIZE\n"
				"       rawframe receive DEVICE ETHERTYPE COUNT SECONDS\n");
		return 2;
	}
	fd = open_device(argv[2], (uint16_t)type);
	if (fd < 0) {
		perror(argv[2]);
		return 1;
	}
	if (strcmp(argv[1], "send") == 0)
		return send_frame(fd, (uint16_t)type, (uint64_t)first, (size_t)second);
	return receive_frames(fd, first, second);
}

static int
open_device(const char *device, uint16_t type)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(type)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(type));

	address.sll_ifindex = (int)if_nametoindex(device);
	if (fd < 0 || !address.sll_ifindex ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return -1;
	return fd;
}

static void
print_payload(const uint8_t *frame, size_t size)
{
	for (size_t i = ETH_HLEN; i < size; i++)
		printf("%02x", frame[i]);
	printf("\n");
	fflush(stdout);
}

/* The source address has the local bit set and says nothing about the device. */
static int
send_frame(int fd, uint16_t type, uint64_t seed, size_t size)
{
	uint8_t frame[ETH_HLEN + MAX_FRAME] = {
	    255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, (uint8_t)(type >> 8), (uint8_t)type};
	uint64_t state = seed * 2 + 1;

	for (size_t i = 0; i < size; i++) {
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		frame[ETH_HLEN + i] = (uint8_t)(state >> 56);
	}
	if (send(fd, frame, ETH_HLEN + size, 0) < 0) {
		perror("send");
		return 1;
	}
	print_payload(frame, ETH_HLEN + size);
	return 0;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int
receive_frames(int fd, long count, long seconds)
{
	uint8_t frame[ETH_HLEN + MAX_FRAME];
	int64_t end = now_ms() + seconds * 1000;

	while (count > 0) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		struct sockaddr_ll from;
		socklen_t from_size = sizeof(from);
		int64_t left = end - now_ms();
		ssize_t size;

		if (left <= 0 || poll(&wait, 1, (int)left) <= 0)
			return 1;
		size = recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &from_size);
		if (size < ETH_HLEN || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		print_payload(frame, (size_t)size);
		count--;
	}
	return 0;
}
