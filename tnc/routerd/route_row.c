/*
 * Rows of kind "route" to routes and back. One destination, one row: a second one waits until the
 * first is released and its route gone.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "tnc/routerd/route.h"

STORE_SQL(routerd_routes_sql, "schemas/sql/routerd/0001_routes.sql");

const struct store_migration route_migrations[] = {{"routerd", 1, routerd_routes_sql}};
const size_t n_route_migrations = sizeof(route_migrations) / sizeof(route_migrations[0]);

static bool admit(void *self, struct txn *txn, const struct row *row,
    const struct manager_book *book, struct str *result, struct err *err);
static bool ensure(void *self, const struct row *row, struct err *err);
static bool is_there(void *self, const struct row *row, struct err *err);
static bool remove_route(void *self, const struct row *row, struct err *err);
static bool list(void *self, struct arena *arena, const struct manager_object **objects,
    size_t *n_objects, struct err *err);
static bool sweep(void *self, const struct manager_object *object, struct err *err);
static void changed(void *self, uint64_t rid);
static void noted(void *self);
static bool check_spec(const struct route_spec *spec, struct err *err);
static bool parse(const struct row *row, struct arena *arena, struct route_spec *spec,
    struct route_attr_spec *attr, struct err *err);

struct manager *
route_manager_new(struct route_keeper *keeper, const struct clock *clock, struct err *err)
{
	const struct manager_kind kind = {.name = "route",
	    .self = keeper,
	    .admit = admit,
	    .ensure = ensure,
	    .remove = remove_route,
	    .is_there = is_there};

	return manager_new(&(struct manager_config){.store = keeper->store,
			       .clock = clock,
			       .kinds = &kind,
			       .n_kinds = 1,
			       .self = keeper,
			       .list = list,
			       .sweep = sweep,
			       .changed = changed,
			       .noted = noted},
	    err);
}

static bool
admit(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct route_spec spec;

	(void)self, (void)result;
	if (!spec_parse(&route_spec_table, row->spec, arena, &spec, err) || !check_spec(&spec, err))
		return false;
	for (size_t i = 0; i < book->n_rows; i++) {
		const struct row *other = &book->rows[i];

		if (!strcmp(other->kind, "route") &&
		    str_equal(spec_value(other->spec, "destination", arena), spec.destination))
			return err_set(err, ERR_CONFLICT, "%s is routed by row %s",
			    spec.destination, id_text(other->rid).text);
	}
	return txn_run(txn, err, "INSERT OR REPLACE INTO route(destination, rid) VALUES(?, ?)",
	    "ti", spec.destination, (int64_t)row->rid);
}

static bool
ensure(void *self, const struct row *row, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct route_keeper *keeper = self;
	struct route_attr_spec attr;
	struct route_spec spec;

	if (!parse(row, arena, &spec, &attr, err))
		return false;
	FAULT_POINT("route.put.before");
	if (!keeper->ops->put(keeper->driver, &spec, &attr, err))
		return false;
	FAULT_POINT("route.put.after");
	return true;
}

static bool
is_there(void *self, const struct row *row, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct route_keeper *keeper = self;
	struct route_attr_spec attr;
	struct route_spec spec;

	return parse(row, arena, &spec, &attr, err) &&
	       keeper->ops->is_there(keeper->driver, &spec, &attr, err);
}

/* The route first, then its line in our table: what is in the kernel always has its row. */
static bool
remove_route(void *self, const struct row *row, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct route_keeper *keeper = self;
	struct route_spec spec;
	auto_txn struct txn *txn = NULL;

	if (!spec_parse(&route_spec_table, row->spec, arena, &spec, err))
		return false;
	FAULT_POINT("route.remove.before");
	if (!keeper->ops->remove(keeper->driver, spec.destination, err))
		return false;
	FAULT_POINT("route.remove.after");
	txn = store_begin(keeper->store);
	return txn_run(txn, err, "DELETE FROM route WHERE rid = ?", "i", (int64_t)row->rid) &&
	       txn_commit(&txn, err);
}

static bool
is_address(const char *text)
{
	struct in_addr address;

	return text && inet_pton(AF_INET, text, &address) == 1 && address.s_addr &&
	       address.s_addr != INADDR_BROADCAST && !IN_MULTICAST(ntohl(address.s_addr));
}

static bool
check_spec(const struct route_spec *spec, struct err *err)
{
	if (!is_address(spec->destination))
		return err_set(err, ERR_BAD_VALUE, "destination '%.40s' is no single IPv4 address",
		    spec->destination ? spec->destination : "");
	if (!is_address(spec->next_hop))
		return err_set(err, ERR_BAD_VALUE, "next hop '%.40s' is no IPv4 address",
		    spec->next_hop ? spec->next_hop : "");
	if (!spec->device || !*spec->device || strlen(spec->device) >= IFNAMSIZ ||
	    strpbrk(spec->device, "/ \t\n"))
		return err_set(err, ERR_BAD_VALUE, "'%.40s' is no name of a device",
		    spec->device ? spec->device : "");
	return true;
}

/* Without attributes, as an older tncd has it, nothing is shaped. */
static bool
parse(const struct row *row, struct arena *arena, struct route_spec *spec,
    struct route_attr_spec *attr, struct err *err)
{
	if (!spec_parse(&route_spec_table, row->spec, arena, spec, err) ||
	    !spec_parse(&route_attr_spec_table, row->attr, arena, attr, err))
		return false;
	return (attr->rate_bps >= 0 && attr->port_bps >= 0) ||
	       err_set(err, ERR_BAD_VALUE, "rate_bps=%lld or port_bps=%lld is negative",
		   (long long)attr->rate_bps, (long long)attr->port_bps);
}

static void
changed(void *self, uint64_t rid)
{
	struct route_keeper *keeper = self;

	keeper->changed(keeper->self, rid);
}

static void
noted(void *self)
{
	struct route_keeper *keeper = self;

	if (keeper->noted)
		keeper->noted(keeper->self);
}

static bool
list(void *self, struct arena *arena, const struct manager_object **objects, size_t *n_objects,
    struct err *err)
{
	struct route_keeper *keeper = self;
	const char *const *names;
	struct manager_object *found;
	size_t n;

	if (!keeper->ops->list(keeper->driver, arena, &names, &n, err))
		return false;
	found = arena_alloc(arena, n * sizeof(*found));
	for (size_t i = 0; i < n; i++) {
		auto_txn struct txn *txn = store_begin(keeper->store);
		auto_rows struct rows *rows = txn_query(
		    txn, err, "SELECT rid FROM route WHERE destination = ?", "t", names[i]);

		if (!rows)
			return false;
		found[i].rid = rows_next(rows) ? (uint64_t)rows_i64(rows, 0) : 0;
		snprintf(found[i].name, sizeof(found[i].name), "%s", names[i]);
	}
	*objects = found;
	*n_objects = n;
	return true;
}

static bool
sweep(void *self, const struct manager_object *object, struct err *err)
{
	struct route_keeper *keeper = self;

	return keeper->ops->remove(keeper->driver, object->name, err);
}
