/*
 * Kinds of resource rows, as sncd writes them: one mapped element to the spec and attributes of its
 * row, and a row back to what it charges. One file a kind; none of them knows libvirt, tunnels or
 * routes. Pure.
 */
#pragma once

#include "lib/model/mapping.h"
#include "lib/model/plan.h"
#include "lib/model/spec.h"

/* A port of a node of the slice: its number stands in the specs of node and link end. */
struct resource_port {
	const struct slice_node *node;
	const struct slice_vport *vport;
	uint64_t id;
};

/* What the rows of one slice have in common. */
struct resource_context {
	const char *slice_id;
	const struct slice *slice;         /* expanded */
	const char *tnc;                   /* name of the TNC: "tnc@ctl" */
	const struct resource_port *ports; /* all, by node and vport, in document order */
	size_t n_ports;
	struct arena *arena;
};

/* The number of a node's port by the vport's name. It must exist. */
uint64_t resource_port_id(
    const struct resource_context *context, const char *node, const char *vport);

/* Spec and attributes of the row of a node (power on). Texts in the context's arena. */
void resource_node(const struct resource_context *context, const struct mapping_node *mapped,
    struct plan_row *row);

/* Of the hub of a multipoint link. */
void resource_hub(const struct resource_context *context, const struct mapping_node *mapped,
    struct plan_row *row);

/* Of the share of a transport path for a link that is not local. */
void resource_share(const struct resource_context *context, const struct substrate *substrate,
    const struct mapping_link *mapped, struct plan_row *row);

/* What a link end is told besides its link. */
struct resource_end {
	const struct mapping_link *link;
	bool is_b;      /* the end at the second vport */
	uint64_t share; /* rid whose answer has the addresses; 0 = local */
	uint32_t key;
};

/* Of one end of a link (open). */
void resource_link_end(
    const struct resource_context *context, const struct resource_end *end, struct plan_row *row);

/* The same attributes with the node switched on or off, the link end opened or closed: text in
 * arena. A kind without such an attribute keeps what it has. */
bool resource_switch(const char *kind, const char *attr, bool is_on, struct arena *arena,
    const char **switched, struct err *err) must_check;

/* The ceiling of a link end, and the port of the node at it. */
struct resource_segments {
	uint64_t port;
	int64_t ceil_wire_bps;
};

/* The attributes of a node with the size of large frames at that port as the ceiling wants it: text
 * in arena. */
bool resource_node_segments(const char *attr, const struct resource_segments *segments,
    struct arena *arena, const char **changed, struct err *err) must_check;

/* ---- of a slice that stands (resource_change.c) ---- */

/* The spec of a share or a link end that takes the place of another row: text in arena. */
bool resource_instead(const char *kind, const char *spec, uint64_t rid, struct arena *arena,
    const char **changed, struct err *err) must_check;

/* The attributes of a link end that receives and does not send. */
bool resource_receive(
    const char *attr, struct arena *arena, const char **changed, struct err *err) must_check;

/* The attributes of a link end as another document has the link; addresses stay, and whether it is
 * open. */
struct resource_tuning {
	const struct slice_link *link;
	bool is_b;
	int64_t device_bps; /* ceiling where the link has none */
};

bool resource_tune(const char *attr, const struct resource_tuning *tuning, struct arena *arena,
    const char **changed, struct err *err) must_check;

/* A node or hub that stays, with those of its ports whose links have changed. */
struct resource_touched {
	const struct slice_node *node;
	const uint64_t *ports;
	size_t n_ports;
};

/* Its attributes with the size of large frames as the context has it, at those ports alone. */
bool resource_tune_node(const struct resource_context *context,
    const struct resource_touched *touched, const char *attr, const char **changed,
    struct err *err) must_check;

/* What a row takes from the substrate. Texts in the arena that read it. */
struct resource_charge {
	const char *kind;                      /* "node", "hub", "link_end", "share" */
	const char *host;                      /* of a node or link end */
	size_t host_at;                        /* a guess where the substrate has it */
	int64_t cpu, memory_bytes, disk_bytes; /* node */
	const char *port;                      /* link end: u0, loop0 */
	int64_t rate_bps;                      /* link end: what it sends */
	const char *from;                      /* share: the vertex where `edges` begin */
	struct spec_list edges;                /* share */
	int64_t rate_ab_bps, rate_ba_bps;      /* share */
};

/* Reads it from a row's manager, kind and spec. ERR_BAD_VALUE for what sncd has not written. */
bool resource_charge(const char *manager, const char *kind, const char *spec, struct arena *arena,
    struct resource_charge *charge, struct err *err) must_check;

/* Tells `part` of each thing that the charge takes, by where the substrate counts it, and of how
 * much. What the substrate no longer has is passed over. */
typedef void resource_part_fn(void *self, int64_t *free, int64_t amount);
void resource_parts(struct substrate *substrate, const struct resource_charge *charge,
    resource_part_fn *part, void *self);

/*
 * Takes it from what is free. false when that leaves less than nothing somewhere (R01, R02 or R03
 * says where); it is taken all the same. What the substrate no longer has is passed over.
 */
bool resource_take(
    struct substrate *substrate, const struct resource_charge *charge, struct err *err);
