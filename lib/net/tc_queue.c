/*
 * Statistics of a class by rtnetlink.
 */
#include "lib/net/tc_queue.h"

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/net/tc.h"

struct answer {
	struct tc_queue *queue;
	bool is_found;
};

static void
one_class(void *self, const struct reply *reply)
{
	const struct nlattr *members[REPLY_TYPES];
	struct answer *answer = self;
	struct gnet_stats_queue stats;
	const void *data;

	reply_members(reply->attrs[TCA_STATS2], members);
	data = reply_data(members[TCA_STATS_QUEUE], sizeof(stats));
	if (!data)
		return;
	memcpy(&stats, data, sizeof(stats));
	*answer->queue = (struct tc_queue){stats.qlen, stats.backlog, stats.drops};
	answer->is_found = true;
}

bool
tc_queue_find(struct netlink *netlink, uint32_t device, uint32_t minor, struct tc_queue *queue,
    struct err *err)
{
	struct tcmsg info = {
	    .tcm_family = AF_UNSPEC,
	    .tcm_ifindex = (int)device,
	    .tcm_handle = tc_handle(minor),
	};
	struct answer answer = {.queue = queue};
	struct message message;
	int error;

	/* Without ECHO the kernel tells the listeners to events alone. */
	message_begin(&message, RTM_GETTCLASS, NLM_F_ECHO, &info, sizeof(info));
	error = netlink_ask(netlink, &message, sizeof(info), one_class, &answer);
	return (!error && answer.is_found) ||
	       err_set(err, ERR_NOT_FOUND, "there is no class %x:%x on device %u", TC_HTB_MAJOR,
		   minor, device);
}
