/*
 * The driver "linux": routes in the kernel's main table, classes at the ports, and the thread that
 * hears when somebody touches them.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"
#include "lib/net/device.h"
#include "lib/net/route.h"
#include "lib/net/tc_address.h"
#include "tnc/routerd/port_class.h"
#include "tnc/routerd/route.h"

enum { LISTEN_MS = 500 };

#define CLASS_OF " 1:" /* between device and minor in the name of a class */

struct route_kernel {
	struct netlink *netlink;
	struct netlink_events *events;
	pthread_mutex_t classes; /* are changed by one at a time */
	void (*changed)(void *self);
	void *self;
	pthread_t listener;
	bool has_listener;
	atomic_bool is_stopping;
};

static void *listen_main(void *self);
static void stop(struct route_kernel *kernel);
static bool put_class(struct route_kernel *kernel, const struct route_spec *spec,
    const struct route_attr_spec *attr, const struct route *route, struct err *err);
static bool put(
    void *self, const struct route_spec *spec, const struct route_attr_spec *attr, struct err *err);
static bool remove_object(void *self, const char *object, struct err *err);
static bool is_there(
    void *self, const struct route_spec *spec, const struct route_attr_spec *attr, struct err *err);
static bool list(
    void *self, struct arena *arena, const char *const **objects, size_t *n, struct err *err);

const struct route_ops route_kernel_ops = {
    .name = "linux",
    .put = put,
    .remove = remove_object,
    .is_there = is_there,
    .list = list,
};

struct route_kernel *
route_kernel_new(void (*changed)(void *self), void *self, struct err *err)
{
	struct route_kernel *kernel = xcalloc(1, sizeof(*kernel));
	const int groups[] = {route_news_groups[0], route_news_groups[1], tc_news_group, 0};

	pthread_mutex_init(&kernel->classes, NULL);
	kernel->changed = changed;
	kernel->self = self;
	kernel->netlink = netlink_new(err);
	kernel->events = kernel->netlink ? netlink_events_new(groups, err) : NULL;
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
	pthread_mutex_destroy(&kernel->classes);
	free(kernel);
}

