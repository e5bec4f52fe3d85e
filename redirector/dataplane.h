/*
 * What carries the frames, as a driver: takes link ends by the kernel's names and makes frames of
 * the port go to the path and back. Real: dataplane_bpf.c and dataplane_device_bpf.c; for tests of
 * the verbs: dataplane_fake.c. Every operation may be repeated; any thread.
 */
#pragma once

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/conf.h"
#include "lib/base/str.h"
#include "lib/net/bpf.h"
#include "lib/net/netlink.h"
#include "redirector/link_type.h"
#include "redirector/tap_filter.h"

/* One link end as the driver needs it. Addresses in network order, rates on the wire. */
struct dataplane_link {
	uint64_t rid;
	uint32_t port;     /* ifindex of the port's device */
	uint32_t underlay; /* ifindex to send by and to receive from */
	/*
	 * NULL: no path, frames go from port to port of the same host; `underlay` is the other one,
	 * and nothing passes unless its link end leads back here.
	 */
	const struct link_type *type;
	struct link_type_end end; /* values as the type's keys say */
	uint32_t local;
	uint32_t remote;
	uint32_t mtu;
	uint32_t next_hop_address;
	unsigned char next_hop[6];
	unsigned char own[6];
	bool is_far; /* the port's other half is in another network namespace, with this address */
	unsigned char far[6];
	bool is_loop; /* `underlay` leads to another device of this host */
	bool is_open;
	bool is_receiving; /* and that alone: the port's frames are not its, just now */
	/* Classes of the shaper, as handles. */
	uint32_t class_handle;  /* within the guarantee */
	uint32_t excess_handle; /* between guarantee and ceiling, when policed */
	uint32_t first_handle;  /* frames with DSCP >= first_dscp; first_dscp 0: no such class */
	uint32_t first_dscp;
	/* The policer; both 0: none. What exceeds the ceiling is dropped. */
	uint64_t police_bps; /* guaranteed: goes to class_handle */
	uint64_t police_ceil_bps;
	uint64_t police_burst_bytes;
};

/* Of one link end since it was first put: frames and bytes as the slice sees them. */
struct dataplane_counters {
	uint64_t tx_frames, tx_bytes;
	uint64_t tx_oversize; /* larger than the mtu */
	uint64_t tx_policed;  /* over the ceiling of a policed link */
	uint64_t tx_closed;   /* while it was closed, or without a type had no other end */
	uint64_t tx_unfit;    /* not possible on this type of link: too many tags, segmentation */
	uint64_t tx_failed;   /* no memory */
	uint64_t rx_frames, rx_bytes;
	uint64_t rx_source; /* from or to another address than the path's */
	uint64_t rx_closed;
	uint64_t rx_malformed; /* cut short, or too many tags */
};

/* Packets on the underlay that look like ours and belong to no link end; dropped. */
struct dataplane_strays {
	uint64_t unknown_key, malformed;
};

/* What arrived by a link whose type has stamps (LINK_STAMP), since the link end was first put. Of
 * two hosts the delays contain the difference of their clocks. */
struct dataplane_delays {
	uint64_t packets, received, lost; /* received and lost: frames */
	int64_t min_ns, avg_ns, p50_ns, p99_ns, max_ns;
	int64_t jitter_ns; /* RFC 3550 */
};

/* What there is of a link end, for those who look for remnants. */
struct dataplane_held {
	uint64_t rid;
	uint32_t underlay, class_handle, first_handle; /* 0: no port has an entry of it */
};

/* How frames of a link end leave just now. */
struct dataplane_way {
	uint32_t underlay, remote;
	unsigned char next_hop[6];
	bool is_open;
};

/* Copies of a link end's frames, as the node sends and receives them. */
struct dataplane_tap {
	uint64_t rid;
	uint32_t serial;  /* comes with every copy */
	uint32_t snaplen; /* bytes of a frame that are copied */
	uint32_t device;  /* ifindex to send them by; 0: to the taker */
	struct tap_filter filter;
};

struct dataplane_copy {
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	uint32_t serial;
	bool is_sent;      /* by the node at this end; else received */
	uint32_t size;     /* of the whole frame, the tag below not counted */
	uint32_t segment;  /* a large frame that will be several, with so much data each; 0: none */
	uint16_t tag_type; /* of the outermost tag if it is not in the bytes, else 0; as on the */
	uint16_t tag;      /* wire, both */
	const void *bytes;
	uint32_t n_bytes;
};

struct dataplane_taker {
	void (*copied)(void *self, const struct dataplane_copy *copy);
	void (*lost)(void *self, uint64_t n); /* so many copies that nobody took in time */
	void *self;
};

