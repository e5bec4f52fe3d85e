/*
 * Benchmark problems of on-line embedding, as text:
 *     vne 1
 *     substrate N M, then N lines `n ID CPU`, M lines `l U V RATE` (shared by both directions)
 *     requests R, then per request `r ID ARRIVAL LIFE N M`, N lines `n ID CPU`, M lines `l U V
 * RATE`
 */
#pragma once

#include "snc/embed_core.h"

enum { VNE_UNITS = 1000 }; /* amounts are kept in thousandths */

struct vne_request {
	long id;
	double arrival, life;
	struct core_node *nodes;
	size_t n_nodes;
	struct core_link *links;
	size_t n_links;
	double revenue; /* CPU and rates */
};

struct vne {
	struct core_net net;
	struct vne_request *requests;
	size_t n_requests;
};

/* In arena; ends the program with a word when the file is not like that. */
struct vne *vne_read(const char *path, struct arena *arena);
