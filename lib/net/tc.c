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

static void
fill_class(struct message *message, uint32_t device, const struct tc_class *class)
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
	    .prio = class->prio,
	};
	size_t options;

	message_begin(message, RTM_NEWTCLASS, NLM_F_CREATE, &info, sizeof(info));
	message_put_text(message, TCA_KIND, "htb");
	options = message_nest(message, TCA_OPTIONS);
	message_put(message, TCA_HTB_PARMS, &opt, sizeof(opt));
	message_put(message, TCA_HTB_RATE64, &rate, sizeof(rate));
	message_put(message, TCA_HTB_CEIL64, &ceil, sizeof(ceil));
	message_end(message, options);
}

/* REPLACE of a queue that is there already changes its limit in place. */
static void
fill_queue(struct message *message, uint32_t device, const struct tc_class *class)
{
	struct tcmsg info = tcmsg_of(device, class->minor << 16, tc_handle(class->minor));
	struct tc_fifo_qopt options = {.limit = class->queue_bytes};

	message_begin(message, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &info, sizeof(info));
	message_put_text(message, TCA_KIND, "bfifo");
	message_put(message, TCA_OPTIONS, &options, sizeof(options));
}

/* One request: a class, or the queue of one. */
struct put_step {
	size_t class;
	bool is_queue;
};

struct put_many {
	uint32_t device;
	const struct tc_class *classes;
	const struct put_step *steps;
	int *errors;
	size_t first_failed; /* step */
	int first_error;
};

static void
put_fill(void *self, size_t index, struct message *message)
{
	const struct put_many *put = self;
	const struct put_step *step = &put->steps[index];

	(step->is_queue ? fill_queue : fill_class)(
	    message, put->device, &put->classes[step->class]);
}

static void
put_told(void *self, size_t index, int error)
{
	struct put_many *put = self;
	size_t class = put->steps[index].class;

	if (!put->first_error) {
		put->first_failed = index;
		put->first_error = error;
	}
	if (put->errors && !put->errors[class])
		put->errors[class] = error;
}

bool
tc_class_put_many(struct netlink *netlink, uint32_t device, const struct tc_class *classes,
    size_t n_classes, int *errors, struct err *err)
{
	auto_free struct put_step *steps = xcalloc(2 * n_classes + 1, sizeof(*steps));
	struct put_many put = {
	    .device = device, .classes = classes, .steps = steps, .errors = errors};
	struct netlink_many many = {.fill = put_fill, .told = put_told, .self = &put};
	int error;

	if (errors)
		memset(errors, 0, n_classes * sizeof(*errors));
	for (size_t i = 0; i < n_classes; i++) {
		steps[many.n++] = (struct put_step){i, false};
		if (classes[i].queue_bytes)
			steps[many.n++] = (struct put_step){i, true};
	}
	error = netlink_ask_many(netlink, &many);
	if (error)
		return report(error, device, "making classes of the shaper", err);
	if (!put.first_error)
		return true;
	(void)report(put.first_error, device,
	    steps[put.first_failed].is_queue ? "making the queue of a class" : "making a class",
	    err);
	return err_in(err, "class 1:%x", classes[steps[put.first_failed].class].minor);
}

bool
tc_class_put(
    struct netlink *netlink, uint32_t device, const struct tc_class *class, struct err *err)
{
	return tc_class_put_many(netlink, device, class, 1, NULL, err);
}

struct remove_many {
	uint32_t device;
	const uint32_t *minors;
	int first_error;
};

static void
remove_fill(void *self, size_t index, struct message *message)
{
	const struct remove_many *removal = self;
	struct tcmsg info = tcmsg_of(removal->device, tc_handle(removal->minors[index]), 0);

	message_begin(message, RTM_DELTCLASS, 0, &info, sizeof(info));
}

