/*
 * Both drivers: hooks, entries, counters.
 */
#include "redirector/driver_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/net/device.h"

void
driver_init(
    struct driver *driver, const struct dataplane_config *config, const struct bpf_program *leave)
{
	driver->leave = leave;
	driver->leave_id = bpf_program_id(bpf_program__fd(leave));
	driver->netlink = config->netlink;
	driver->hook = config->hook;
	pthread_mutex_init(&driver->lock, NULL);
}

void
driver_done(struct driver *driver)
{
	maps_done(&driver->maps);
	pthread_mutex_destroy(&driver->lock);
}

/* ---- hooks ------------------------------------------------------------------------------------
 */

bool
driver_attach(
    struct driver *driver, uint32_t device, const struct bpf_program *program, struct err *err)
{
	int fd = bpf_program__fd(program);

	return bpf_ingress_has(device, bpf_program_id(fd), driver->hook) ||
	       bpf_ingress_attach(driver->netlink, device, fd, driver->hook, err);
}

/* ---- entries ----------------------------------------------------------------------------------
 */

bool
driver_depart(struct driver *driver, struct trace *trace, uint32_t port,
    const struct redirect_departure *departure, struct err *err)
{
	trace_port(trace, port, departure);
	if (bpf_map__update_elem(driver->maps.departures, &port, sizeof(port), departure,
		sizeof(*departure), BPF_ANY))
		return maps_failed(err, "setting the port of a link end");
	return driver_attach(driver, port, driver->leave, err);
}

bool
driver_departs(struct driver *driver, uint32_t port, const struct redirect_departure *departure,
    struct err *err)
{
	struct redirect_departure found;

	if (!departure_find(&driver->maps, port, &found) || found.rid != departure->rid)
		return err_set(err, ERR_NOT_FOUND, "the port has no entry");
	if (memcmp(&found, departure, sizeof(found)) != 0)
		return err_set(err, ERR_CONFLICT, "the port's entry has other values");
	return bpf_ingress_has(port, driver->leave_id, driver->hook) ||
	       err_set(err, ERR_NOT_FOUND, "the port's program is not attached");
}

bool
driver_arrive(struct driver *driver, struct trace *trace, const struct redirect_arrival_key *key,
    const struct redirect_arrival *arrival, struct err *err)
{
	trace_key(trace, key);
	return !bpf_map__update_elem(
		   driver->maps.arrivals, key, sizeof(*key), arrival, sizeof(*arrival), BPF_ANY) ||
	       maps_failed(err, "setting the key of a link end");
}

bool
driver_arrives(struct driver *driver, const struct redirect_arrival_key *key,
    const struct redirect_arrival *arrival, struct err *err)
{
	struct redirect_arrival found, wanted = *arrival;

	if (!arrival_find(&driver->maps, key, &found))
		return err_set(err, ERR_NOT_FOUND, "the key has no entry");
	if (!memcmp(&found, arrival, sizeof(found)))
		return true;
	/* The node may give its device another address: no loss, and nobody's fault. */
	memcpy(wanted.far, found.far, sizeof(wanted.far));
	wanted.flags = (wanted.flags & ~(uint32_t)REDIRECT_FAR) | (found.flags & REDIRECT_FAR);
	if (!memcmp(&found, &wanted, sizeof(found)))
		return err_set(err, ERR_UNAVAILABLE, "the port's other half is another one now");
	return err_set(err, ERR_CONFLICT, "the key's entry has other values");
}

/* ---- what is left of earlier ones -------------------------------------------------------------
 */

/*
 * Detach first: a port without an entry drops frames, one without a program leads nowhere. A port
 * that another link end has taken over stays as it is.
 */
static bool
port_drop(struct driver *driver, uint64_t rid, uint32_t port, struct err *err)
{
	struct redirect_departure departure;

	if (departure_find(&driver->maps, port, &departure) && departure.rid != rid)
		return true;
	return bpf_ingress_detach(driver->netlink, port, err) &&
	       departure_drop(&driver->maps, rid, port, err);
}

bool
driver_trim(struct driver *driver, struct trace *trace, uint32_t port,
    const struct redirect_arrival_key *key, struct err *err)
{
	port_vec ports = {0};
	key_vec keys = {0};
	bool good = true;

	vec_each (item, &trace->ports)
		if (*item == port || !port_drop(driver, trace->held.rid, *item, err)) {
			good = good && *item == port;
			vec_push(&ports, *item);
		}
	vec_each (item, &trace->keys)
		if ((key && !memcmp(item, key, sizeof(*key))) ||
		    !arrival_drop(&driver->maps, trace->held.rid, item, err)) {
			good = good && key && !memcmp(item, key, sizeof(*key));
			vec_push(&keys, *item);
		}
	vec_done(&trace->ports);
	vec_done(&trace->keys);
	trace->ports = ports;
	trace->keys = keys;
	return good;
}

