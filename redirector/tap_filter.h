/*
 * Which frames of a link end are copied: a few words joined by `and`,
 *
 *     ether TYPE | arp | ip | ip6 | icmp | icmp6 | tcp | udp | host ADDRESS | port N |
 *     sent | received
 *
 * e.g. `tcp and port 80`, `host 10.0.0.1 and udp`. Pure.
 */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

struct tap_filter {
	bool sent, received; /* by the node at this end; both unless one is asked for */
	bool has_type, has_protocol, has_port;
	uint16_t type;    /* of Ethernet, behind the tags */
	uint8_t protocol; /* of IP */
	uint16_t port;    /* source or destination, of TCP or UDP */

	enum { TAP_ANY_HOST, TAP_IP_HOST, TAP_IP6_HOST } host; /* source or destination */

	uint8_t address[16]; /* of the host; IPv4 in the first four */
};

/* "" or NULL = all. ERR_BAD_VALUE says which word is wrong and what would be right. */
bool tap_filter_read(const char *text, struct tap_filter *filter, struct err *err) must_check;
