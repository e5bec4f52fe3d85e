/*
 * Routes in a map.
 */
#include "test/support/route_fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_route {
	char destination[20], next_hop[16], device[16];
	int64_t rate_bps, port_bps;
};

static struct fake_route *
route_copy(const struct route_spec *spec, const struct route_attr_spec *attr)
{
	struct fake_route *copy = xcalloc(1, sizeof(*copy));

	snprintf(copy->destination, sizeof(copy->destination), "%s", spec->destination);
	snprintf(copy->next_hop, sizeof(copy->next_hop), "%s", spec->next_hop);
	snprintf(copy->device, sizeof(copy->device), "%s", spec->device);
	copy->rate_bps = attr->rate_bps;
	copy->port_bps = attr->port_bps;
	return copy;
}

static bool
put(void *self, const struct route_spec *route, const struct route_attr_spec *attr, struct err *err)
{
	struct route_fake *fake = self;
	bool is_down;

	pthread_mutex_lock(&fake->lock);
	is_down = str_equal(fake->down, route->device);
	if (!is_down)
		free(map_put(fake->routes, route->destination, route_copy(route, attr)));
	pthread_mutex_unlock(&fake->lock);
	return !is_down || err_set(err, ERR_WAIT, "no device '%s'", route->device);
}

static bool
remove_route(void *self, const char *destination, struct err *err)
{
	struct route_fake *fake = self;

	(void)err;
	pthread_mutex_lock(&fake->lock);
	free(map_drop(fake->routes, destination));
	pthread_mutex_unlock(&fake->lock);
	return true;
}

static bool
is_there(
    void *self, const struct route_spec *route, const struct route_attr_spec *attr, struct err *err)
{
	struct route_fake *fake = self;
	struct fake_route *found;
	bool is_same;

	pthread_mutex_lock(&fake->lock);
	found = map_get(fake->routes, route->destination);
	is_same = found && str_equal(found->next_hop, route->next_hop) &&
		  str_equal(found->device, route->device) && found->rate_bps == attr->rate_bps &&
		  found->port_bps == attr->port_bps;
	pthread_mutex_unlock(&fake->lock);
	return is_same || err_set(err, ERR_WAIT, "no route to %s", route->destination);
}

static bool
list(void *self, struct arena *arena, const char *const **destinations, size_t *n, struct err *err)
{
	struct route_fake *fake = self;
	struct fake_route *route;
	const char **out;

	(void)err;
	*n = 0;
	pthread_mutex_lock(&fake->lock);
	out = arena_alloc(arena, map_size(fake->routes) * sizeof(*out));
	for (size_t at = 0; (route = map_next(fake->routes, &at));)
		out[(*n)++] = arena_text(arena, route->destination);
	pthread_mutex_unlock(&fake->lock);
	*destinations = out;
	return true;
}

const struct route_ops route_fake_ops = {
    .name = "fake",
    .put = put,
    .remove = remove_route,
    .is_there = is_there,
    .list = list,
};

void
route_fake_init(struct route_fake *fake)
{
	*fake = (struct route_fake){.routes = map_new()};
	pthread_mutex_init(&fake->lock, NULL);
}

void
route_fake_done(struct route_fake *fake)
{
	struct fake_route *route;

	for (size_t at = 0; (route = map_next(fake->routes, &at));)
		free(route);
	map_free(fake->routes);
	pthread_mutex_destroy(&fake->lock);
}

bool
route_fake_next(struct route_fake *fake, const char *destination, char text[16])
{
	struct fake_route *route;

	pthread_mutex_lock(&fake->lock);
	route = map_get(fake->routes, destination);
	if (route)
		snprintf(text, 16, "%s", route->next_hop);
	pthread_mutex_unlock(&fake->lock);
	return route != NULL;
}

bool
route_fake_rates(
    struct route_fake *fake, const char *destination, int64_t *rate_bps, int64_t *port_bps)
{
	struct fake_route *route;

	pthread_mutex_lock(&fake->lock);
	route = map_get(fake->routes, destination);
	*rate_bps = route ? route->rate_bps : -1;
	*port_bps = route ? route->port_bps : -1;
	pthread_mutex_unlock(&fake->lock);
	return route != NULL;
}

size_t
route_fake_count(struct route_fake *fake)
{
	size_t n;

	pthread_mutex_lock(&fake->lock);
	n = map_size(fake->routes);
	pthread_mutex_unlock(&fake->lock);
	return n;
}
