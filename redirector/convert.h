/*
 * The format converter: MAC-in-MAC (IEEE 802.1ah) on a backbone device, VLAN on a customer device,
 * one conversion a row. For VNodes whose programmer is another machine: docs/guide.md. The verbs of
 * the rows and what they see of the kernel (convert_bpf.c); redirectord calls them beside link.h.
 */
#pragma once

#include <pthread.h>

#include "lib/base/conf.h"
#include "lib/engine/manager.h"
#include "lib/model/spec_types.h"
#include "lib/net/device.h"

/* ---- what the kernel has --------------------------------------------------------------------- */

/* One conversion as the kernel has it. */
struct conversion_way {
	uint64_t rid;
	uint32_t backbone; /* ifindex */
	uint32_t customer; /* ifindex; 0: a remnant, known by its rid alone */
	uint32_t isid;
	uint16_t b_vid;
	uint16_t vlan; /* 0 = whole */
	unsigned char remote[6];
	unsigned char own[6];
};

struct conversion_counters {
	uint64_t to_frames, to_bytes,
	    to_drops; /* towards the backbone; oversize is among the drops */
	uint64_t from_frames, from_bytes, from_drops;
};

/* Frames that belong to no conversion: dropped. */
struct conversion_strays {
	uint64_t unknown_isid, unknown_vlan, malformed;
};

struct conversions;

/* The programs with their maps pinned below `folder`, those of an earlier run adopted. Frames go on
 * after conversions_free. Any thread. */
void conversions_free(struct conversions *conversions);
struct conversions *conversions_open(const char *folder, struct netlink *netlink, struct err *err)
    malloc_by(conversions_free) must_check;

/* The conversion is as described; counters go on. */
bool conversions_put(
    struct conversions *conversions, const struct conversion_way *way, struct err *err) must_check;

/* Exactly so, and nothing of it lacks? */
bool conversions_has(struct conversions *conversions, const struct conversion_way *way);

/* Nothing is left of it. Absent is success. */
bool conversions_drop(struct conversions *conversions, uint64_t rid, struct err *err) must_check;

/* All of which anything is there, array in arena; a rid may come more than once. */
void conversions_list(struct conversions *conversions, struct arena *arena,
    const struct conversion_way **ways, size_t *n_ways);

/* ERR_NOT_FOUND without such a conversion. */
bool conversions_counters(struct conversions *conversions, uint64_t rid,
    struct conversion_counters *counters, struct err *err) must_check;
bool conversions_strays(
    struct conversions *conversions, struct conversion_strays *strays, struct err *err) must_check;

/* The programs of a device. */
bool conversions_attach(
    struct conversions *conversions, uint32_t device, bool is_backbone, struct err *err) must_check;
bool conversions_is_attached(
    struct conversions *conversions, uint32_t device, bool is_backbone, struct err *err) must_check;
bool conversions_detach(
    struct conversions *conversions, uint32_t device, struct err *err) must_check;

/* ---- the rows -------------------------------------------------------------------------------- */

enum { CONVERTER_DEVICES_MAX = 64 };

/* A device of [converter]: ours alone but for frames of other formats. */
struct converter_device {
	char name[16];
	bool is_backbone;
};

struct converter {
	struct netlink *netlink;
	struct conversions *kernel; /* NULL: there is no converter */
	struct converter_device devices[CONVERTER_DEVICES_MAX];
	size_t n_devices;
	char host[64];            /* for sentences */
	pthread_mutex_t programs; /* held while programs come to a device or leave it */
};

/* A row of kind conversion, read: texts in the arena of the reading. */
struct conversion {
	uint64_t rid;
	struct conversion_spec spec;
	unsigned char remote[6]; /* B-DA */
	unsigned char own[6];    /* B-SA */
};

/* Reads [converter] of the configuration; the kernel is not looked at. */
bool converter_init(struct converter *converter, const struct conf *conf, const char *host,
    struct err *err) must_check;
void converter_done(struct converter *converter);

/* Reads and checks a row; ERR_BAD_VALUE, ERR_NOT_FOUND (device). */
bool conversion_read(const struct converter *converter, const struct row *row, struct arena *arena,
    struct conversion *conversion, struct err *err) must_check;

/* The instance on the backbone device and the VLAN on the customer device are free (ERR_CONFLICT).
 */
bool conversion_admit(void *self, struct txn *txn, const struct row *row,
    const struct manager_book *book, struct str *result, struct err *err) must_check;

/* Frames go both ways. ERR_WAIT: a device is not there yet. */
bool conversion_ensure(void *self, const struct row *row, struct err *err) must_check;

/* Everything as ensure would make it? */
bool conversion_is_there(void *self, const struct row *row, struct err *err) must_check;

/* Nothing is left; a device without conversions has no program of ours. */
bool conversion_remove(void *self, const struct row *row, struct err *err) must_check;

/* What is in the kernel, one object a conversion; and its removal. */
bool conversion_list(void *self, struct arena *arena, const struct manager_object **objects,
    size_t *n_objects, struct err *err) must_check;
bool conversion_sweep(void *self, const struct manager_object *object, struct err *err) must_check;

/* The device is there, up, and hands frames on as they were on the wire. ERR_WAIT: missing or down.
 */
bool converter_device_ready(struct converter *converter, const struct converter_device *at,
    struct device *device, struct err *err) must_check;

/* The tables above. */
struct manager_kind conversion_kind(struct converter *converter);