bool
driver_forget(struct driver *driver, uint64_t rid, struct err *err)
{
	struct trace *trace = trace_find(&driver->maps, rid);

	if (!trace)
		return true;
	if (!driver_trim(driver, trace, 0, NULL, err))
		return false;
	trace_forget(&driver->maps, trace);
	return true;
}

/* ---- looking ----------------------------------------------------------------------------------
 */

/* Sums what each processor has counted: `n` numbers at `key`. */
static bool
sum_of_cpus(struct driver *driver, const struct bpf_map *map, uint32_t key, uint64_t *sum, size_t n)
{
	size_t size = n * sizeof(*sum) * (size_t)driver->maps.n_cpus;
	auto_free uint64_t *each = xcalloc(1, size);

	if (bpf_map__lookup_elem(map, &key, sizeof(key), each, size, 0))
		return false;
	memset(sum, 0, n * sizeof(*sum));
	for (size_t i = 0; i < n * (size_t)driver->maps.n_cpus; i++)
		sum[i % n] += each[i];
	return true;
}

bool
driver_keep(void *self, struct str *found, struct err *err)
{
	struct driver *driver = self;

	return maps_keep(&driver->maps, found, err);
}

bool
driver_counters(void *self, uint64_t rid, struct dataplane_counters *counters, struct err *err)
{
	struct driver *driver = self;
	struct trace *trace;

	union {
		struct dataplane_counters counters;
		uint64_t numbers[sizeof(struct redirect_count) / sizeof(uint64_t)];
	} sum;

	bool good;

	_Static_assert(sizeof(struct dataplane_counters) == sizeof(struct redirect_count),
	    "the same fields in the same order");
	pthread_mutex_lock(&driver->lock);
	trace = trace_find(&driver->maps, rid);
	good = trace && sum_of_cpus(driver, driver->maps.counts, trace->slot, sum.numbers,
			    sizeof(sum) / sizeof(sum.numbers[0]));
	pthread_mutex_unlock(&driver->lock);
	if (!good)
		return err_set(err, ERR_NOT_FOUND, "there are no counters of this link end");
	*counters = sum.counters;
	return true;
}

bool
driver_strays(void *self, struct dataplane_strays *strays, struct err *err)
{
	struct driver *driver = self;
	const struct bpf_map *map = driver->maps.strays;

	return (sum_of_cpus(driver, map, REDIRECT_STRAY_KEY, &strays->unknown_key, 1) &&
		   sum_of_cpus(driver, map, REDIRECT_STRAY_MALFORMED, &strays->malformed, 1)) ||
	       maps_failed(err, "reading the strays");
}

bool
driver_list(void *self, struct arena *arena, const struct dataplane_held **held, size_t *n_held,
    struct err *err)
{
	struct driver *driver = self;
	vec_of(struct dataplane_held) found = {0};
	const struct trace *trace;

	(void)err;
	pthread_mutex_lock(&driver->lock);
	for (size_t at = 0; (trace = map_next(driver->maps.traces, &at));)
		vec_push(&found, trace->held);
	pthread_mutex_unlock(&driver->lock);
	*n_held = found.n;
	*held = (const struct dataplane_held *)(void *)arena_copy(
	    arena, found.items, found.n * sizeof(*found.items));
	vec_done(&found);
	return true;
}

/* ---- another driver's -------------------------------------------------------------------------
 */

/* Programs of ours, at all devices: ports have none then, and lead nowhere for a while. */
static bool
programs_detach(struct netlink *netlink, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const struct device *devices;
	size_t n_devices;

	if (!device_list(netlink, arena, &devices, &n_devices, err))
		return false;
	for (size_t i = 0; i < n_devices; i++)
		if (bpf_ingress_program(devices[i].index) &&
		    !bpf_ingress_detach(netlink, devices[i].index, err))
			return false;
	return true;
}

static void
pins_remove(DIR *folder, const char *path)
{
	const struct dirent *entry;

	while ((entry = readdir(folder)))
		if (!strncmp(entry->d_name, "vn_", 3))
			unlinkat(dirfd(folder), entry->d_name, 0);
	rmdir(path);
}

bool
driver_succeed(const struct dataplane_config *config, const char *name, struct err *err)
{
	auto_str struct str path = {0};
	DIR *folder;
	bool good;

	str_addf(&path, "%s/%s", config->folder, name);
	folder = opendir(path.text);
	if (!folder)
		return errno == ENOENT ||
		       err_set(err, ERR_INTERNAL, "opening %s: %s", path.text, strerror(errno));
	good = programs_detach(config->netlink, err);
	if (good)
		pins_remove(folder, path.text);
	closedir(folder);
	return good;
}