static void
remove_told(void *self, size_t index, int error)
{
	struct remove_many *removal = self;
	bool is_absent = error == ENOENT || error == ENODEV || error == EINVAL;

	(void)index;
	if (!is_absent && !removal->first_error)
		removal->first_error = error;
}

bool
tc_class_remove_many(struct netlink *netlink, uint32_t device, const uint32_t *minors,
    size_t n_minors, struct err *err)
{
	struct remove_many removal = {.device = device, .minors = minors};
	struct netlink_many many = {n_minors, remove_fill, remove_told, &removal};
	int error = netlink_ask_many(netlink, &many);

	return report(
	    error ? error : removal.first_error, device, "removing a class of the shaper", err);
}

bool
tc_class_remove(struct netlink *netlink, uint32_t device, uint32_t minor, struct err *err)
{
	return tc_class_remove_many(netlink, device, &minor, 1, err);
}

/* Bursts are kept as ticks: a byte count comes back a little smaller. */
static bool
is_burst(uint32_t found, uint32_t wanted, uint64_t rate_bps)
{
	uint64_t tick_bytes =
	    rate_bps / 8 * NS_PER_TICK / 1000000000u + wanted * 8ull / rate_bps + 2;

	return found <= wanted && wanted - found <= tick_bytes;
}

bool
tc_class_is(const struct tc_class *found, const struct tc_class *wanted)
{
	bool is_leaf = wanted->queue_bytes;

	return found->minor == wanted->minor && found->parent_minor == wanted->parent_minor &&
	       found->rate_bps / 8 == wanted->rate_bps / 8 &&
	       found->ceil_bps / 8 == wanted->ceil_bps / 8 &&
	       is_burst(found->burst_bytes, wanted->burst_bytes, wanted->rate_bps) &&
	       is_burst(found->cburst_bytes, wanted->cburst_bytes, wanted->ceil_bps) &&
	       (!is_leaf || (found->has_queue && found->prio == wanted->prio &&
				found->quantum_bytes == wanted->quantum_bytes));
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

static void
read_stats(const struct nlattr *stats, struct tc_class *class)
{
	const struct nlattr *members[REPLY_TYPES];
	struct gnet_stats_queue queue;
	const void *data;

	reply_members(stats, members);
	data = reply_data(members[TCA_STATS_QUEUE], sizeof(queue));
	if (!data)
		return;
	memcpy(&queue, data, sizeof(queue));
	class->drops = queue.drops;
	class->backlog_bytes = queue.backlog;
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
	class->prio = opt->prio;
	class->has_queue = info->tcm_info == class->minor << 16;
	read_stats(reply->attrs[TCA_STATS2], class);
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

static void
one_filter(void *self, const struct reply *reply)
{
	bool *is_used = self;

	if (reply->type == RTM_NEWTFILTER)
		*is_used = true;
}

bool
tc_clsact_is_used(struct netlink *netlink, uint32_t device, bool *is_used, struct err *err)
{
	static const uint32_t minors[] = {TC_H_MIN_INGRESS, TC_H_MIN_EGRESS};

	*is_used = false;
	for (size_t i = 0; i < sizeof(minors) / sizeof(minors[0]) && !*is_used; i++) {
		struct tcmsg info = tcmsg_of(device, 0, TC_H_MAKE(TC_H_CLSACT, minors[i]));
		struct message message;
		int error;

		message_begin(&message, RTM_GETTFILTER, NLM_F_DUMP, &info, sizeof(info));
		error = netlink_ask(netlink, &message, sizeof(info), one_filter, is_used);
		if (error == ENODEV || error == ENOENT || error == EINVAL)
			*is_used = true;
		else if (error)
			return report(error, device, "listing the filters", err);
	}
	return true;
}

static bool
report(int error, uint32_t device, const char *what, struct err *err)
{
	return !error || err_set(err, error == ENODEV ? ERR_WAIT : ERR_INTERNAL,
			     "%s on device %u: %s", what, device, strerror(error));
}
