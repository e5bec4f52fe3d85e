/*
 * Underlay ports: what has to be there before a link end can use one. Called for each link end, so
 * that whatever somebody removed by hand is back at the next look.
 */
#include <string.h>

#include "redirector/link_book.h"
#include "redirector/link_types.h"
#include "redirector/redirector.h"
#include "redirector/shaper.h"

/* Room for any frame the loop may carry; it is memory alone. */
enum { LOOP_MTU = 65535 };

static bool
has_loop(struct redirector *redirector, const char *const names[2])
{
	struct device device;

	return device_find(redirector->netlink, names[0], &device, NULL) &&
	       device_find(redirector->netlink, names[1], &device, NULL);
}

bool
port_loop_ensure(struct redirector *redirector, struct err *err)
{
	static const char *const names[] = {"vnloop0", "vnloop1"};
	struct device device;

	if (!has_loop(redirector, names) &&
	    !device_make_pair(redirector->netlink, names[0], names[1], err))
		return err_in(err, "loop");
	for (size_t i = 0; i < 2; i++)
		if (!device_ipv6_off(names[i], err) ||
		    !device_find(redirector->netlink, names[i], &device, err) ||
		    (!device.is_up && !device_up(redirector->netlink, &device, LOOP_MTU, err)))
			return err_in(err, "loop");
	return true;
}

static struct shaper_root
root_of(struct redirector *redirector, const struct underlay *underlay, uint32_t device)
{
	return (struct shaper_root){
	    .device = device,
	    .rate_bps = (uint64_t)underlay->rate_bps,
	    .policed_bps = link_book_policed_bps(redirector->book, underlay->place),
	    .n_blocks = redirector->n_blocks,
	};
}

bool
port_tree_ensure(struct redirector *redirector, const struct underlay *underlay, uint32_t device,
    struct err *err)
{
	struct shaper_root root = root_of(redirector, underlay, device);

	return shaper_root_ensure(redirector->netlink, &root, err);
}

/* The port's device, which nobody but the loop's owner makes. */
static bool
find_up(struct redirector *redirector, struct kernel_view *view, const struct underlay *underlay,
    const char *name, struct device *device, struct err *err)
{
	struct device found;
	struct err why;

	if (!kernel_device(view, redirector->netlink, name, &found, &why))
		return err_set(err, why.code == ERR_NOT_FOUND ? ERR_WAIT : why.code,
		    "underlay port '%s': %s", underlay->name, why.text);
	if (!found.is_up)
		return err_set(err, ERR_WAIT, "underlay port '%s' is down", underlay->name);
	*device = found;
	return true;
}

bool
port_is_there(struct redirector *redirector, struct kernel_view *view,
    const struct underlay *underlay, struct device *device, struct err *err)
{
	const struct dataplane *dataplane = &redirector->dataplane;
	struct shaper_root root;
	struct device found = {0}, peer;

	if (underlay->peer[0] && !find_up(redirector, view, underlay, underlay->peer, &peer, err))
		return false;
	if (!find_up(redirector, view, underlay, underlay->device, &found, err))
		return false;
	root = root_of(redirector, underlay, found.index);
	if (!shaper_root_is_there(view, redirector->netlink, &root, err) ||
	    !dataplane->ops->is_watched(dataplane->self, found.index, err))
		return err_in(err, "underlay port '%s'", underlay->name);
	*device = found;
	return true;
}

bool
port_ensure(struct redirector *redirector, const struct underlay *underlay, struct device *device,
    struct err *err)
{
	const struct dataplane *dataplane = &redirector->dataplane;
	struct device found = {0};
	bool is_good;

	if (underlay->peer[0] && !port_loop_ensure(redirector, err))
		return false;
	if (!find_up(redirector, NULL, underlay, underlay->device, &found, err))
		return false;
	pthread_mutex_lock(&redirector->trees);
	is_good = port_tree_ensure(redirector, underlay, found.index, err);
	pthread_mutex_unlock(&redirector->trees);
	if (!is_good || !dataplane->ops->watch(dataplane->self, found.index, err))
		return err_in(err, "underlay port '%s'", underlay->name);
	*device = found;
	return true;
}

void
port_capacity(void *self, struct str *lines)
{
	const struct redirector *redirector = self;

	auto_arena struct arena *arena = arena_new();
	const struct link_type *types;
	size_t n_types = link_types_list(redirector->types, arena, &types);

	for (size_t i = 0; i < n_types; i++)
		str_addf(lines, "link_type.%s=%u:%u%s\n", types[i].name,
		    link_type_overhead(&types[i]), types[i].id_bits,
		    types[i].flags & LINK_NO_GSO ? ":whole" : "");
	for (size_t i = 0; i < redirector->n_underlays; i++) {
		const struct underlay *underlay = &redirector->underlays[i];

		str_addf(lines, "port.%s.rate_bps=%lld\n", underlay->name,
		    (long long)underlay->rate_bps);
	}
}
