/*
 * A small site for tests of placing: hosts on two routers, like the profile `demo`, and slices from
 * a few lines of text.
 */
#pragma once

#include "lib/model/mapping.h"

/*
 * Hosts of the names given (NULL ends), each with 4 CPUs, 4 GiB, 10 GiB of disk, 1 Gbps ports u0
 * (at router r1) and u1 (at r2), 10 Gbps between its own nodes, and both test images. Every edge
 * has 1 Gbps and 1 ms. Everything free, all up. In arena.
 */
struct substrate *site_new(struct arena *arena, const char *const *hosts);

struct substrate_host *site_host(struct substrate *substrate, const char *name);
struct graph_edge *site_edge(struct substrate *substrate, const char *name);

/*
 * A document from a short form, a line an element, so that line numbers are easy to say: line N of
 * `text` is line N of the document. Lines:
 *     node NAME KEY=VALUE… : VPORT…
 *     link NAME KEY=VALUE… : NODE.VPORT NODE.VPORT…
 *     amap NODE HOST
 *     together NODE…, apart NODE…
 * Nodes first, then links, then amaps, then together, then apart. The slice's name is `name`.
 */
char *site_document(struct arena *arena, const char *name, const char *text);

/* Reads, defaults and checks for the hosts of the substrate; fails the test when it is not good. */
struct slice *site_slice(
    struct arena *arena, const struct substrate *substrate, const char *document);
