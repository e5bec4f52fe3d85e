/*
 * Routes in the kernel's main table, and the thread that hears when somebody touches them.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/net/device.h"
#include "lib/net/route.h"
#include "tnc/routerd/route.h"

enum { LISTEN_MS = 500 };

struct route_kernel {
	struct netlink *netlink;
	struct netlink_events *events;
	void (*changed)(void *self);
	void *self;
	pthread_t listener;
	bool has_listener;
	atomic_bool is_stopping;
};

static void *listen_main(void *self);
static void stop(struct route_kernel *kernel);
static bool put(void *self, const struct route_spec *spec, struct err *err);
static bool remove_route(void *self, const char *destination, struct err *err);
static bool is_there(void *self, const struct route_spec *spec, struct err *err);
static bool list(
    void *self, struct arena *arena, const char *const **destinations, size_t *n, struct err *err);

const struct route_ops route_kernel_ops = {
    .put = put,
    .remove = remove_route,
    .is_there = is_there,
    .list = list,
};

struct route_kernel *
route_kernel_new(void (*changed)(void *self), void *self, struct err *err)
{
	struct route_kernel *kernel = xcalloc(1, sizeof(*kernel));

	kernel->changed = changed;
	kernel->self = self;
	kernel->netlink = netlink_new(err);
	kernel->events = kernel->netlink ? netlink_events_new(route_news_groups, err) : NULL;
	if (kernel->events) {
		kernel->has_listener =
		    !pthread_create(&kernel->listener, NULL, listen_main, kernel);
		if (kernel->has_listener)
			return kernel;
		err_set(err, ERR_INTERNAL, "cannot start a thread");
	}
	stop(kernel);
	return NULL;
}

void
route_kernel_free(struct route_kernel *kernel)
{
	if (kernel)
		stop(kernel);
}

static void
stop(struct route_kernel *kernel)
{
	kernel->is_stopping = true;
	if (kernel->has_listener)
		pthread_join(kernel->listener, NULL);
	netlink_events_free(kernel->events);
	netlink_free(kernel->netlink);
	free(kernel);
}

static void
hear(void *self, const struct reply *reply)
{
	bool *is_news = self;

	*is_news |= route_is_news(reply, ROUTE_PROTOCOL);
}

static void *
listen_main(void *self)
{
	struct route_kernel *kernel = self;
	bool is_news, is_lost;

	while (!kernel->is_stopping) {
		is_news = false;
		if (!netlink_events_wait(kernel->events, LISTEN_MS, hear, &is_news, &is_lost)) {
			/* Rows are polled all the same: later, but not never. */
			log_error("route", "event=netlink_broken");
			return NULL;
		}
		if (is_news || is_lost)
			kernel->changed(kernel->self);
	}
	return NULL;
}

/* "10.65.0.1" or "10.65.0.0/24". */
static bool
read_destination(const char *text, struct route *route, struct err *err)
{
	char address[INET_ADDRSTRLEN] = "";
	size_t len = strcspn(text, "/");
	long long bits = 32;

	if (len < sizeof(address))
		memcpy(address, text, len);
	if (inet_pton(AF_INET, address, &route->destination) != 1 ||
	    (text[len] && !str_to_i64(text + len + 1, 0, 32, &bits)))
		return err_set(err, ERR_BAD_VALUE, "'%.40s' is no destination", text);
	route->prefix_len = (uint8_t)bits;
	return true;
}

/* The spec as the kernel sees it. ERR_WAIT while the device is missing. */
static bool
resolve(struct route_kernel *kernel, const struct route_spec *spec, struct route *route,
    struct err *err)
{
	struct device device;
	struct err why = {0};

	*route = (struct route){0};
	if (!read_destination(spec->destination, route, err))
		return false;
	if (inet_pton(AF_INET, spec->next_hop, &route->next_hop) != 1)
		return err_set(err, ERR_BAD_VALUE, "'%.40s' is no next hop", spec->next_hop);
	if (!device_find(kernel->netlink, spec->device, &device, &why))
		return err_set(
		    err, why.code == ERR_NOT_FOUND ? ERR_WAIT : why.code, "%s", why.text);
	route->device = device.index;
	return true;
}

static bool
put(void *self, const struct route_spec *spec, struct err *err)
{
	struct route_kernel *kernel = self;
	struct route route;

	return resolve(kernel, spec, &route, err) &&
	       route_put(kernel->netlink, ROUTE_PROTOCOL, &route, err);
}

static bool
remove_route(void *self, const char *destination, struct err *err)
{
	struct route_kernel *kernel = self;
	struct route route = {0};

	return read_destination(destination, &route, err) &&
	       route_remove(kernel->netlink, ROUTE_PROTOCOL, &route, err);
}

static bool
is_there(void *self, const struct route_spec *spec, struct err *err)
{
	struct route_kernel *kernel = self;
	struct route wanted, found = {0};
	bool is_found;

	if (!resolve(kernel, spec, &wanted, err) || !route_find(kernel->netlink, ROUTE_PROTOCOL,
							wanted.destination, &found, &is_found, err))
		return false;
	if (!is_found)
		return err_set(err, ERR_WAIT, "the route to %s is missing", spec->destination);
	if (found.next_hop != wanted.next_hop || found.device != wanted.device)
		return err_set(err, ERR_WAIT, "the route to %s is another", spec->destination);
	return true;
}

static bool
list(void *self, struct arena *arena, const char *const **destinations, size_t *n, struct err *err)
{
	struct route_kernel *kernel = self;
	const struct route *routes;
	const char **texts;

	if (!route_list(kernel->netlink, ROUTE_PROTOCOL, arena, &routes, n, err))
		return false;
	texts = arena_alloc(arena, *n * sizeof(*texts));
	for (size_t i = 0; i < *n; i++) {
		char address[INET_ADDRSTRLEN] = "";

		inet_ntop(AF_INET, &routes[i].destination, address, sizeof(address));
		texts[i] = routes[i].prefix_len == 32
			       ? arena_text(arena, address)
			       : arena_format(arena, "%s/%u", address, routes[i].prefix_len);
	}
	*destinations = texts;
	return true;
}
