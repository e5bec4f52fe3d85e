/*
 * Hosts and the daemons on them.
 */
#include "snc/inventory.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xml/xml_read.h"
#include "snc/inventory_part.h"

static const struct {
	const char *role;
	int port;
} daemons[N_DAEMONS] = {{"redirector", 7703}, {"programmer", 7704}};

static const struct xml_limits limits = {.bytes = 1 << 20, .elements = 10000, .text = 256};

static bool read_host(
    struct inventory *inventory, const struct xml_element *element, struct err *err);
static void index_daemons(struct inventory *inventory);

/* gcc's analyzer would take what inventory_free itself does for use after it, where it is called
 * beside it. */
static void
destroy(struct inventory *inventory)
{
	if (!inventory)
		return;
	vec_each (host, &inventory->hosts) {
		free(host->name);
		free(host->address);
		for (int i = 0; i < N_DAEMONS; i++) {
			free(host->daemons[i].address);
			free(host->daemons[i].version);
			free(host->daemons[i].db_uuid);
			free(host->daemons[i].capacity);
		}
	}
	vec_done(&inventory->hosts);
	map_free(inventory->by_manager);
	vec_done(&inventory->images);
	vec_done(&inventory->carriers);
	arena_free(inventory->said);
	pthread_mutex_destroy(&inventory->lock);
	free(inventory);
}

void
inventory_free(struct inventory *inventory)
{
	destroy(inventory);
}

static void
inventory_cleanup(struct inventory **inventory)
{
	destroy(*inventory);
}

static struct inventory *
inventory_new(const struct clock *clock)
{
	struct inventory *inventory = xcalloc(1, sizeof(*inventory));

	pthread_mutex_init(&inventory->lock, NULL);
	inventory->clock = clock;
	inventory->by_manager = map_new();
	inventory->said_version = NEVER;
	return inventory;
}

struct inventory *
inventory_read(const char *xml, size_t size, const struct clock *clock, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	__attribute__((cleanup(inventory_cleanup))) struct inventory *inventory =
	    inventory_new(clock);
	struct xml_element *root = xml_read(xml, size, &limits, arena, err);

	if (!root)
		return NULL;
	if (!str_equal(root->name, "substrate") || !str_equal(xml_value(root, "version"), "1.0")) {
		err_set(
		    err, ERR_X02, "expected <substrate version=\"1.0\">, found <%s>", root->name);
		err_at(err, root->line, "");
		return NULL;
	}
	xml_each (element, root, NULL) {
		if (!read_host(inventory, element, err)) {
			err_at(err, element->line, "");
			return NULL;
		}
	}
	index_daemons(inventory);
	return take(inventory);
}

/* [a-z][a-z0-9-]{0,31} */
static bool
is_host_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= 32 && name[0] >= 'a' && name[0] <= 'z' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static bool
has_host(const struct inventory *inventory, const char *name)
{
	for (size_t i = 0; i < inventory->hosts.n; i++)
		if (strcmp(inventory->hosts.items[i].name, name) == 0)
			return true;
	return false;
}

static bool
check_host(const struct inventory *inventory, const struct xml_element *element, struct err *err)
{
	const char *name = xml_value(element, "name"), *kind = xml_value(element, "kind");
	const char *address = xml_value(element, "address");
	struct in_addr parsed;

	if (!str_equal(element->name, "host"))
		return err_set(
		    err, ERR_X05, "unknown element <%s>, expected <host>", element->name);
	if (!name || !kind || !address || element->n_attributes != 3)
		return err_set(
		    err, ERR_X04, "<host> has exactly the attributes name, kind and address");
	if (!is_host_name(name))
		return err_set(err, ERR_BAD_NAME,
		    "'%s' is no name of a host: lower-case letters, digits, '-'; at most 32", name);
	if (has_host(inventory, name))
		return err_set(err, ERR_X06, "there are two hosts '%s'", name);
	if (strcmp(kind, "vnode") != 0 && strcmp(kind, "agw") != 0)
		return err_set(
		    err, ERR_BAD_VALUE, "kind of '%s' is '%s', not vnode or agw", name, kind);
	if (inet_pton(AF_INET, address, &parsed) != 1)
		return err_set(
		    err, ERR_BAD_VALUE, "address of '%s' is '%s', no IPv4 address", name, address);
	return true;
}

static bool
read_host(struct inventory *inventory, const struct xml_element *element, struct err *err)
{
	struct host *host;

	if (!check_host(inventory, element, err))
		return false;
	host = vec_add(&inventory->hosts);
	host->name = xstrdup(xml_value(element, "name"));
	host->address = xstrdup(xml_value(element, "address"));
	host->is_agw = str_equal(xml_value(element, "kind"), "agw");
	for (int i = 0; i < N_DAEMONS; i++) {
		auto_str struct str address = {0};

		str_addf(&address, "%s:%d", host->address, daemons[i].port);
		host->daemons[i] = (struct inventory_daemon){
		    str_take(&address), xstrdup(""), xstrdup(""), xstrdup(""), NEVER, false};
	}
	return true;
}

