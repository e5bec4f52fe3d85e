/*
 * Clocks, counters, a frame, and the smallest sink there is: two instructions.
 */
#include "bench/measure.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DISCARD = 9 }; /* port */

long long
measure_clock(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

void
measure_counts(const char *columns, unsigned long long counts[2])
{
	char *end;

	counts[0] = strtoull(columns, &end, 10);
	counts[1] = strtoull(end, NULL, 10);
}

/* The first word of /proc/PID/NAME; "" when there is none. */
static void
proc_word(const char *pid, const char *name, char word[32])
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%31s", word) != 1)
		word[0] = '\0';
	if (file)
		fclose(file);
}

long long
measure_ksoftirqd(void)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	long long sum = 0;
	char word[32];

	while (folder && (entry = readdir(folder))) {
		if (!strtol(entry->d_name, NULL, 10))
			continue;
		proc_word(entry->d_name, "comm", word);
		if (strncmp(word, "ksoftirqd", 9) != 0)
			continue;
		proc_word(entry->d_name, "schedstat", word);
		sum += strtoll(word, NULL, 10);
	}
	if (folder)
		closedir(folder);
	return sum;
}

int
measure_sink(void)
{
	static const char license[] = "Dual BSD/GPL";
	struct bpf_insn code[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_SHOT},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr load = {
	    .prog_type = BPF_PROG_TYPE_SCHED_CLS,
	    .insns = (uintptr_t)code,
	    .insn_cnt = sizeof(code) / sizeof(*code),
	    .license = (uintptr_t)license,
	    .prog_name = "vn_drop",
	};

	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
}

void
measure_frame(unsigned char *frame, size_t size)
{
	static const struct ethhdr ethernet = {
	    .h_dest = {2, 0, 0, 0, 0, 0xdd},
	    .h_source = {2, 0, 0, 0, 0, 0xee},
	};
	struct ethhdr link = ethernet;
	struct iphdr ip = {
	    .version = 4,
	    .ihl = 5,
	    .ttl = 64,
	    .protocol = IPPROTO_UDP,
	    .tot_len = htons((uint16_t)(size - ETH_HLEN)),
	    .saddr = htonl(0xc0a80901),
	    .daddr = htonl(0xc0a80902),
	};
	struct udphdr udp = {
	    .source = htons(DISCARD),
	    .dest = htons(DISCARD),
	    .len = htons((uint16_t)(size - ETH_HLEN - sizeof(ip))),
	};

	link.h_proto = htons(ETH_P_IP);
	memcpy(frame, &link, sizeof(link));
	memcpy(frame + ETH_HLEN, &ip, sizeof(ip));
	memcpy(frame + ETH_HLEN + sizeof(ip), &udp, sizeof(udp));
}
