/*
 * A node sliver: a container or a virtual machine of a slice, in the order of its life. What lasts
 * is the engine's row and the folder FOLDER/RID:
 *
 *     vnode/             what the guest is told          console           what it printed
 *     upper/ work/ root/ a container's own root          initrd disk console.in console.out   a
 * VM's
 *
 * The functions are those of lib/engine/manager.h: any thread, never two at once for one rid, all
 * may be repeated.
 */
#pragma once

#include "lib/engine/manager.h"
#include "lib/model/spec_types.h"
#include "programmer/image.h"
#include "programmer/programmer.h"

/* One port of the spec: "ID NAME MTU". */
struct sliver_port {
	uint64_t id;
	const char *name; /* vport */
	int64_t mtu;
};

/* A row, read. Texts live in the arena it was read into. */
struct sliver {
	uint64_t rid;
	const char *name;   /* of its domain */
	const char *folder; /* FOLDER/RID */
	struct node_spec spec;
	struct node_attr_spec attr;
	enum node_form form;
	bool is_on;
	const struct sliver_port *ports;
	size_t n_ports;
};

/* Reads spec and attributes. ERR_BAD_VALUE names the key. */
bool sliver_read(const struct programmer *programmer, const struct row *row, struct arena *arena,
    struct sliver *sliver, struct err *err) must_check;

/* The kind "node" of the engine; self is the programmer. */
extern const char sliver_kind[];
bool sliver_admit(void *self, struct txn *txn, const struct row *row,
    const struct manager_book *book, struct str *result, struct err *err) must_check;
bool sliver_start(void *self, const struct row *row, struct err *err) must_check;
bool sliver_is_there(void *self, const struct row *row, struct err *err) must_check;
bool sliver_stop(void *self, const struct row *row, struct err *err) must_check;

/* Objects without a row: domains of our instance, folders of nodes. */
bool sliver_list(void *self, struct arena *arena, const struct manager_object **objects,
    size_t *n_objects, struct err *err) must_check;
bool sliver_sweep(void *self, const struct manager_object *object, struct err *err) must_check;

/* Removes all that a rid may have left: domain, mounts, folder. */
bool sliver_remove(struct programmer *programmer, uint64_t rid, struct err *err) must_check;

/* The name of a rid's domain, in arena; and the rid in a domain's name (0 = none, false = not
 * ours).
 */
const char *sliver_name(const struct programmer *programmer, uint64_t rid, struct arena *arena);
bool sliver_name_rid(const struct programmer *programmer, const char *name, uint64_t *rid);

/* ---- what is remembered of a node while programmerd runs (sliver_note.c) ----------------------
 */

struct node_note {
	uint64_t rid;
	enum node_form form;
	enum node_accel accel;
	bool is_on;
	pid_t pid;          /* container: the init whose ports were cared for; 0 = none yet */
	int64_t started_ms; /* boot clock; 0 = not by this process */
	int n_deaths;       /* it has died so often shortly after its start */
};

/* What is known of the rid; false: nothing. */
bool note_get(struct programmer *programmer, uint64_t rid, struct node_note *note);
void note_put(struct programmer *programmer, const struct node_note *note);
void note_drop(struct programmer *programmer, uint64_t rid);
