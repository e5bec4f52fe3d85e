/*
 * Tunnel devices, addresses and routes, counted by their users.
 */
#include "redirector/tunnels.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "lib/net/route.h"

enum { ROUTE_PROTOCOL = 118, N_KINDS = 3 };

/* By type of link, in the order of enum tunnel_kind. */
static const struct {
	const char *type;
	const char *device;
} kinds[N_KINDS] = {
    [TUNNEL_VXLAN] = {"vxlan", "vnvx0"},
    [TUNNEL_GRETAP] = {"gre", "vngre0"},
    [TUNNEL_GENEVE] = {"geneve", "vngnv0"},
};

/* What a link end uses: one path, or two while it moves. */
struct use {
	vec_of(struct tunnel_path) paths;
};

struct tunnels {
	struct netlink *netlink;
	struct map *uses; /* by rid */
	/* How many paths use a device, a local address on it, a remote address. */
	size_t n_of_kind[N_KINDS];
	struct map *locals;  /* by kind and address */
	struct map *remotes; /* by address */
};

/* ---- counting ---------------------------------------------------------------------------------
 */

static uint64_t
local_key(const struct tunnel_path *path)
{
	return (uint64_t)path->kind << 32 | path->local;
}

static size_t
count_of(const struct map *map, uint64_t key)
{
	const size_t *count = map_get_id(map, key);

	return count ? *count : 0;
}

static void
count_up(struct map *map, uint64_t key)
{
	size_t *count = map_get_id(map, key);

	if (!count) {
		count = xcalloc(1, sizeof(*count));
		map_put_id(map, key, count);
	}
	(*count)++;
}

static void
count_down(struct map *map, uint64_t key)
{
	size_t *count = map_get_id(map, key);

	if (count && !--*count)
		free(map_drop_id(map, key));
}

static bool
is_same(const struct tunnel_path *a, const struct tunnel_path *b)
{
	return a->kind == b->kind && a->local == b->local && a->remote == b->remote;
}

void
tunnels_adopt(struct tunnels *tunnels, uint64_t rid, const struct tunnel_path *path)
{
	struct use *use = map_get_id(tunnels->uses, rid);

	if (!use) {
		use = xcalloc(1, sizeof(*use));
		map_put_id(tunnels->uses, rid, use);
	}
	vec_each (known, &use->paths)
		if (is_same(known, path))
			return;
	vec_push(&use->paths, *path);
	tunnels->n_of_kind[path->kind]++;
	count_up(tunnels->locals, local_key(path));
	count_up(tunnels->remotes, path->remote);
}

static void
counts_free(struct map *map)
{
	void *count;

	for (size_t at = 0; (count = map_next(map, &at));)
		free(count);
	map_free(map);
}

void
tunnels_free(struct tunnels *tunnels)
{
	struct use *use;

	if (!tunnels)
		return;
	for (size_t at = 0; (use = map_next(tunnels->uses, &at));) {
		vec_done(&use->paths);
		free(use);
	}
	map_free(tunnels->uses);
	counts_free(tunnels->locals);
	counts_free(tunnels->remotes);
	free(tunnels);
}

struct tunnels *
tunnels_new(struct netlink *netlink)
{
	struct tunnels *tunnels = xcalloc(1, sizeof(*tunnels));

	tunnels->netlink = netlink;
	tunnels->uses = map_new();
	tunnels->locals = map_new();
	tunnels->remotes = map_new();
	return tunnels;
}

bool
tunnels_kind(const struct link_type *type, enum tunnel_kind *kind, struct err *err)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (!strcmp(kinds[i].type, type->name)) {
			*kind = (enum tunnel_kind)i;
			return true;
		}
	return err_set(err, ERR_BAD_VALUE, "link type '%s' needs the driver bpf", type->name);
}

/* ---- making -----------------------------------------------------------------------------------
 */

static struct route
route_of(const struct tunnel_path *path)
{
	return (struct route){
	    .destination = path->remote,
	    .prefix_len = 32,
	    .next_hop = path->next_hop,
	    .device = path->underlay,
	    .source = path->local,
	};
}

/* Does the route lead where the path goes? The kernel drops it along with its source. */
static bool
route_is_there(
    struct netlink *netlink, const struct tunnel_path *path, bool *is_there, struct err *err)
{
	struct route wanted = route_of(path), found;

	if (!route_find(netlink, ROUTE_PROTOCOL, path->remote, &found, is_there, err))
		return false;
	*is_there = *is_there && found.next_hop == wanted.next_hop &&
		    found.device == wanted.device && found.source == wanted.source;
	return true;
}

static bool
path_ensure(
    struct netlink *netlink, const struct tunnel_path *path, uint32_t device, struct err *err)
{
	struct route route = route_of(path);
	bool is_there;

	if (!address_is_own(netlink, path->local, &is_there, err) ||
	    (!is_there && !address_put(netlink, device, path->local, err)) ||
	    !route_is_there(netlink, path, &is_there, err))
		return false;
	return is_there || route_put(netlink, ROUTE_PROTOCOL, &route, err);
}

