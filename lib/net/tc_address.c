/*
 * The filters, all of one priority at the root of the tree:
 *
 *     800: the first table, one entry:           third byte of the destination -> an entry of 1:
 *     1:   256 entries, one for each third byte: fourth byte                   -> an entry of 100:
 * + it 1xx: 256 entries:                          the address itself            -> its class
 *
 * A handle is table << 20 | entry << 12 | node. The node tells the first two bytes, hashed; so
 * every address has one handle, and nothing is ever looked for.
 */
#include "lib/net/tc_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/vec.h"
#include "lib/net/tc.h"

enum {
	PRIORITY = 118,
	BYTES = 256,
	FIRST_TABLE = 0x800,
	TABLE_OF_THIRD = 1,
	TABLE_OF_FOURTH = 0x100, /* + third byte */
	NODES = 4093,            /* a prime below what a handle has room for */
	DESTINATION_AT = 16,     /* in the IPv4 header */
	STEPS = 5
};

const int tc_news_group = RTNLGRP_TC;

/* A selector with room for one key. */
struct selector {
	_Alignas(
	    struct tc_u32_sel) char bytes[sizeof(struct tc_u32_sel) + sizeof(struct tc_u32_key)];
};

struct put {
	uint32_t device;
	const struct tc_address *entry;
	int error; /* of the last step, or of one that is not there already */
};

typedef vec_of(struct tc_address) address_vec;

static uint32_t
handle_of(uint32_t table, uint32_t entry, uint32_t node)
{
	return table << 20 | entry << 12 | node;
}

static uint32_t
handle_of_address(uint32_t address)
{
	uint32_t host = ntohl(address);

	return handle_of(
	    TABLE_OF_FOURTH + (host >> 8 & 0xff), host & 0xff, (host >> 16) % NODES + 1);
}

static void
begin(struct message *message, uint16_t type, uint16_t flags, uint32_t device, uint32_t handle)
{
	struct tcmsg info = {.tcm_family = AF_UNSPEC,
	    .tcm_ifindex = (int)device,
	    .tcm_handle = handle,
	    .tcm_parent = (uint32_t)TC_HTB_MAJOR << 16,
	    .tcm_info = TC_H_MAKE((uint32_t)PRIORITY << 16, htons(ETH_P_IP))};

	message_begin(message, type, flags, &info, sizeof(info));
	message_put_text(message, TCA_KIND, "u32");
}

static void
fill_table(struct message *message, uint32_t device, uint32_t table)
{
	size_t options;

	begin(message, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, device, handle_of(table, 0, 0));
	options = message_nest(message, TCA_OPTIONS);
	message_put_u32(message, TCA_U32_DIVISOR, BYTES);
	message_end(message, options);
}

/* An entry that matches all and leads to another table, by the byte of the destination in `mask`.
 */
static void
fill_link(struct message *message, uint32_t device, uint32_t handle, uint32_t table, uint32_t mask)
{
	struct tc_u32_sel selector = {.hoff = DESTINATION_AT, .hmask = htonl(mask)};
	size_t options;

	begin(message, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, device, handle);
	options = message_nest(message, TCA_OPTIONS);
	message_put_u32(message, TCA_U32_HASH, TC_U32_HTID(handle) | TC_U32_HASH(handle) << 12);
	message_put_u32(message, TCA_U32_LINK, handle_of(table, 0, 0));
	message_put(message, TCA_U32_SEL, &selector, sizeof(selector));
	message_end(message, options);
}

static void
fill_address(struct message *message, uint32_t device, const struct tc_address *entry)
{
	struct tc_u32_sel head = {.flags = TC_U32_TERMINAL, .nkeys = 1};
	struct tc_u32_key key = {
	    .mask = htonl(UINT32_MAX), .val = entry->address, .off = DESTINATION_AT};
	uint32_t handle = handle_of_address(entry->address);
	struct selector selector;
	size_t options;

	memcpy(selector.bytes, &head, sizeof(head));
	memcpy(selector.bytes + sizeof(head), &key, sizeof(key));
	begin(message, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, device, handle);
	options = message_nest(message, TCA_OPTIONS);
	message_put_u32(message, TCA_U32_HASH, TC_U32_HTID(handle) | TC_U32_HASH(handle) << 12);
	message_put_u32(message, TCA_U32_CLASSID, tc_handle(entry->minor));
	message_put(message, TCA_U32_SEL, &selector, sizeof(selector));
	message_end(message, options);
}

static void
put_fill(void *self, size_t step, struct message *message)
{
	const struct put *put = self;
	uint32_t third = ntohl(put->entry->address) >> 8 & 0xff;

	switch (step) {
	case 0:
		fill_table(message, put->device, TABLE_OF_THIRD);
		break;
	case 1:
		fill_link(
		    message, put->device, handle_of(FIRST_TABLE, 0, 1), TABLE_OF_THIRD, 0xff00);
		break;
	case 2:
		fill_table(message, put->device, TABLE_OF_FOURTH + third);
		break;
	case 3:
		fill_link(message, put->device, handle_of(TABLE_OF_THIRD, third, 1),
		    TABLE_OF_FOURTH + third, 0xff);
		break;
	default:
		fill_address(message, put->device, put->entry);
	}
}

