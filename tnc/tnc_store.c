/*
 * Rows of paths and shares, to and from their tables.
 */
#include "tnc/tnc_store.h"

#include <string.h>

#include "lib/base/str.h"
#include "lib/base/vec.h"

STORE_SQL(tnc_paths_sql, "schemas/sql/tnc/0001_paths.sql");
STORE_SQL(tnc_instead_sql, "schemas/sql/tnc/0002_instead.sql");
STORE_SQL(tnc_set_up_sql, "schemas/sql/tnc/0003_set_up.sql");

const struct store_migration tnc_migrations[] = {
    {"tnc", 1, tnc_paths_sql}, {"tnc", 2, tnc_instead_sql}, {"tnc", 3, tnc_set_up_sql}};
const size_t n_tnc_migrations = sizeof(tnc_migrations) / sizeof(tnc_migrations[0]);

typedef vec_of(struct path) path_vec;

static void read_path(struct rows *rows, struct arena *arena, struct path *path);
static const char **split(struct arena *arena, const char *text, size_t *n);
static void join(struct str *out, const char *const *words, size_t n);

#define PATHS(where)                                                                               \
	"SELECT name, vertices, edges, address_a, address_b, next_hop_a, next_hop_b, "             \
	"latency_us, why, COUNT(share.rid), "                                                      \
	"COALESCE(SUM(max(0, share.rate_ab_bps - COALESCE(old.rate_ab_bps, 0))), 0), "             \
	"COALESCE(SUM(max(0, share.rate_ba_bps - COALESCE(old.rate_ba_bps, 0))), 0) "              \
	"FROM path LEFT JOIN share ON share.path = path.name "                                     \
	"LEFT JOIN share AS old ON old.rid = share.instead AND old.path = share.path " where       \
	"GROUP BY name ORDER BY name"

bool
store_paths(struct txn *txn, struct arena *arena, struct paths *paths, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err, PATHS(""), "");
	path_vec found = {0};

	if (!rows)
		return false;
	while (rows_next(rows))
		read_path(rows, arena, vec_add(&found));
	paths->n = found.n;
	paths->items = arena_alloc(arena, found.n * sizeof(*paths->items));
	if (found.n)
		memcpy(paths->items, found.items, found.n * sizeof(*paths->items));
	vec_done(&found);
	return true;
}

bool
store_path(struct txn *txn, const char *name, struct arena *arena, struct path *path,
    bool *is_found, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err, PATHS("WHERE path.name = ? "), "t", name);

	if (!rows)
		return false;
	*is_found = rows_next(rows);
	if (*is_found)
		read_path(rows, arena, path);
	return true;
}

bool
store_path_add(struct txn *txn, const struct path *path, struct err *err)
{
	auto_str struct str vertices = {0}, edges = {0};

	join(&vertices, path->vertices, path->n_edges + 1);
	join(&edges, path->edges, path->n_edges);
	return txn_run(txn, err,
	    "INSERT INTO path(name, vertices, edges, address_a, address_b, next_hop_a, "
	    "next_hop_b, latency_us) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
	    "tttiitti", path->name, str_text(&vertices), str_text(&edges), (int64_t)path->address_a,
	    (int64_t)path->address_b, path->next_hop_a, path->next_hop_b, path->latency_us);
}

bool
store_path_why(struct txn *txn, const char *name, const char *why, struct err *err)
{
	return txn_run(txn, err, "UPDATE path SET why = ? WHERE name = ?", "tt", why, name);
}

bool
store_path_reason(
    struct txn *txn, const char *name, struct arena *arena, const char **why, struct err *err)
{
	auto_rows struct rows *rows =
	    txn_query(txn, err, "SELECT why FROM path WHERE name = ?", "t", name);

	if (!rows)
		return false;
	*why = rows_next(rows) ? arena_text(arena, rows_text(rows, 0)) : NULL;
	return true;
}

bool
store_path_shares(struct txn *txn, const char *name, int64_t *n_shares, struct err *err)
{
	auto_rows struct rows *rows =
	    txn_query(txn, err, "SELECT COUNT(*) FROM share WHERE path = ?", "t", name);

	if (!rows)
		return false;
	*n_shares = rows_next(rows) ? rows_i64(rows, 0) : 0;
	return true;
}