bool
tunnels_ensure(struct tunnels *tunnels, uint64_t rid, const struct tunnel_path *path,
    uint32_t *device, struct err *err)
{
	struct device tunnel;

	tunnels_adopt(tunnels, rid, path);
	if (!tunnel_ensure(tunnels->netlink, kinds[path->kind].device, path->kind, path->udp_port,
		&tunnel, err) ||
	    !path_ensure(tunnels->netlink, path, tunnel.index, err))
		return false;
	*device = tunnel.index;
	return true;
}

bool
tunnels_is_there(
    struct tunnels *tunnels, const struct tunnel_path *path, uint32_t *device, struct err *err)
{
	struct device tunnel;
	bool is_there;

	if (!device_find(tunnels->netlink, kinds[path->kind].device, &tunnel, err))
		return false;
	if (!tunnel.is_up)
		return err_set(err, ERR_NOT_FOUND, "device '%s' is down", tunnel.name);
	if (!address_is_own(tunnels->netlink, path->local, &is_there, err))
		return false;
	if (!is_there)
		return err_set(err, ERR_NOT_FOUND, "the path's local address is missing");
	if (!route_is_there(tunnels->netlink, path, &is_there, err))
		return false;
	if (!is_there)
		return err_set(err, ERR_NOT_FOUND, "the route to the path's other end is missing");
	*device = tunnel.index;
	return true;
}

/* ---- removing ---------------------------------------------------------------------------------
 */

static bool
route_drop(struct netlink *netlink, uint32_t remote, struct err *err)
{
	struct route route = {.destination = remote, .prefix_len = 32};

	return route_remove(netlink, ROUTE_PROTOCOL, &route, err);
}

/* A device that is gone has taken its addresses along. */
static bool
address_drop(struct netlink *netlink, enum tunnel_kind kind, uint32_t local, struct err *err)
{
	struct device tunnel;
	struct err why;

	if (!device_find(netlink, kinds[kind].device, &tunnel, &why))
		return why.code == ERR_NOT_FOUND || err_set(err, why.code, "%s", why.text);
	return address_remove(netlink, tunnel.index, local, err);
}

/* The last user takes the thing along. */
static bool
path_drop(struct tunnels *tunnels, const struct tunnel_path *path, struct err *err)
{
	struct netlink *netlink = tunnels->netlink;

	if (count_of(tunnels->remotes, path->remote) == 1 &&
	    !route_drop(netlink, path->remote, err))
		return false;
	if (count_of(tunnels->locals, local_key(path)) == 1 &&
	    !address_drop(netlink, path->kind, path->local, err))
		return false;
	if (tunnels->n_of_kind[path->kind] == 1 &&
	    !device_remove(netlink, kinds[path->kind].device, err))
		return false;
	count_down(tunnels->remotes, path->remote);
	count_down(tunnels->locals, local_key(path));
	tunnels->n_of_kind[path->kind]--;
	return true;
}

bool
tunnels_settle(
    struct tunnels *tunnels, uint64_t rid, const struct tunnel_path *path, struct err *err)
{
	struct use *use = map_get_id(tunnels->uses, rid);

	for (size_t i = 0; use && i < use->paths.n;) {
		if (path && is_same(&use->paths.items[i], path)) {
			i++;
			continue;
		}
		if (!path_drop(tunnels, &use->paths.items[i], err))
			return false;
		use->paths.items[i] = use->paths.items[--use->paths.n];
	}
	if (use && !use->paths.n) {
		map_drop_id(tunnels->uses, rid);
		vec_done(&use->paths);
		free(use);
	}
	return true;
}

/* ---- strays -----------------------------------------------------------------------------------
 */

static bool
sweep_device(struct tunnels *tunnels, enum tunnel_kind kind, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct tunnel_path path = {.kind = kind};
	const uint32_t *addresses;
	struct device tunnel;
	size_t n_addresses;
	struct err why;

	if (!device_find(tunnels->netlink, kinds[kind].device, &tunnel, &why))
		return why.code == ERR_NOT_FOUND || err_set(err, why.code, "%s", why.text);
	if (!tunnels->n_of_kind[kind])
		return device_remove(tunnels->netlink, kinds[kind].device, err);
	if (!address_list(tunnels->netlink, tunnel.index, arena, &addresses, &n_addresses, err))
		return false;
	for (size_t i = 0; i < n_addresses; i++) {
		path.local = addresses[i];
		if (!count_of(tunnels->locals, local_key(&path)) &&
		    !address_remove(tunnels->netlink, tunnel.index, path.local, err))
			return false;
	}
	return true;
}

/* Routes of that protocol without a source are another daemon's. */
static bool
sweep_routes(struct tunnels *tunnels, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const struct route *routes;
	size_t n_routes;

	if (!route_list(tunnels->netlink, ROUTE_PROTOCOL, arena, &routes, &n_routes, err))
		return false;
	for (size_t i = 0; i < n_routes; i++)
		if (routes[i].source && !count_of(tunnels->remotes, routes[i].destination) &&
		    !route_remove(tunnels->netlink, ROUTE_PROTOCOL, &routes[i], err))
			return false;
	return true;
}

bool
tunnels_sweep(struct tunnels *tunnels, struct err *err)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (!sweep_device(tunnels, (enum tunnel_kind)i, err))
			return false;
	return sweep_routes(tunnels, err);
}
