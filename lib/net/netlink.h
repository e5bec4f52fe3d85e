/*
 * A small rtnetlink: build a message, ask the kernel, read the answers. What the house needs of
 * devices, traffic control, neighbours and routes is built on this, in lib/net alone.
 */
#pragma once

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

/* A request under construction. Overflow is a programming mistake (assert). */
enum { MESSAGE_SIZE = 4096 };

struct message {
	_Alignas(struct nlmsghdr) char bytes[MESSAGE_SIZE];
};

/* Begins a request with its fixed part (struct ifinfomsg, tcmsg, …). `flags`: NLM_F_CREATE, … */
void message_begin(
    struct message *message, uint16_t type, uint16_t flags, const void *fixed, size_t size);
void message_put(struct message *message, uint16_t type, const void *data, size_t size);
void message_put_u32(struct message *message, uint16_t type, uint32_t value);
void message_put_text(struct message *message, uint16_t type, const char *text);

/* Bytes without an attribute's header: the fixed part inside a nested attribute. */
void message_append(struct message *message, const void *bytes, size_t size);

/* Attributes put between the two are members of attribute `type`. */
size_t message_nest(struct message *message, uint16_t type);
void message_end(struct message *message, size_t nest);

/* One answer: its fixed part, and its attributes by type. Borrowed for the time of the callback. */
enum { REPLY_TYPES = 96 };

struct reply {
	uint16_t type;
	const void *fixed;
	const struct nlattr *attrs[REPLY_TYPES]; /* NULL = absent */
};

/* Bytes of an attribute's value; NULL attribute or a shorter value: NULL. */
const void *reply_data(const struct nlattr *attr, size_t size);
const char *reply_text(const struct nlattr *attr); /* "" when absent */
uint32_t reply_u32(const struct nlattr *attr);     /* 0 when absent */

/* Members of a nested attribute, by type. */
void reply_members(const struct nlattr *nest, const struct nlattr *attrs[REPLY_TYPES]);

typedef void netlink_each(void *self, const struct reply *reply);

struct netlink;

void netlink_free(struct netlink *netlink);

/* A socket for requests. Any thread: requests wait for each other. Owned by the caller. */
struct netlink *netlink_new(struct err *err) malloc_by(netlink_free) must_check;

/*
 * Ask and wait for the acknowledgement (dump: for the end). 0, or the kernel's errno. `each` is
 * called for every answer; NULL: answers are of no interest. `fixed_size` of the answers' fixed
 * part.
 */
int netlink_ask(struct netlink *netlink, struct message *message, size_t fixed_size,
    netlink_each *each, void *self);

/*
 * Many requests at once, NETLINK_MANY in a system call, in their order; each is tried, whatever
 * became of those before. `fill` writes the request at `index`, `told` hears of those that failed
 * with the kernel's errno. 0, or an errno of the socket itself: the rest was not tried.
 */
enum { NETLINK_MANY = 64 };

typedef void netlink_fill(void *self, size_t index, struct message *message);
typedef void netlink_told(void *self, size_t index, int error);

struct netlink_many {
	size_t n;
	netlink_fill *fill;
	netlink_told *told;
	void *self;
};

int netlink_ask_many(struct netlink *netlink, const struct netlink_many *many);

/* ---- events ---------------------------------------------------------------------------------- */

struct netlink_events;

void netlink_events_free(struct netlink_events *events);

/* What there are events of: the kernel's groups of that name. */
enum { NETLINK_OF_LINKS = 1, NETLINK_OF_NEIGHBOURS = 3 };

/* Subscribes to groups; a list ended by 0. Owned by the caller. */
struct netlink_events *netlink_events_new(const int *groups, struct err *err)
    malloc_by(netlink_events_free) must_check;

/*
 * Waits up to timeout_ms and calls `each` for what has come. The fixed part is as long as the type
 * says. `lost`: some could not be delivered, look at everything. False: the socket is broken.
 */
bool netlink_events_wait(
    struct netlink_events *events, int timeout_ms, netlink_each *each, void *self, bool *lost);