static void
index_daemons(struct inventory *inventory)
{
	vec_each (host, &inventory->hosts) {
		for (int i = 0; i < n_daemons(host); i++) {
			auto_str struct str name = {0};

			str_addf(&name, "%s@%s", daemons[i].role, host->name);
			map_put(inventory->by_manager, str_text(&name), &host->daemons[i]);
		}
	}
}

static struct inventory_daemon *
find_daemon(const struct inventory *inventory, const char *manager)
{
	return map_get(inventory->by_manager, manager);
}

static bool
replace(char **old, const char *new)
{
	if (strcmp(*old, new) == 0)
		return false;
	free(*old);
	*old = xstrdup(new);
	return true;
}

bool
inventory_tell(struct inventory *inventory, const struct inventory_word *word, bool is_alive,
    bool *is_new, struct err *err)
{
	struct inventory_daemon *daemon;

	pthread_mutex_lock(&inventory->lock);
	daemon = find_daemon(inventory, word->manager);
	if (daemon) {
		bool has_version = replace(&daemon->version, word->version);
		bool has_uuid = replace(&daemon->db_uuid, word->db_uuid);

		bool has_capacity = replace(&daemon->capacity, word->capacity);

		inventory->version += has_capacity;
		*is_new = has_capacity || has_version || has_uuid;
	}
	if (daemon && is_alive) {
		daemon->heard_ms = clock_boot_ms(inventory->clock);
		daemon->is_failing = false;
	}
	pthread_mutex_unlock(&inventory->lock);
	return daemon ||
	       err_set(err, ERR_NOT_FOUND, "'%s' is not in the inventory of hosts", word->manager);
}

void
inventory_heard(struct inventory *inventory, const char *manager)
{
	struct inventory_daemon *daemon;

	pthread_mutex_lock(&inventory->lock);
	daemon = find_daemon(inventory, manager);
	if (daemon) {
		daemon->heard_ms = clock_boot_ms(inventory->clock);
		daemon->is_failing = false;
	}
	pthread_mutex_unlock(&inventory->lock);
}

void
inventory_failed(struct inventory *inventory, const char *manager)
{
	struct inventory_daemon *daemon;

	pthread_mutex_lock(&inventory->lock);
	daemon = find_daemon(inventory, manager);
	if (daemon)
		daemon->is_failing = true;
	pthread_mutex_unlock(&inventory->lock);
}

/* One that has answered a call, but has not said yet what it has, is of no use to anybody. */
static bool
is_up(const struct inventory *inventory, const struct inventory_daemon *daemon)
{
	return *daemon->capacity && daemon->heard_ms != NEVER && !daemon->is_failing &&
	       clock_boot_ms(inventory->clock) - daemon->heard_ms <= INVENTORY_SILENT_MS;
}

bool
inventory_is_up(struct inventory *inventory, const char *manager)
{
	struct inventory_daemon *daemon;
	bool is;

	pthread_mutex_lock(&inventory->lock);
	daemon = find_daemon(inventory, manager);
	is = daemon && is_up(inventory, daemon);
	pthread_mutex_unlock(&inventory->lock);
	return is;
}

static struct host *
find_host(const struct inventory *inventory, const char *name, struct err *err)
{
	vec_each (host, &inventory->hosts)
		if (strcmp(host->name, name) == 0)
			return host;
	err_set(err, ERR_NOT_FOUND, "'%s' is not in the inventory of hosts", name);
	return NULL;
}

bool
inventory_evict(struct inventory *inventory, const char *host, bool is_evicted, struct err *err)
{
	struct host *found = find_host(inventory, host, err);

	if (!found)
		return false;
	pthread_mutex_lock(&inventory->lock);
	found->is_evicted = is_evicted;
	inventory->version++;
	pthread_mutex_unlock(&inventory->lock);
	return true;
}

bool
inventory_of_host(struct inventory *inventory, const char *host, struct arena *arena,
    struct inventory_managers *managers, struct err *err)
{
	const struct host *found = find_host(inventory, host, err);

	if (!found)
		return false;
	managers->n = (size_t)n_daemons(found);
	managers->names = arena_alloc(arena, managers->n * sizeof(managers->names[0]));
	for (size_t i = 0; i < managers->n; i++)
		managers->names[i] = arena_format(arena, "%s@%s", daemons[i].role, found->name);
	return true;
}

