/*
 * BPF programs run by the kernel over single frames: the programs with one link end, frames to feed
 * them, what they counted. Any failure of the machinery fails the test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "redirect.skel.h"
#include "redirector/bpf/redirect_abi.h"
#include "redirector/link_type.h"

/* Programs run as if on the loopback device. */
enum {
	LO = 1,
	RID = 7,
	SLOT = 3,
	KEY = 1001,
	MTU = 1500,
	OUTER = 42,
	ETHERNET = 14,
	FRAME_SPACE = 4096
};

struct frame {
	unsigned char bytes[FRAME_SPACE];
	uint32_t size;
};

/* What a run of a program gave. */
struct run {
	int verdict;
	uint32_t priority;
	struct frame out;
};

/* The programs with empty maps of their own; redirect__destroy frees them. */
struct redirect *programs_new(void);

/* The link end RID on port LO with these flags, and the other end's view, so that what was wrapped
 * can be unwrapped here. Counters begin at 0. */
void link_put(struct redirect *skeleton, uint32_t flags);

/* The same with another type of link, and a policer unless police_bps is 0. */
void link_put_as(
    struct redirect *skeleton, const struct link_type *type, uint32_t flags, uint64_t police_bps);

/* Of slot SLOT, over all processors; of these programs, or of others' map vn_counts. */
struct redirect_count counts(struct redirect *skeleton);
struct redirect_count counts_of(const struct bpf_map *map);
uint64_t strays(struct redirect *skeleton, uint32_t kind);

struct run run(struct bpf_program *program, const struct frame *frame);
struct run run_gso(struct bpf_program *program, const struct frame *frame, uint32_t gso_size);

/* Addresses, tags (proto, tci, …), type, and a payload of pseudo-random bytes. */
struct frame frame_of(const uint16_t *tags, size_t n_tags, uint16_t type, uint32_t payload);
struct frame plain(uint16_t type, uint32_t payload);

/* IPv4 or IPv6 with TCP, `data` bytes of it. */
struct frame tcp(bool is_v6, uint32_t data);

/* A copy with the byte at `offset` changed. */
struct frame altered(const struct frame *frame, uint32_t offset, unsigned char value);

bool is_same(const struct frame *a, const struct frame *b);

/* The Internet's sum over bytes: 0xffff over a good header. */
uint16_t sum_of(const unsigned char *bytes, size_t size);
