/*
 * Routes: RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE.
 */
#include "lib/net/route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/vec.h"

const int route_news_groups[] = {RTNLGRP_IPV4_ROUTE, RTNLGRP_LINK, 0};

struct route_text {
	char text[INET_ADDRSTRLEN + 4];
};

struct listing {
	uint8_t protocol;
	vec_of(struct route) routes;
};

static struct route_text route_text(const struct route *route);
static void begin(struct message *message, uint16_t type, uint16_t flags, uint8_t protocol,
    const struct route *route);
static bool read_route(const struct reply *reply, uint8_t protocol, struct route *route);

bool
route_put(struct netlink *netlink, uint8_t protocol, const struct route *route, struct err *err)
{
	struct message message;
	int error;

	begin(&message, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, protocol, route);
	message_put(&message, RTA_GATEWAY, &route->next_hop, sizeof(route->next_hop));
	message_put_u32(&message, RTA_OIF, route->device);
	if (route->source)
		message_put(&message, RTA_PREFSRC, &route->source, sizeof(route->source));
	error = netlink_ask(netlink, &message, sizeof(struct rtmsg), NULL, NULL);
	if (!error)
		return true;
	return err_set(err,
	    error == ENETUNREACH || error == ENETDOWN || error == EHOSTUNREACH || error == EINVAL ||
		    error == ENODEV
		? ERR_WAIT
		: ERR_INTERNAL,
	    "route to %s: %s", route_text(route).text, strerror(error));
}

bool
route_remove(struct netlink *netlink, uint8_t protocol, const struct route *route, struct err *err)
{
	struct message message;
	int error;

	begin(&message, RTM_DELROUTE, 0, protocol, route);
	if (route->device)
		message_put_u32(&message, RTA_OIF, route->device);
	error = netlink_ask(netlink, &message, sizeof(struct rtmsg), NULL, NULL);
	if (error && error != ESRCH)
		return err_set(err, ERR_INTERNAL, "removing the route to %s: %s",
		    route_text(route).text, strerror(error));
	return true;
}

static void
list_one(void *self, const struct reply *reply)
{
	struct listing *listing = self;
	struct route route;

	if (read_route(reply, listing->protocol, &route))
		vec_push(&listing->routes, route);
}

bool
route_list(struct netlink *netlink, uint8_t protocol, struct arena *arena,
    const struct route **routes, size_t *n_routes, struct err *err)
{
	struct listing listing = {.protocol = protocol};
	/* Where the kernel filters (strict dumps) only ours come; read_route looks in any case. */
	struct rtmsg fixed = {
	    .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = protocol};
	struct message message;
	struct route *copy;
	int error;

	message_begin(&message, RTM_GETROUTE, NLM_F_DUMP, &fixed, sizeof(fixed));
	error = netlink_ask(netlink, &message, sizeof(fixed), list_one, &listing);
	if (!error) {
		copy = arena_alloc(arena, listing.routes.n * sizeof(*copy));
		if (listing.routes.n)
			memcpy(copy, listing.routes.items, listing.routes.n * sizeof(*copy));
		*routes = copy;
		*n_routes = listing.routes.n;
	}
	vec_done(&listing.routes);
	return !error || err_set(err, ERR_INTERNAL, "listing routes: %s", strerror(error));
}

bool
route_find(struct netlink *netlink, uint8_t protocol, uint32_t destination, struct route *route,
    bool *is_found, struct err *err)
{
	struct listing listing = {.protocol = protocol};
	struct rtmsg fixed = {
	    .rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_flags = RTM_F_FIB_MATCH};
	struct message message;
	int error;

	message_begin(&message, RTM_GETROUTE, 0, &fixed, sizeof(fixed));
	message_put(&message, RTA_DST, &destination, sizeof(destination));
	error = netlink_ask(netlink, &message, sizeof(fixed), list_one, &listing);
	*is_found = !error && listing.routes.n && listing.routes.items[0].prefix_len == 32 &&
		    listing.routes.items[0].destination == destination;
	if (*is_found)
		*route = listing.routes.items[0];
	vec_done(&listing.routes);
	if (error && error != ENETUNREACH && error != EHOSTUNREACH && error != ESRCH)
		return err_set(err, ERR_INTERNAL, "looking for a route: %s", strerror(error));
	return true;
}

bool
route_is_news(const struct reply *reply, uint8_t protocol)
{
	const struct rtmsg *info = reply->fixed;

	if (reply->type == RTM_NEWLINK || reply->type == RTM_DELLINK)
		return true;
	return reply->type == RTM_DELROUTE && info->rtm_family == AF_INET &&
	       info->rtm_protocol == protocol;
}

static struct route_text
route_text(const struct route *route)
{
	struct route_text out = {""};
	char address[INET_ADDRSTRLEN] = "";

	inet_ntop(AF_INET, &route->destination, address, sizeof(address));
	snprintf(out.text, sizeof(out.text), "%s/%u", address, route->prefix_len);
	return out;
}

static void
begin(struct message *message, uint16_t type, uint16_t flags, uint8_t protocol,
    const struct route *route)
{
	struct rtmsg fixed = {.rtm_family = AF_INET,
	    .rtm_dst_len = route->prefix_len,
	    .rtm_table = RT_TABLE_MAIN,
	    .rtm_protocol = protocol,
	    .rtm_scope = type == RTM_DELROUTE ? RT_SCOPE_NOWHERE : RT_SCOPE_UNIVERSE,
	    .rtm_type = type == RTM_DELROUTE ? RTN_UNSPEC : RTN_UNICAST};

	message_begin(message, type, flags, &fixed, sizeof(fixed));
	message_put(message, RTA_DST, &route->destination, sizeof(route->destination));
}

static bool
read_route(const struct reply *reply, uint8_t protocol, struct route *route)
{
	const struct rtmsg *info = reply->fixed;

	if (reply->type != RTM_NEWROUTE || info->rtm_family != AF_INET ||
	    info->rtm_protocol != protocol || info->rtm_table != RT_TABLE_MAIN)
		return false;
	*route = (struct route){.destination = reply_u32(reply->attrs[RTA_DST]),
	    .prefix_len = info->rtm_dst_len,
	    .next_hop = reply_u32(reply->attrs[RTA_GATEWAY]),
	    .device = reply_u32(reply->attrs[RTA_OIF]),
	    .source = reply_u32(reply->attrs[RTA_PREFSRC])};
	return true;
}
