/*
 * RTM_GETQDISC and RTM_DELQDISC of roots.
 */
#include "lib/net/tc_root.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/vec.h"

typedef vec_of(struct tc_root) root_vec;

static void
add_root(void *self, const struct reply *reply)
{
	const struct tcmsg *info = reply->fixed;
	const struct nlattr *options[REPLY_TYPES];
	const struct tc_htb_glob *global;
	root_vec *roots = self;
	struct tc_root *root;

	if (info->tcm_parent != TC_H_ROOT)
		return;
	root = vec_add(roots);
	*root = (struct tc_root){(uint32_t)info->tcm_ifindex, info->tcm_handle, "", 0};
	snprintf(root->kind, sizeof(root->kind), "%s", reply_text(reply->attrs[TCA_KIND]));
	if (strcmp(root->kind, "htb") != 0)
		return;
	reply_members(reply->attrs[TCA_OPTIONS], options);
	global = reply_data(options[TCA_HTB_INIT], sizeof(*global));
	if (global)
		root->default_minor = global->defcls;
}

bool
tc_root_list(struct netlink *netlink, struct arena *arena, const struct tc_root **roots,
    size_t *n_roots, struct err *err)
{
	struct tcmsg info = {.tcm_family = AF_UNSPEC};
	struct message message;
	root_vec found = {0};
	int error;

	message_begin(&message, RTM_GETQDISC, NLM_F_DUMP, &info, sizeof(info));
	error = netlink_ask(netlink, &message, sizeof(info), add_root, &found);
	if (!error) {
		*roots = (const struct tc_root *)(void *)arena_copy(
		    arena, found.items, found.n * sizeof(struct tc_root));
		*n_roots = found.n;
	}
	vec_done(&found);
	return !error || err_set(err, ERR_INTERNAL, "listing qdiscs: %s", strerror(error));
}

bool
tc_root_remove(struct netlink *netlink, uint32_t device, struct err *err)
{
	struct tcmsg info = {
	    .tcm_family = AF_UNSPEC, .tcm_ifindex = (int)device, .tcm_parent = TC_H_ROOT};
	struct message message;
	int error;

	message_begin(&message, RTM_DELQDISC, 0, &info, sizeof(info));
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	if (!error || error == ENOENT || error == ENODEV || error == EINVAL)
		return true;
	return err_set(
	    err, ERR_INTERNAL, "removing the root qdisc of device %u: %s", device, strerror(error));
}