bool
store_path_share_ids(struct txn *txn, const char *name, struct arena *arena, const uint64_t **rids,
    size_t *n_rids, struct err *err)
{
	auto_rows struct rows *rows =
	    txn_query(txn, err, "SELECT rid FROM share WHERE path = ? ORDER BY rid", "t", name);
	vec_of(uint64_t) found = {0};

	if (!rows)
		return false;
	while (rows_next(rows))
		vec_push(&found, (uint64_t)rows_i64(rows, 0));
	*rids = (void *)arena_copy(arena, found.items, found.n * sizeof(found.items[0]));
	*n_rids = found.n;
	vec_done(&found);
	return true;
}

bool
store_path_drop(struct txn *txn, const char *name, struct err *err)
{
	return txn_run(txn, err,
	    "DELETE FROM path WHERE name = ? AND name NOT IN (SELECT path FROM share)", "t", name);
}

bool
store_share_add(struct txn *txn, const struct share *share, struct err *err)
{
	return txn_run(txn, err,
	    "INSERT INTO share(rid, path, rate_ab_bps, rate_ba_bps, instead, is_set_up) "
	    "VALUES(?, ?, ?, ?, ?, 0)",
	    "itiii", (int64_t)share->rid, share->path, share->rate_ab_bps, share->rate_ba_bps,
	    (int64_t)share->instead);
}

bool
store_share_rates(struct txn *txn, const char *path, struct share *share, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT rate_ab_bps, rate_ba_bps FROM share WHERE rid = ? AND path = ?", "it",
	    (int64_t)share->rid, path);
	bool is_there;

	if (!rows)
		return false;
	is_there = rows_next(rows);
	share->rate_ab_bps = is_there ? rows_i64(rows, 0) : 0;
	share->rate_ba_bps = is_there ? rows_i64(rows, 1) : 0;
	return true;
}

bool
store_share_is_set_up(struct txn *txn, uint64_t rid, bool *is_set_up, struct err *err)
{
	auto_rows struct rows *rows =
	    txn_query(txn, err, "SELECT is_set_up FROM share WHERE rid = ?", "i", (int64_t)rid);

	if (!rows)
		return false;
	*is_set_up = rows_next(rows) && rows_i64(rows, 0);
	return true;
}

bool
store_share_set_up(struct txn *txn, uint64_t rid, struct err *err)
{
	return txn_run(txn, err, "UPDATE share SET is_set_up = 1 WHERE rid = ?", "i", (int64_t)rid);
}

bool
store_share_drop(struct txn *txn, uint64_t rid, struct err *err)
{
	return txn_run(txn, err, "DELETE FROM share WHERE rid = ?", "i", (int64_t)rid);
}

bool
store_share_path(
    struct txn *txn, uint64_t rid, struct arena *arena, const char **path, struct err *err)
{
	auto_rows struct rows *rows =
	    txn_query(txn, err, "SELECT path FROM share WHERE rid = ?", "i", (int64_t)rid);

	if (!rows)
		return false;
	*path = rows_next(rows) ? arena_text(arena, rows_text(rows, 0)) : NULL;
	return true;
}

static void
read_path(struct rows *rows, struct arena *arena, struct path *path)
{
	size_t n_vertices;

	path->name = arena_text(arena, rows_text(rows, 0));
	path->vertices = split(arena, rows_text(rows, 1), &n_vertices);
	path->edges = split(arena, rows_text(rows, 2), &path->n_edges);
	path->address_a = (uint32_t)rows_i64(rows, 3);
	path->address_b = (uint32_t)rows_i64(rows, 4);
	path->next_hop_a = arena_text(arena, rows_text(rows, 5));
	path->next_hop_b = arena_text(arena, rows_text(rows, 6));
	path->latency_us = rows_i64(rows, 7);
	path->why = arena_text(arena, rows_text(rows, 8));
	path->n_shares = rows_i64(rows, 9);
	path->rate_ab_bps = rows_i64(rows, 10);
	path->rate_ba_bps = rows_i64(rows, 11);
}

/* Words of a blank-separated text. */
static const char **
split(struct arena *arena, const char *text, size_t *n)
{
	vec_of(const char *) words = {0};
	char *rest = arena_text(arena, text), *word;
	const char **out;

	while ((word = strsep(&rest, " ")))
		vec_push(&words, word);
	out = arena_alloc(arena, words.n * sizeof(*out));
	if (words.n)
		memcpy(out, words.items, words.n * sizeof(*out));
	*n = words.n;
	vec_done(&words);
	return out;
}

static void
join(struct str *out, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		str_addf(out, "%s%s", i ? " " : "", words[i]);
}