static void
hear(void *self, const struct reply *reply)
{
	bool *is_news = self;

	*is_news |= route_is_news(reply, ROUTE_PROTOCOL) || tc_is_news(reply);
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

/* Classes first: the first packet finds its own. */
static bool
put(void *self, const struct route_spec *spec, const struct route_attr_spec *attr, struct err *err)
{
	struct route_kernel *kernel = self;
	struct route route;

	return resolve(kernel, spec, &route, err) && put_class(kernel, spec, attr, &route, err) &&
	       route_put(kernel->netlink, ROUTE_PROTOCOL, &route, err);
}

static struct port_class
class_of(
    const struct route_spec *spec, const struct route_attr_spec *attr, const struct route *route)
{
	return (struct port_class){.port = spec->device,
	    .device = route->device,
	    .address = route->destination,
	    .rate_bps = (uint64_t)attr->rate_bps,
	    .port_bps = (uint64_t)attr->port_bps};
}

static bool
put_class(struct route_kernel *kernel, const struct route_spec *spec,
    const struct route_attr_spec *attr, const struct route *route, struct err *err)
{
	struct port_class class = class_of(spec, attr, route);
	bool is_put;

	pthread_mutex_lock(&kernel->classes);
	is_put = class.port_bps ? port_class_put(kernel->netlink, &class, err)
				: port_class_remove(kernel->netlink, class.address, err);
	pthread_mutex_unlock(&kernel->classes);
	return is_put;
}

/* The route first: nothing more is to come. */
static bool
remove_destination(struct route_kernel *kernel, const char *destination, struct err *err)
{
	struct route route = {0};
	bool is_gone;

	if (!read_destination(destination, &route, err) ||
	    !route_remove(kernel->netlink, ROUTE_PROTOCOL, &route, err))
		return false;
	pthread_mutex_lock(&kernel->classes);
	is_gone = port_class_remove(kernel->netlink, route.destination, err);
	pthread_mutex_unlock(&kernel->classes);
	return is_gone;
}

/* "p1 1:105", as list named it: of a device that is still there. */
static bool
remove_class(struct route_kernel *kernel, const char *name, struct err *err)
{
	struct port_object object = {0};
	char device_name[IFNAMSIZ] = "";
	const char *minor = strstr(name, CLASS_OF);
	struct device device;
	char *end;
	bool is_gone;

	if (!minor || (size_t)(minor - name) >= sizeof(device_name))
		return err_set(err, ERR_BAD_VALUE, "'%.40s' is no class", name);
	memcpy(device_name, name, (size_t)(minor - name));
	object.minor = (uint32_t)strtoul(minor + strlen(CLASS_OF), &end, 16);
	if (*end)
		return err_set(err, ERR_BAD_VALUE, "'%.40s' is no class", name);
	if (!device_find(kernel->netlink, device_name, &device, err))
		return err->code == ERR_NOT_FOUND;
	object.device = device.index;
	pthread_mutex_lock(&kernel->classes);
	is_gone = port_object_remove(kernel->netlink, &object, err);
	pthread_mutex_unlock(&kernel->classes);
	return is_gone;
}

static bool
remove_object(void *self, const char *object, struct err *err)
{
	return strchr(object, ' ') ? remove_class(self, object, err)
				   : remove_destination(self, object, err);
}

static bool
is_there(
    void *self, const struct route_spec *spec, const struct route_attr_spec *attr, struct err *err)
{
	struct route_kernel *kernel = self;
	struct route wanted, found = {0};
	struct port_class class;
	bool is_found;

	if (!resolve(kernel, spec, &wanted, err) || !route_find(kernel->netlink, ROUTE_PROTOCOL,
							wanted.destination, &found, &is_found, err))
		return false;
	if (!is_found)
		return err_set(err, ERR_WAIT, "the route to %s is missing", spec->destination);
	if (found.next_hop != wanted.next_hop || found.device != wanted.device)
		return err_set(err, ERR_WAIT, "the route to %s is another", spec->destination);
	class = class_of(spec, attr, &wanted);
	return !class.port_bps || port_class_is_there(kernel->netlink, &class, err);
}

/* ---- what there is --------------------------------------------------------------------------- */

struct listing {
	struct arena *arena;
	struct map *known; /* name -> itself */
	vec_of(const char *) names;
};

static void
add_name(struct listing *listing, char *name)
{
	if (map_get(listing->known, name))
		return;
	map_put(listing->known, name, name);
	vec_push(&listing->names, name);
}

static char *
destination_text(struct arena *arena, uint32_t destination, unsigned prefix_len)
{
	char address[INET_ADDRSTRLEN] = "";

	inet_ntop(AF_INET, &destination, address, sizeof(address));
	return prefix_len == 32 ? arena_text(arena, address)
				: arena_format(arena, "%s/%u", address, prefix_len);
}

/* A device that has gone since has taken its classes along. */
static void
add_class(struct listing *listing, const struct port_object *object, const struct device *devices,
    size_t n_devices)
{
	if (object->address) {
		add_name(listing, destination_text(listing->arena, object->address, 32));
		return;
	}
	for (size_t i = 0; i < n_devices; i++)
		if (devices[i].index == object->device)
			add_name(listing, arena_format(listing->arena, "%s" CLASS_OF "%x",
					      devices[i].name, object->minor));
}

static bool
fill_listing(struct route_kernel *kernel, struct listing *listing, struct err *err)
{
	const struct port_object *objects;
	const struct device *devices;
	const struct route *routes;
	size_t n_routes, n_devices, n_objects;
	bool is_listed;

	if (!route_list(kernel->netlink, ROUTE_PROTOCOL, listing->arena, &routes, &n_routes, err) ||
	    !device_list(kernel->netlink, listing->arena, &devices, &n_devices, err))
		return false;
	pthread_mutex_lock(&kernel->classes);
	is_listed = port_object_list(kernel->netlink, listing->arena, &objects, &n_objects, err);
	pthread_mutex_unlock(&kernel->classes);
	for (size_t i = 0; is_listed && i < n_routes; i++)
		add_name(listing,
		    destination_text(listing->arena, routes[i].destination, routes[i].prefix_len));
	for (size_t i = 0; is_listed && i < n_objects; i++)
		add_class(listing, &objects[i], devices, n_devices);
	return is_listed;
}

static bool
list(void *self, struct arena *arena, const char *const **objects, size_t *n, struct err *err)
{
	auto_map struct map *known = map_new();
	struct listing listing = {arena, known, {0}};
	bool is_listed = fill_listing(self, &listing, err);

	if (is_listed) {
		*objects = (void *)arena_copy(
		    arena, listing.names.items, listing.names.n * sizeof(listing.names.items[0]));
		*n = listing.names.n;
	}
	vec_done(&listing.names);
	return is_listed;
}
