/*
 * The types of links that this host knows: those built in, and plug-ins from a folder. A plug-in is
 * the file NAME.so of the folder; it comes in without a restart and stays until the end. Who may
 * write file or folder may be us: both belong to root or to our own user, nobody else may write.
 * Any thread.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/model/spec.h"
#include "redirector/link_type.h"

/* IPv4, GRE with key, Ethernet inside (RFC 2784, 2890); what Linux and Open vSwitch speak. */
extern const struct link_type link_type_gre;
extern const struct link_type link_type_nvgre;     /* RFC 7637 */
extern const struct link_type link_type_stt;       /* draft-davie-stt-08 */
extern const struct link_type link_type_timestamp; /* `TimestampLink`: time and number inside */
extern const struct link_type link_type_vxlan;     /* RFC 7348 */

/* A plug-in that was not taken in. */
struct link_type_refused {
	const char *file; /* geneve.so */
	const char *why;
};

struct link_types;

void link_types_free(struct link_types *types);

/* Looks at the folder; NULL = none. What is refused is no failure. clock is borrowed. */
struct link_types *link_types_new(const char *folder, const struct clock *clock)
    malloc_by(link_types_free) must_check;

/*
 * By name. An unknown one makes us look at the folder again, not more often than once a second.
 * NULL: ERR_S05, with the reason when a plug-in of that name was refused. Types live for ever.
 */
const struct link_type *link_types_find(
    struct link_types *types, const char *name, struct err *err) must_check;

/* All of them by now, copied; the folder is looked at. Arrays in arena. */
size_t link_types_list(
    struct link_types *types, struct arena *arena, const struct link_type **list);
size_t link_types_refused(
    struct link_types *types, struct arena *arena, const struct link_type_refused **refused);

/*
 * Is the description one that the data plane can follow? ERR_BAD_VALUE says what is wrong. Reads
 * nothing behind abi and size when those are others.
 */
bool link_type_check(const struct link_type *type, struct err *err) must_check;

/*
 * One end of a link of this type; `config`: items "KEY VALUE". Values in arena. ERR_S08: id or
 * value out of range; ERR_S07: unknown or repeated key.
 */
bool link_type_read(const struct link_type *type, uint64_t id, const struct spec_list *config,
    struct arena *arena, struct link_type_end *end, struct err *err) must_check;

/* Do heads of both look the same, but for the ids? */
bool link_type_alike(const struct link_type *type, const struct link_type *other);

/* Of types that are alike: may a packet of one be taken for one of the other? */
bool link_type_clash(
    const struct link_type *type, uint64_t id, const struct link_type *other, uint64_t other_id);

/* What the type puts in front of a frame without tags, with Ethernet and IPv4. */
uint32_t link_type_overhead(const struct link_type *type);

/* Big-endian, for heads. */
static inline void
link_type_store(uint8_t *at, uint64_t value, unsigned n_bytes)
{
	while (n_bytes--) {
		at[n_bytes] = (uint8_t)value;
		value >>= 8;
	}
}
