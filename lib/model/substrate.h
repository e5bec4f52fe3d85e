/*
 * What sncd places on: hosts with what is free, and the transport view. Plain data.
 */
#pragma once

#include "lib/model/graph.h"

struct substrate_port {             /* an underlay port of a host */
	const char *name;           /* "u0" */
	int64_t rate_bps, free_bps; /* wire; what this port may send */
	long vertex;                /* in the graph; -1 = not known to tncd */
};

struct substrate_host {
	const char *name;
	bool is_agw;
	bool is_evicted;     /* gone for good */
	bool is_up;          /* both daemons have said hello lately */
	const char *drained; /* in maintenance: until when and why, as words; NULL = it is not */
	int64_t drained_until_ms; /* INT64_MAX = nobody knows */
	int64_t cpu, cpu_free;    /* virtual CPUs */
	int64_t memory_bytes, memory_free_bytes;
	int64_t disk_bytes, disk_free_bytes;
	const char **images; /* names it has */
	size_t n_images;
	const char **link_types; /* that it has beside gre */
	size_t n_link_types;
	struct substrate_port *ports;
	size_t n_ports;
	int64_t loop_rate_bps;    /* vnloop0 and vnloop1, each */
	int64_t loop_free_bps[2]; /* what each of the two may still send */
};

struct substrate {
	struct substrate_host *hosts;
	size_t n_hosts;
	struct graph *graph;
};
