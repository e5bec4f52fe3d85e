/*
 * Hygiene of a node's ports before slice and host can disturb each other: the host's end speaks no
 * IPv6, is up with its MTU, and merges what a node without TSO sends frame by frame into what one
 * with TSO would send, which halves the cost of all that follows; the node's end (containers)
 * leaves tunnels alone and makes no burst that the link's rate cannot take.
 */
#pragma once

#include "programmer/hypervisor.h"

/* The host's end of one port, whose link takes large packets of so many segments (0: any).
 * ERR_WAIT: the device is not there (yet). */
bool port_host_end(
    const struct domain_port *port, uint32_t gso_max_segs, struct err *err) must_check;

/* Limits of one port's node end. */
struct port_limit {
	unsigned char mac[6];
	uint32_t gso_max_segs; /* 0 = as it is */
};

/* The node's ends of a container whose init is `pid`: off-loads off, limits set. */
bool port_node_ends(
    pid_t pid, const struct port_limit *limits, size_t n_limits, struct err *err) must_check;

/*
 * A thread that switches IPv6 off on every port's device the moment it appears: libvirt sets a
 * container's device up while it starts, and the host would speak to the node.
 */
struct port_watch;
void port_watch_free(struct port_watch *watch);
struct port_watch *port_watch_new(struct err *err) malloc_by(port_watch_free) must_check;
