/*
 * HTB, bfifo and clsact by rtnetlink.
 */
#include "lib/net/tc.h"

#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/vec.h"

enum { NS_PER_TICK = 64 };

typedef vec_of(struct tc_class) class_vec;

struct qdisc_search {
	uint32_t device;
	bool is_found;
	bool is_htb;
};

static bool report(int error, uint32_t device, const char *what, struct err *err);

static struct tcmsg
tcmsg_of(uint32_t device, uint32_t handle, uint32_t parent)
{
	return (struct tcmsg){
	    .tcm_family = AF_UNSPEC,
	    .tcm_ifindex = (int)device,
	    .tcm_handle = handle,
	    .tcm_parent = parent,
	};
}

static void
check_root(void *self, const struct reply *reply)
{
	struct qdisc_search *search = self;
	const struct tcmsg *info = reply->fixed;

	if (info->tcm_ifindex != (int)search->device || info->tcm_parent != TC_H_ROOT)
		return;
	search->is_found = true;
	search->is_htb = !strcmp(reply_text(reply->attrs[TCA_KIND]), "htb") &&
			 info->tcm_handle == (uint32_t)TC_HTB_MAJOR << 16;
}

bool
tc_htb_ensure(struct netlink *netlink, uint32_t device, uint32_t default_minor, struct err *err)
{
	struct tcmsg info = tcmsg_of(device, 0, 0);
	struct tc_htb_glob global = {.version = 3, .rate2quantum = 10, .defcls = default_minor};
	struct qdisc_search search = {.device = device};
	struct message message;
	size_t options;
	int error;

	message_begin(&message, RTM_GETQDISC, NLM_F_DUMP, &info, sizeof(info));
	error = netlink_ask(netlink, &message, sizeof(info), check_root, &search);
	if (error)
		return report(error, device, "listing qdiscs", err);
	if (search.is_htb)
		return true;
	info = tcmsg_of(device, (uint32_t)TC_HTB_MAJOR << 16, TC_H_ROOT);
	message_begin(&message, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &info, sizeof(info));
	message_put_text(&message, TCA_KIND, "htb");
	options = message_nest(&message, TCA_OPTIONS);
	message_put(&message, TCA_HTB_INIT, &global, sizeof(global));
	message_end(&message, options);
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	return report(error, device, "making the shaper's root", err);
}

/* Time to send so many bytes, in the kernel's ticks. */
static uint32_t
ticks_of(uint64_t bytes, uint64_t rate_bps)
{
	unsigned __int128 ns = (unsigned __int128)bytes * 8 * 1000000000u / rate_bps;
	unsigned __int128 ticks = ns / NS_PER_TICK;

	return ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
}

static uint64_t
bytes_of(uint32_t ticks, uint64_t rate_bps)
{
	return (uint64_t)((unsigned __int128)ticks * NS_PER_TICK * rate_bps / 8 / 1000000000u);
}

/* 32 bits of bytes/s; larger rates stand in RATE64 alone. */
static uint32_t
rate32(uint64_t rate_bps)
{
	return rate_bps / 8 > UINT32_MAX ? UINT32_MAX : (uint32_t)(rate_bps / 8);
}

bool
tc_class_put(
    struct netlink *netlink, uint32_t device, const struct tc_class *class, struct err *err)
{
	struct tcmsg info =
	    tcmsg_of(device, tc_handle(class->minor), tc_handle(class->parent_minor));
	uint64_t rate = class->rate_bps / 8, ceil = class->ceil_bps / 8;
	struct tc_htb_opt opt = {
	    .rate = {.rate = rate32(class->rate_bps), .linklayer = TC_LINKLAYER_ETHERNET},
	    .ceil = {.rate = rate32(class->ceil_bps), .linklayer = TC_LINKLAYER_ETHERNET},
	    .buffer = ticks_of(class->burst_bytes, class->rate_bps),
	    .cbuffer = ticks_of(class->cburst_bytes, class->ceil_bps),
	    .quantum = class->quantum_bytes,
	};
	struct message message;
	size_t options;

	message_begin(&message, RTM_NEWTCLASS, NLM_F_CREATE, &info, sizeof(info));
	message_put_text(&message, TCA_KIND, "htb");
	options = message_nest(&message, TCA_OPTIONS);
	message_put(&message, TCA_HTB_PARMS, &opt, sizeof(opt));
	message_put(&message, TCA_HTB_RATE64, &rate, sizeof(rate));
	message_put(&message, TCA_HTB_CEIL64, &ceil, sizeof(ceil));
	message_end(&message, options);
	return report(netlink_ask(netlink, &message, sizeof(info), NULL, NULL), device,
	    "making a class of the shaper", err);
}

bool
tc_class_remove(struct netlink *netlink, uint32_t device, uint32_t minor, struct err *err)
{
	struct tcmsg info = tcmsg_of(device, tc_handle(minor), 0);
	struct message message;
	int error;

	message_begin(&message, RTM_DELTCLASS, 0, &info, sizeof(info));
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	if (error == ENOENT || error == ENODEV || error == EINVAL)
		return true;
	return report(error, device, "removing a class of the shaper", err);
}

