/*
 * A hub: the middle of a multipoint link on this host, a bridge with a port for each end of the
 * link (docs/decisions/0009). A port is a device vnID like that of a node, and a link end of its
 * own joins it to the path. The verbs in the order of its life; the engine calls them
 * (lib/engine/manager.h), `self` is the struct redirector.
 *
 *     path ══ link end ══ vnPORT ── vpPORT ─┐
 *     path ══ link end ══ vnPORT ── vpPORT ─┴─ vbRID
 */
#pragma once

#include "lib/model/spec_types.h"
#include "lib/net/bridge.h"
#include "redirector/redirector.h"

enum { HUB_PORTS_MAX = 256 };

struct hub_port {
	uint64_t id;
	int64_t gso_max_segs;        /* of one large frame to the port; 0 = as the kernel has it */
	char device[16], inside[16]; /* vnID, which a link end attaches to; vpID, in the bridge */
};

/* A row of kind hub, read: texts and ports in the arena of the reading. */
struct hub {
	uint64_t rid;
	char device[16]; /* the bridge: vbRID */
	struct hub_spec spec;
	struct hub_port *ports;
	size_t n_ports;
};

/* Reads and checks a row; ERR_BAD_VALUE. Attributes may be absent. */
bool hub_read(
    const struct row *row, struct arena *arena, struct hub *hub, struct err *err) must_check;

/* ERR_CONFLICT when another hub has one of its ports. */
bool hub_admit(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err) must_check;

/* The bridge passes frames between its ports, whose devices are there for link ends. */
bool hub_ensure(void *self, const struct row *row, struct err *err) must_check;

/* Everything as ensure would make it? */
bool hub_is_there(void *self, const struct row *row, struct err *err) must_check;

/* Nothing is left. */
bool hub_remove(void *self, const struct row *row, struct err *err) must_check;

/* Bridges and ports with our names; a port is its bridge's, one outside of any is nobody's. */
bool hub_list(void *self, struct arena *arena, const struct manager_object **objects,
    size_t *n_objects, struct err *err) must_check;
bool hub_sweep(void *self, const struct manager_object *object, struct err *err) must_check;

/* The table above. */
struct manager_kind hub_kind(struct redirector *redirector);