/* The tables are there since the first address that needed them. */
static void
put_told(void *self, size_t step, int error)
{
	struct put *put = self;

	if (!put->error && (error != EEXIST || step == STEPS - 1))
		put->error = error;
}

bool
tc_address_put(
    struct netlink *netlink, uint32_t device, const struct tc_address *entry, struct err *err)
{
	struct put put = {.device = device, .entry = entry};
	struct netlink_many many = {STEPS, put_fill, put_told, &put};
	int error = netlink_ask_many(netlink, &many);

	if (!error)
		error = put.error;
	if (error == EEXIST)
		return err_set(err, ERR_CONFLICT,
		    "another address has the place of this one in the filters of device %u",
		    device);
	return !error || err_set(err, error == ENODEV || error == EINVAL ? ERR_WAIT : ERR_INTERNAL,
			     "making a filter on device %u: %s", device, strerror(error));
}

/* What a filter says; tables, links and what somebody else has put beside them say nothing. */
static void
add_address(void *self, const struct reply *reply)
{
	const struct tcmsg *info = reply->fixed;
	const struct nlattr *options[REPLY_TYPES];
	const struct tc_u32_key *key;
	address_vec *found = self;
	struct tc_u32_sel head;
	const char *selector;

	if (strcmp(reply_text(reply->attrs[TCA_KIND]), "u32") != 0)
		return;
	reply_members(reply->attrs[TCA_OPTIONS], options);
	selector = reply_data(options[TCA_U32_SEL], sizeof(struct selector));
	if (!selector || !options[TCA_U32_CLASSID])
		return;
	memcpy(&head, selector, sizeof(head));
	key = (const void *)(selector + sizeof(head));
	if (head.nkeys == 1 && key->mask == htonl(UINT32_MAX) &&
	    info->tcm_handle == handle_of_address(key->val))
		vec_push(found,
		    ((struct tc_address){key->val, TC_H_MIN(reply_u32(options[TCA_U32_CLASSID]))}));
}

static bool
is_absent(int error)
{
	return error == ENOENT || error == ENODEV || error == EINVAL;
}

bool
tc_address_find(struct netlink *netlink, uint32_t device, struct tc_address *entry, bool *is_found,
    struct err *err)
{
	struct message message;
	address_vec found = {0};
	int error;

	begin(&message, RTM_GETTFILTER, 0, device, handle_of_address(entry->address));
	error = netlink_ask(netlink, &message, sizeof(struct tcmsg), add_address, &found);
	*is_found = !error && found.n && found.items[0].address == entry->address;
	if (*is_found)
		entry->minor = found.items[0].minor;
	vec_done(&found);
	return !error || is_absent(error) ||
	       err_set(err, ERR_INTERNAL, "looking for a filter of device %u: %s", device,
		   strerror(error));
}

bool
tc_address_remove(struct netlink *netlink, uint32_t device, uint32_t address, struct err *err)
{
	struct tc_address entry = {.address = address};
	struct message message;
	bool is_found;
	int error;

	if (!tc_address_find(netlink, device, &entry, &is_found, err))
		return false;
	if (!is_found)
		return true;
	begin(&message, RTM_DELTFILTER, 0, device, handle_of_address(address));
	error = netlink_ask(netlink, &message, sizeof(struct tcmsg), NULL, NULL);
	return !error || is_absent(error) ||
	       err_set(err, ERR_INTERNAL, "removing a filter of device %u: %s", device,
		   strerror(error));
}

bool
tc_address_list(struct netlink *netlink, uint32_t device, struct arena *arena,
    const struct tc_address **entries, size_t *n_entries, struct err *err)
{
	struct message message;
	address_vec found = {0};
	int error;

	begin(&message, RTM_GETTFILTER, NLM_F_DUMP, device, 0);
	error = netlink_ask(netlink, &message, sizeof(struct tcmsg), add_address, &found);
	if (!error || is_absent(error)) {
		*entries = (const struct tc_address *)(void *)arena_copy(
		    arena, found.items, found.n * sizeof(struct tc_address));
		*n_entries = found.n;
	}
	vec_done(&found);
	return !error || is_absent(error) ||
	       err_set(err, ERR_INTERNAL, "listing the filters of device %u: %s", device,
		   strerror(error));
}

bool
tc_is_news(const struct reply *reply)
{
	return reply->type == RTM_DELTFILTER || reply->type == RTM_DELTCLASS ||
	       reply->type == RTM_DELQDISC;
}