/* A 64-bit rate where it is given, else the 32-bit one; in bit/s. */
static uint64_t
rate_of(const struct nlattr *wide, uint32_t narrow)
{
	const void *data = reply_data(wide, sizeof(uint64_t));
	uint64_t rate = narrow;

	if (data)
		memcpy(&rate, data, sizeof(rate));
	return rate * 8;
}

static uint64_t
drops_of(const struct nlattr *stats)
{
	const struct nlattr *members[REPLY_TYPES];
	struct gnet_stats_queue queue;
	const void *data;

	reply_members(stats, members);
	data = reply_data(members[TCA_STATS_QUEUE], sizeof(queue));
	if (!data)
		return 0;
	memcpy(&queue, data, sizeof(queue));
	return queue.drops;
}

static void
add_class(void *self, const struct reply *reply)
{
	const struct tcmsg *info = reply->fixed;
	const struct nlattr *options[REPLY_TYPES];
	const struct tc_htb_opt *opt;
	class_vec *classes = self;
	struct tc_class *class;

	reply_members(reply->attrs[TCA_OPTIONS], options);
	opt = reply_data(options[TCA_HTB_PARMS], sizeof(*opt));
	if (!opt || strcmp(reply_text(reply->attrs[TCA_KIND]), "htb") != 0)
		return;
	class = vec_add(classes);
	class->minor = TC_H_MIN(info->tcm_handle);
	class->parent_minor = info->tcm_parent == TC_H_ROOT ? 0 : TC_H_MIN(info->tcm_parent);
	class->rate_bps = rate_of(options[TCA_HTB_RATE64], opt->rate.rate);
	class->ceil_bps = rate_of(options[TCA_HTB_CEIL64], opt->ceil.rate);
	class->burst_bytes = (uint32_t)bytes_of(opt->buffer, class->rate_bps);
	class->cburst_bytes = (uint32_t)bytes_of(opt->cbuffer, class->ceil_bps);
	class->quantum_bytes = opt->quantum;
	class->drops = drops_of(reply->attrs[TCA_STATS2]);
}

bool
tc_class_list(struct netlink *netlink, uint32_t device, struct arena *arena,
    const struct tc_class **classes, size_t *n_classes, struct err *err)
{
	struct tcmsg info = tcmsg_of(device, 0, 0);
	struct message message;
	class_vec found = {0};
	int error;

	message_begin(&message, RTM_GETTCLASS, NLM_F_DUMP, &info, sizeof(info));
	error = netlink_ask(netlink, &message, sizeof(info), add_class, &found);
	if (!error) {
		*classes = (const struct tc_class *)(void *)arena_copy(
		    arena, found.items, found.n * sizeof(struct tc_class));
		*n_classes = found.n;
	}
	vec_done(&found);
	return report(error, device, "listing the shaper's classes", err);
}

bool
tc_class_find(struct netlink *netlink, uint32_t device, uint32_t minor, struct tc_class *class,
    struct err *err)
{
	struct tcmsg info = tcmsg_of(device, tc_handle(minor), 0);
	struct message message;
	class_vec found = {0};
	bool is_found;
	int error;

	/* Without ECHO the kernel tells the listeners to events alone. */
	message_begin(&message, RTM_GETTCLASS, NLM_F_ECHO, &info, sizeof(info));
	error = netlink_ask(netlink, &message, sizeof(info), add_class, &found);
	is_found = !error && found.n;
	if (is_found)
		*class = found.items[0];
	vec_done(&found);
	return is_found || err_set(err, ERR_NOT_FOUND, "there is no class %x:%x on device %u",
			       TC_HTB_MAJOR, minor, device);
}

bool
tc_leaf_put(
    struct netlink *netlink, uint32_t device, uint32_t minor, uint32_t limit_bytes, struct err *err)
{
	struct tcmsg info = tcmsg_of(device, minor << 16, tc_handle(minor));
	struct tc_fifo_qopt options = {.limit = limit_bytes};
	struct message message;

	message_begin(&message, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &info, sizeof(info));
	message_put_text(&message, TCA_KIND, "bfifo");
	message_put(&message, TCA_OPTIONS, &options, sizeof(options));
	return report(netlink_ask(netlink, &message, sizeof(info), NULL, NULL), device,
	    "making the queue of a class", err);
}

bool
tc_clsact_ensure(struct netlink *netlink, uint32_t device, struct err *err)
{
	struct tcmsg info = tcmsg_of(device, TC_H_MAKE(TC_H_CLSACT, 0), TC_H_CLSACT);
	struct message message;
	int error;

	message_begin(&message, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	message_put_text(&message, TCA_KIND, "clsact");
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	if (error == EEXIST)
		return true;
	return report(error, device, "making the hook", err);
}

bool
tc_clsact_remove(struct netlink *netlink, uint32_t device, struct err *err)
{
	struct tcmsg info = tcmsg_of(device, TC_H_MAKE(TC_H_CLSACT, 0), TC_H_CLSACT);
	struct message message;
	int error;

	message_begin(&message, RTM_DELQDISC, 0, &info, sizeof(info));
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	if (error == ENOENT || error == ENODEV || error == EINVAL)
		return true;
	return report(error, device, "removing the hook", err);
}

static bool
report(int error, uint32_t device, const char *what, struct err *err)
{
	return !error || err_set(err, error == ENODEV ? ERR_WAIT : ERR_INTERNAL,
			     "%s on device %u: %s", what, device, strerror(error));
}