struct dataplane_ops {
	const char *name; /* "bpf" */
	/* Frames that come by an underlay port are looked at from now on. */
	bool (*watch)(void *self, uint32_t underlay, struct err *err);
	/* Are they? Says what is missing. */
	bool (*is_watched)(void *self, uint32_t underlay, struct err *err);
	/* The link end is as described, its port attached. Counters go on; no frame is lost by a
	 * change. */
	bool (*put)(void *self, const struct dataplane_link *link, struct err *err);
	/* Is it just so, attachment included? ERR_NOT_FOUND says what is missing, ERR_CONFLICT what
	 * has other values, ERR_UNAVAILABLE what the node itself has changed. */
	bool (*is_there)(void *self, const struct dataplane_link *link, struct err *err);
	/* ERR_NOT_FOUND: no such link end on that port. */
	bool (*way)(
	    void *self, uint64_t rid, uint32_t port, struct dataplane_way *way, struct err *err);
	/* Nothing is left of it. Absent is success. */
	bool (*drop)(void *self, uint64_t rid, struct err *err);
	/* ERR_NOT_FOUND without such a link end. */
	bool (*counters)(
	    void *self, uint64_t rid, struct dataplane_counters *counters, struct err *err);
	bool (*strays)(void *self, struct dataplane_strays *strays, struct err *err);
	/* ERR_NOT_FOUND: no link end with stamps. */
	bool (*delays)(void *self, uint64_t rid, struct dataplane_delays *delays, struct err *err);
	/* What is kept for the next run, and what link ends share, is there again; appends to
	 * `found` what was missing. */
	bool (*keep)(void *self, struct str *found, struct err *err);
	/* All of which anything is there, each once; array in arena. */
	bool (*list)(void *self, struct arena *arena, const struct dataplane_held **held,
	    size_t *n_held, struct err *err);
	/*
	 * Tap number `nth` is this, or with NULL none. It ends by itself unless it is set again
	 * within 3 s. ERR_NOT_FOUND without such a link end.
	 */
	bool (*tap)(void *self, unsigned nth, const struct dataplane_tap *tap, struct err *err);
	/* Copies come from now on, whenever poll is called, by one thread; the taker is copied. */
	bool (*copies_open)(void *self, const struct dataplane_taker *taker, struct err *err);
	void (*copies_poll)(void *self, int wait_ms);
	void (*copies_close)(void *self);
	void (*free)(void *self); /* traffic goes on */
};

struct dataplane {
	const struct dataplane_ops *ops;
	void *self;
	char why[160]; /* it is this driver */
};

struct dataplane_config {
	const char *folder; /* where maps are pinned, those of an earlier run adopted */
	struct netlink *netlink;
	enum bpf_hook hook; /* where programs are attached */
	uint32_t n_links;   /* room for so many link ends; of adopted maps theirs stands */
};

/*
 * The driver `bpf` puts headers on and takes them off itself: any type of link. config is copied,
 * its netlink borrowed. What the other driver has left here goes.
 */
bool dataplane_bpf_open(
    const struct dataplane_config *config, struct dataplane *dataplane, struct err *err) must_check;

/*
 * The driver `device` leaves that to tunnel devices of the kernel, which it makes: types gre, vxlan
 * and geneve, as far as the kernel has devices of that kind. A path's local address becomes one of
 * this host's, its remote one gets a route.
 */
bool dataplane_device_open(
    const struct dataplane_config *config, struct dataplane *dataplane, struct err *err) must_check;

/* What that driver has left on this host goes: programs, maps, devices, addresses, routes. */
bool dataplane_device_leave(const struct dataplane_config *config, struct err *err) must_check;

/* Can the driver `bpf` work with this kernel? ERR_UNAVAILABLE says what it lacks. */
bool dataplane_bpf_probe(struct err *err) must_check;

/*
 * The driver and the hook of [dataplane] in the configuration. `config` as for the two above, its
 * hook is filled in; dataplane->why says why it is that driver. ERR_BAD_VALUE.
 */
bool dataplane_choose(const struct conf *conf, struct dataplane_config *config,
    struct dataplane *dataplane, struct err *err) must_check;

/* In memory, for tests. Always works. */
void dataplane_fake_open(struct dataplane *dataplane);

/* The fake copies such a frame to whoever taps the link end; its bytes are borrowed until it is
 * taken. False: nobody does. */
bool dataplane_fake_copy(
    const struct dataplane *dataplane, uint64_t rid, const struct dataplane_copy *copy);

/* What the fake was told of a link end; NULL = nothing. Borrowed until the next call. */
const struct dataplane_link *dataplane_fake_link(const struct dataplane *dataplane, uint64_t rid);