/* The hosts themselves never change after reading: names and addresses need no lock. */
const char *
inventory_address(
    struct inventory *inventory, const char *manager, struct arena *arena, struct err *err)
{
	const struct inventory_daemon *daemon = find_daemon(inventory, manager);

	if (daemon)
		return arena_text(arena, daemon->address);
	err_set(err, ERR_NOT_FOUND, "'%s' is not in the inventory of hosts", manager);
	return NULL;
}

void
inventory_silent(struct inventory *inventory, int64_t silent_ms, struct arena *arena,
    struct inventory_managers *managers)
{
	int64_t now_ms = clock_boot_ms(inventory->clock);

	managers->names =
	    arena_alloc(arena, inventory->hosts.n * N_DAEMONS * sizeof(managers->names[0]));
	managers->n = 0;
	pthread_mutex_lock(&inventory->lock);
	vec_each (host, &inventory->hosts) {
		for (int i = 0; i < n_daemons(host) && !host->is_evicted; i++) {
			const struct inventory_daemon *daemon = &host->daemons[i];

			if (daemon->heard_ms != NEVER && !daemon->is_failing &&
			    now_ms - daemon->heard_ms < silent_ms)
				continue;
			managers->names[managers->n++] =
			    arena_format(arena, "%s@%s", daemons[i].role, host->name);
		}
	}
	pthread_mutex_unlock(&inventory->lock);
}

void
inventory_managers(
    struct inventory *inventory, struct arena *arena, struct inventory_managers *managers)
{
	inventory_silent(inventory, INT64_MIN, arena, managers);
}

static bool
is_whole(const struct inventory *inventory, const struct host *host)
{
	bool is = !host->is_evicted;

	for (int i = 0; i < n_daemons(host); i++)
		is = is && is_up(inventory, &host->daemons[i]);
	return is;
}

static void
fill_host(const struct inventory *inventory, const struct host *host, struct arena *arena,
    struct substrate_host *to)
{
	to->name = arena_text(arena, host->name);
	to->is_agw = host->is_agw;
	to->is_up = is_whole(inventory, host);
	to->is_evicted = host->is_evicted;
	for (int i = 0; i < n_daemons(host); i++)
		capacity_read(host->daemons[i].capacity, arena, to);
}

int64_t
inventory_version(struct inventory *inventory)
{
	int64_t version;

	pthread_mutex_lock(&inventory->lock);
	version = inventory->version;
	pthread_mutex_unlock(&inventory->lock);
	return version;
}

void
inventory_see_up(struct inventory *inventory, struct substrate *substrate)
{
	pthread_mutex_lock(&inventory->lock);
	for (size_t i = 0; i < substrate->n_hosts; i++)
		substrate->hosts[i].is_up = is_whole(inventory, &inventory->hosts.items[i]);
	pthread_mutex_unlock(&inventory->lock);
}

struct substrate *
inventory_substrate(struct inventory *inventory, struct arena *arena)
{
	struct substrate *substrate = arena_new_of(arena, struct substrate);

	substrate->n_hosts = inventory->hosts.n;
	substrate->hosts = arena_alloc(arena, substrate->n_hosts * sizeof(substrate->hosts[0]));
	pthread_mutex_lock(&inventory->lock);
	for (size_t i = 0; i < substrate->n_hosts; i++)
		fill_host(inventory, &inventory->hosts.items[i], arena, &substrate->hosts[i]);
	pthread_mutex_unlock(&inventory->lock);
	return substrate;
}

static void
describe(const struct inventory *inventory, const struct host *host, struct arena *arena,
    struct inventory_host *to)
{
	auto_str struct str up = {0};
	int n_up = 0;

	for (int i = 0; i < n_daemons(host); i++) {
		if (!is_up(inventory, &host->daemons[i]))
			continue;
		str_addf(&up, "%s%s", n_up++ ? " " : "", daemons[i].role);
	}
	to->name = arena_text(arena, host->name);
	to->is_agw = host->is_agw;
	to->state = host->is_evicted          ? "evicted"
		    : n_up == n_daemons(host) ? "up"
		    : n_up > 0                ? "partial"
					      : "down";
	to->daemons = arena_text(arena, str_text(&up));
	to->accel = capacity_text(host->daemons[PROGRAMMER].capacity, "accel", arena);
	if (!to->accel)
		to->accel = "none";
}

void
inventory_hosts(struct inventory *inventory, struct arena *arena, struct inventory_host **hosts,
    size_t *n_hosts)
{
	*n_hosts = inventory->hosts.n;
	*hosts = arena_alloc(arena, inventory->hosts.n * sizeof(**hosts));
	pthread_mutex_lock(&inventory->lock);
	for (size_t i = 0; i < inventory->hosts.n; i++)
		describe(inventory, &inventory->hosts.items[i], arena, &(*hosts)[i]);
	pthread_mutex_unlock(&inventory->lock);
}
