/*
 * One slice of two nodes and a link in a fake site, to be modified.
 */
#pragma once

#include "test/support/fake_site.h"

#define NODES "node a : p q\nnode b : p q\n"
#define PLACES "amap a koganei\namap b osaka\n"
#define PAIR NODES "link l1 bandwidth=100Mbps : a.p b.p\n" PLACES

/* Two nodes, and of each link a share and two ends. */
enum { NODE_ROWS = 2, LINK_ROWS = 3 };

struct scene {
	struct fake_site *site;
	const char *id;
};

/* A new site with PAIR as slice "s", brought to the goal; NULL = RUNNING. */
struct scene scene_start(const char *goal);

/* Asks for the slice to become what the text says; false: refused, and why. */
bool modify(const struct scene *scene, const char *text, struct snc_slice_modify_args args,
    struct snc_slice_modify_result *result, struct err *err);

struct snc_slice_show_result show(const struct scene *scene);

/* Come to so many? What is being released goes by itself, behind the slice's back. */
bool has_objects(struct fake_site *site, int n);

void nothing_orphaned(struct fake_site *site);
