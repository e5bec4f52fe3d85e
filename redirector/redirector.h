/*
 * redirectord: the virtual links of one host. One struct made in main and passed down; the verbs
 * are link.h, what shapes is shaper.h, what carries is dataplane.h.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/conf.h"
#include "lib/engine/manager.h"
#include "lib/net/device.h"
#include "redirector/convert.h"
#include "redirector/dataplane.h"
#include "redirector/kernel_view.h"
#include "redirector/tap.h"

/* A port that leads to other hosts, or one end of the loop to ourselves. */
struct underlay {
	char name[16];   /* as specs call it: u0, loop0 */
	char device[16]; /* u0, vnloop0 */
	char peer[16];   /* of the loop: the other end's device; "" otherwise */
	int64_t rate_bps;
	size_t place; /* in redirector.underlays */
};

/* Link ends of one host: as many as the data plane has room for. */
enum { UNDERLAYS_MAX = 64, REDIRECTOR_LINKS_MAX = 16384 };

struct daemon;
struct link_book;
struct link_types;

struct redirector {
	struct netlink *netlink;
	struct dataplane dataplane;
	struct link_types *types;
	struct converter converter; /* opened by main; without devices in tests */
	struct underlay underlays[UNDERLAYS_MAX];
	size_t n_underlays;
	char host[64];            /* for sentences */
	struct daemon *daemon;    /* hears of changes; NULL in tests */
	atomic_llong heard_ms;    /* when a row last changed */
	struct taps *taps;        /* captures; NULL in tests */
	struct link_book *book;   /* what the rows say */
	uint32_t n_blocks;        /* pooled slices of each shaper */
	struct kernel_view *view; /* NULL: whoever looks asks the kernel */
	pthread_mutex_t trees;    /* held while classes of a shaper are made or removed */
};

/* Reads [underlay] and [shaper] of the configuration and adds the loop. */
bool redirector_init(struct redirector *redirector, const struct conf *conf, const char *host,
    struct err *err) must_check;
void redirector_done(struct redirector *redirector);

/* By the name that specs use; NULL = there is none. Borrowed. */
const struct underlay *redirector_underlay(const struct redirector *redirector, const char *name);

/* ---- ports ----------------------------------------------------------------------------------- */

/* The loop's devices exist and are up. */
bool port_loop_ensure(struct redirector *redirector, struct err *err) must_check;

/*
 * The underlay port is there and ready: root of its shaper, decapsulation. ERR_WAIT: its device is
 * missing or down.
 */
bool port_ensure(struct redirector *redirector, const struct underlay *underlay,
    struct device *device, struct err *err) must_check;

/* Is it? Nothing is changed. view: see kernel_view.h. */
bool port_is_there(struct redirector *redirector, struct kernel_view *view,
    const struct underlay *underlay, struct device *device, struct err *err) must_check;

/* The classes of its shaper that are always there, as the book has them. Under `trees`. */
bool port_tree_ensure(struct redirector *redirector, const struct underlay *underlay,
    uint32_t device, struct err *err) must_check;

/* Totals for hello (self: the redirector): lines port.NAME.rate_bps=, NAME as specs call it: u0,
 * loop0; link_type.NAME=OVERHEAD:ID_BITS of each type of link. */
void port_capacity(void *self, struct str *lines);

/* ---- events ---------------------------------------------------------------------------------- */

struct watch;

/*
 * Wakes the engine when a device or a neighbour changes; what the data plane keeps is
 * looked at twice a second, which is a note of the host when something was missing. Own thread;
 * stopped by watch_free.
 */
void watch_free(struct watch *watch);
struct watch *watch_new(struct redirector *redirector, struct manager *manager, struct err *err)
    malloc_by(watch_free) must_check;
