/*
 * A slice document as plain data. Made by slice_read in an arena; every element knows its line and
 * can say its xpath. Arrays are plural, `n_` counts; texts are borrowed from the arena.
 */
#pragma once

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/diagnosis.h"
#include "lib/base/str.h"

struct slice_where {
	unsigned line;
	const char *xpath;
};

struct slice_pair { /* resource or param */
	const char *key, *value;
	struct slice_where where;
};

struct slice_pairs {
	struct slice_pair *items;
	size_t n;
};

struct slice_vport {
	const char *name;
	struct slice_pairs params;
	struct slice_where where;
};

enum slice_isolation { SLICE_SHAPING, SLICE_POLICING, SLICE_BESTEFFORT };

/* What carries the frames of a link between two hosts. */
struct slice_carrier {
	const char *type; /* of link, as redirectord calls it */
	int64_t overhead; /* bytes in front of each frame */
	int64_t id_bits;
	bool is_whole; /* it takes no large frames that are to be segmented on the way */
	const char *const *config; /* "KEY VALUE": parameters of the type */
	size_t n_config;
};

struct slice_link {
	const char *name, *type, *subtype;
	struct slice_vport *vports;
	size_t n_vports;
	struct slice_pairs resources, params;
	struct slice_where where;
	/* set by slice_defaults from the pairs; own-frame rates. up = into the link at its first
	 * vport */
	int64_t rate_up_bps, rate_down_bps, ceil_up_bps, ceil_down_bps;
	int64_t burst_bytes, latency_us, mtu, priority;
	enum slice_isolation isolation;
	struct slice_carrier carrier; /* of types that are not built in: set by slice_check */
	/* set by slice_expand */
	const struct slice_link *whole; /* of a spoke: the link of the document; NULL otherwise */
};

struct slice_node;

struct slice_access_point {
	const char *name, *method, *vport;
	const char *auth_method, *auth_credential; /* NULL = none */
	struct slice_pairs params;
	struct slice_where where;
};

enum slice_form {
	SLICE_FORM_IMAGE,
	SLICE_FORM_VM,
	SLICE_FORM_CONTAINER
}; /* IMAGE: what the image is made for */

struct slice_bind {
	const char *name;

	struct slice_bind_end {
		const char *sliver, *port;
		struct slice_where where;
	} * ends; /* two in a valid document */

	size_t n_ends;
	struct slice_where where;
};

struct slice_body { /* sliverdef + structure, of a slice or of a hierarchy */
	struct slice_link *links;
	size_t n_links;
	struct slice_node *nodes;
	size_t n_nodes;
	struct slice_bind *binds;
	size_t n_binds;
};

struct slice_node {
	const char *name;
	bool has_instance;
	const char *type, *subtype; /* of the instance; NULL without one */
	struct slice_pairs resources, params;
	struct slice_body *hierarchy; /* NULL = none */
	struct slice_vport *vports;
	size_t n_vports;
	struct slice_access_point *access_points;
	size_t n_access_points;
	struct slice_where where, instance_where;
	/* set by slice_defaults */
	int64_t cpu, cpu_share /* per cpu, in 1/1000; 0 = none */, memory_bytes, disk_bytes,
	    iops;                            /* memory 0: what the image asks for */
	const char *image;                   /* without "image:" */
	const char *kernel_args, *user_data; /* "" = none */
	enum slice_form form;
	/* set by slice_expand */
	const struct slice_link *hub_of; /* of a hub: the link of the document; NULL otherwise */
};

struct slice_point {
	const char *name, *sliver, *port, *direction, *metrics;
	const char **filters;
	size_t n_filters;
	struct slice_where where;
};

struct slice_application {
	const char *name, *match, *attach_sliver, *attach_access_point;
	const char **networks;
	size_t n_networks;
	struct slice_where where;
};

struct slice_amap {
	const char *aggregate, *node, *vnode;
	bool is_standing; /* in no document: the node is there already, and stays */
	struct slice_where where;
};

struct slice_member {
	const char *node;
	struct slice_where where;
};

/* Nodes that are all on one VNode, or no two of them on the same. */
struct slice_company {
	bool is_apart; /* else together */
	struct slice_member *members;
	size_t n_members;
	struct slice_where where;
};

struct slice {
	const char *name;
	struct slice_body body;
	struct slice_point *points;
	size_t n_points;
	struct slice_application *applications;
	size_t n_applications;
	bool has_mapping;
	const char *mapping_slice;
	struct slice_amap *amaps;
	size_t n_amaps;
	struct slice_company *companies;
	size_t n_companies;
	struct slice_where where, mapping_where;
};

/*
 * Guard and pass 1 (structure, codes X): bytes to a slice in arena. false and at least one error in
 * `found`, first error first in document order, when it cannot be accepted.
 */
bool slice_read(const char *bytes, size_t size, struct arena *arena, struct slice **slice,
    diagnoses *found) must_check;

/* Pass 2a: typed values from resources and params, defaults. Faults (S08) into found; true without
 * errors. */
bool slice_defaults(struct slice *slice, struct arena *arena, diagnoses *found) must_check;

/* What pass 2 must know besides the document. All borrowed. */
struct slice_world {
	const char *role; /* of the caller */
	const struct slice_image *images;
	size_t n_images;
	const struct slice_host *hosts;
	size_t n_hosts;
	const struct slice_carrier *carriers; /* types of link that some host has */
	size_t n_carriers;
	/* Subtypes of links that the operator has named; NULL = there are none. */
	const struct slice_link_kind *kinds;
	size_t n_kinds;
	struct arena *arena; /* of what is filled in */
};

/* A subtype of links in its operational stage: a name for a type with fixed parameters. */
struct slice_link_kind {
	const char *subtype;
	const char *plugin; /* type of link at the redirectors */
	const char *roles;  /* who may use it, blank-separated; NULL = everybody */
	bool is_enabled;
	const char *const *config; /* "KEY VALUE" */
	size_t n_config;
};

struct slice_image {
	const char *name;
	enum slice_form form; /* VM or CONTAINER */
	int64_t memory_bytes; /* what it asks for; 0 = nothing said */
};

struct slice_host {
	const char *name;
	bool is_agw;
};

/*
 * Pass 2b (meaning, codes S): all faults into found, with line, xpath and hint (nearest valid
 * name). What this version does not build yet is refused at its line with S05 or S07. Fills in form
 * and memory from the image, and what carries a link. true without errors; warnings do not count.
 */
bool slice_check(struct slice *slice, const struct slice_world *world, diagnoses *found) must_check;

/*
 * Stage between check and embedding: links with more than two vports taken apart into a hub, a node
 * that is no machine (`hub_of`), and a spoke per vport (`whole`), from the vport to the hub, in the
 * vports' order. Everything else as it was; in arena, borrowing from slice. Spokes have the name of
 * their link, and the link's rates at each end. What is read from or written for people is the
 * slice, what is embedded and planned is its expansion.
 */
const struct slice *slice_expand(const struct slice *slice, struct arena *arena);

/* The document printed back from the model (canonical spelling), for golden tests and export. */
void slice_write(const struct slice *slice, struct str *out);

const struct slice_node *slice_find_node(const struct slice *slice, const char *name);

/* The bind end of the node at one end of a link: vport index 0 or 1 of the link. NULL when not
 * bound. */
const struct slice_bind_end *slice_link_end(
    const struct slice *slice, const struct slice_link *link, unsigned which);

/* The link a node's vport is bound to and which end of it; NULL when not bound. */
const struct slice_link *slice_port_link(
    const struct slice *slice, const struct slice_node *node, const char *vport, unsigned *which);
