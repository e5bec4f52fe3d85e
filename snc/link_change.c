/*
 * New attributes for the ends of a link, and for what its nodes must know of them.
 */
#include "snc/link_change.h"

#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/vec.h"
#include "lib/model/units.h"
#include "snc/audit.h"
#include "snc/link_ends.h"
#include "snc/modify.h"
#include "snc/resource.h"
#include "snc/slice_picture.h"

/* What redirectord takes (redirector/link_read.c). */
enum { PRIORITY_MAX = 7, CEILING_MIN_BPS = 1000 };

static const int64_t ceiling_max_bps = 1000000000000;

/* One direction as it is wanted; rates on the wire. */
struct wanted {
	const struct link_end_place *end;
	struct link_end_attr_spec attr;
	struct rpc_opt_i64 rate_bps, ceiling_bps; /* of own frames */
};

/* ---- what is wanted ---------------------------------------------------------------------------
 */

static int64_t
wire(const struct wanted *wanted, int64_t own_bps)
{
	return rate_on_wire(own_bps, wanted->end->spec.mtu, wanted->end->spec.overhead);
}

static const char *
own_text(const struct wanted *wanted, int64_t wire_bps, struct unit_text *text)
{
	*text =
	    rate_text(rate_from_wire(wire_bps, wanted->end->spec.mtu, wanted->end->spec.overhead));
	return text->text;
}

static bool
refuse_rate(const struct wanted *wanted, struct err *err)
{
	struct unit_text asked, reserved;
	const struct link_end_spec *spec = &wanted->end->spec;

	err_set(err, ERR_R02, "%s are to be guaranteed from '%s', but %s are reserved",
	    own_text(wanted, wanted->attr.rate_bps, &asked), wanted->end->name,
	    own_text(wanted, spec->rate_bps, &reserved));
	err_subject(err, "link '%s'", spec->link);
	return err_hint(err,
	    "at most %s; or --max for more while others leave it free; or `vnode slice modify` "
	    "with a larger bandwidth in the document",
	    reserved.text);
}

static bool
refuse_ceiling(const struct wanted *wanted, struct err *err)
{
	struct unit_text rate, ceiling;

	err_set(err, ERR_BAD_VALUE, "a ceiling of %s is less than the %s guaranteed from '%s'",
	    own_text(wanted, wanted->attr.ceil_bps, &ceiling),
	    own_text(wanted, wanted->attr.rate_bps, &rate), wanted->end->name);
	err_subject(err, "link '%s'", wanted->end->spec.link);
	return err_hint(err, "give --rate and --max");
}

static bool
check_isolation(const struct wanted *wanted, struct err *err)
{
	const struct link_end_spec *spec = &wanted->end->spec;
	const char *isolation = wanted->attr.isolation;

	if (!str_equal(isolation, "shaping") && !str_equal(isolation, "policing") &&
	    !str_equal(isolation, "besteffort"))
		return err_set(err, ERR_BAD_VALUE,
		    "isolation '%.20s' is not shaping, policing or besteffort", isolation);
	if (str_equal(isolation, "shaping") && str_equal(spec->queue, "none")) {
		err_set(
		    err, ERR_R04, "no queue of the shaper is reserved for link '%s'", spec->link);
		return err_hint(err,
		    "policing; or `vnode slice modify` with isolation shaping in the document");
	}
	if (str_equal(isolation, "besteffort") && wanted->attr.rate_bps) {
		err_set(err, ERR_BAD_VALUE, "best effort guarantees no rate");
		return err_hint(err, "--max is what it may use at most");
	}
	return true;
}

static bool
check(const struct wanted *wanted, struct err *err)
{
	const struct link_end_attr_spec *attr = &wanted->attr;

	if (!check_isolation(wanted, err))
		return false;
	if (attr->rate_bps > wanted->end->spec.rate_bps)
		return refuse_rate(wanted, err);
	if (attr->ceil_bps < attr->rate_bps)
		return refuse_ceiling(wanted, err);
	if (attr->ceil_bps < CEILING_MIN_BPS || attr->ceil_bps > ceiling_max_bps)
		return err_set(err, ERR_BAD_VALUE, "the ceiling is not within 1 kbps and 1 Tbps");
	if (attr->burst_bytes < 0 || attr->burst_bytes > INT32_MAX)
		return err_set(err, ERR_BAD_VALUE, "the burst is not within 0 and 2 GiB");
	if (attr->priority < 0 || attr->priority > PRIORITY_MAX)
		return err_set(
		    err, ERR_BAD_VALUE, "the priority is not within 0 and %d", PRIORITY_MAX);
	return true;
}

static bool
check_given(const struct link_change *change, struct err *err)
{
	const struct rpc_opt_i64 *rates[] = {&change->rate_ab_bps, &change->rate_ba_bps,
	    &change->ceiling_ab_bps, &change->ceiling_ba_bps};

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		if (rates[i]->is_set && (rates[i]->value < 0 || rates[i]->value > ceiling_max_bps))
			return err_set(err, ERR_BAD_VALUE, "a rate is not within 0 and 1 Tbps");
	return true;
}

/* Best effort ends or begins: the guarantee comes and goes with it, unless one is given. */
static void
settle_rate(struct wanted *wanted, const char *isolation)
{
	bool was = str_equal(wanted->attr.isolation, "besteffort");
	bool is = str_equal(isolation ? isolation : wanted->attr.isolation, "besteffort");

	if (wanted->rate_bps.is_set)
		wanted->attr.rate_bps = wire(wanted, wanted->rate_bps.value);
	else if (is)
		wanted->attr.rate_bps = 0;
	else if (was)
		wanted->attr.rate_bps = wanted->end->spec.rate_bps;
}

static bool
settle(struct wanted *wanted, const struct link_change *change, struct err *err)
{
	struct link_end_attr_spec *attr = &wanted->attr;
	bool follows = attr->ceil_bps == attr->rate_bps && wanted->rate_bps.is_set;

	settle_rate(wanted, change->isolation);
	if (wanted->ceiling_bps.is_set)
		attr->ceil_bps = wire(wanted, wanted->ceiling_bps.value);
	else if (follows)
		attr->ceil_bps = attr->rate_bps;
	if (change->isolation)
		attr->isolation = change->isolation;
	if (change->burst_bytes.is_set)
		attr->burst_bytes = change->burst_bytes.value;
	if (change->priority.is_set)
		attr->priority = change->priority.value;
	return check(wanted, err);
}

/* ---- writing it -------------------------------------------------------------------------------
 */

typedef vec_of(struct link_change_row) change_rows;

struct work {
	struct snc *snc;
	struct txn *txn;
	struct arena *arena;
	change_rows rows;
};

static bool
write_attr(
    struct work *work, const struct controller_row_state *row, const char *attr, struct err *err)
{
	if (str_equal(attr, row->row.attr))
		return true;
	vec_push(&work->rows, ((struct link_change_row){row->row.rid, row->rev + 1}));
	return controller_set_attr(work->snc->controller, work->txn, row->row.rid, attr, err);
}

/* The row of the end's node, read anew: the other end may be of the same node. A hub has none. */
static bool
write_node(struct work *work, const struct slice_record *record, const struct wanted *wanted,
    struct err *err)
{
	const struct controller_row_state *rows;
	const char *attr;
	size_t n_rows;

	if (!controller_rows(
		work->snc->controller, work->txn, record->id, work->arena, &rows, &n_rows))
		return true;
	for (size_t i = 0; i < n_rows; i++) {
		if (!str_equal(rows[i].row.kind, "node") ||
		    !str_equal(
			spec_value(rows[i].row.spec, "name", work->arena), wanted->end->spec.node))
			continue;
		return resource_node_segments(rows[i].row.attr,
			   &(struct resource_segments){wanted->end->port, wanted->attr.ceil_bps},
			   work->arena, &attr, err) &&
		       write_attr(work, &rows[i], attr, err);
	}
	return true;
}

static bool
write_end(struct work *work, const struct slice_record *record, const struct wanted *wanted,
    struct err *err)
{
	auto_str struct str text = {0};

	spec_print(&link_end_attr_spec_table, &wanted->attr, &text);
	return write_attr(work, wanted->end->row, str_text(&text), err) &&
	       write_node(work, record, wanted, err);
}

static bool
write_all(struct work *work, const struct slice_record *record, const struct link_change *change,
    struct err *err)
{
	struct link_end_places ends = {.link = change->link};

	if (!link_ends_find(work->snc, work->txn, record, work->arena, &ends, err))
		return false;
	for (size_t i = 0; i < ends.n; i++) {
		struct wanted wanted = {
		    .end = &ends.items[i],
		    .attr = ends.items[i].attr,
		    .rate_bps = i % 2 ? change->rate_ba_bps : change->rate_ab_bps,
		    .ceiling_bps = i % 2 ? change->ceiling_ba_bps : change->ceiling_ab_bps,
		};

		if (!settle(&wanted, change, err) || !write_end(work, record, &wanted, err))
			return false;
	}
	return true;
}

/* ---- telling it -------------------------------------------------------------------------------
 */

static void
tell_rate(struct str *text, const char *what, int64_t before, int64_t after)
{
	if (before != after)
		str_addf(text, "%s%s %s, was %s", text->len ? "; " : "", what,
		    rate_text(after).text, rate_text(before).text);
}

static void
tell(struct work *work, const struct slice_record *record, const struct link_change *change)
{
	const struct snc_link *old = &change->before, *now = &change->after;
	auto_str struct str text = {0};
	const char *subject = arena_format(work->arena, "link %s", change->link);

	tell_rate(&text, "guaranteed to b", old->rate_ab_bps, now->rate_ab_bps);
	tell_rate(&text, "guaranteed to a", old->rate_ba_bps, now->rate_ba_bps);
	tell_rate(&text, "ceiling to b", old->ceiling_ab_bps, now->ceiling_ab_bps);
	tell_rate(&text, "ceiling to a", old->ceiling_ba_bps, now->ceiling_ba_bps);
	if (!str_equal(old->isolation, now->isolation))
		str_addf(
		    &text, "%s%s, was %s", text.len ? "; " : "", now->isolation, old->isolation);
	if (old->burst_bytes != now->burst_bytes)
		str_addf(
		    &text, "%sburst %s", text.len ? "; " : "", size_text(now->burst_bytes).text);
	if (old->priority != now->priority)
		str_addf(&text, "%spriority %lld, was %lld", text.len ? "; " : "",
		    (long long)now->priority, (long long)old->priority);
	events_add(work->snc->events, work->txn, record, subject, "changed", str_text(&text));
}

static bool
picture(struct work *work, const struct slice_record *record, const char *link, struct snc_link *to,
    struct err *err)
{
	struct slice_picture picture;

	if (!picture_take(work->snc, work->txn, record, work->arena, &picture, err))
		return false;
	for (size_t i = 0; i < picture.n_links; i++)
		if (str_equal(picture.links[i].name, link)) {
			*to = picture.links[i];
			return true;
		}
	err_set(err, ERR_NOT_FOUND, "slice '%s' has no link '%s'", record->name, link);
	return err_hint(err, "`vnode slice show %s` lists what it has", record->name);
}

static bool
refuse_state(const struct slice_record *record, struct err *err)
{
	err_set(err, ERR_O01, "slice '%s' is not running", record->name);
	err_subject(err, "slice '%s'", record->name);
	return err_hint(err, "`vnode slice show %s` says how it stands", record->name);
}

static bool
change_now(struct work *work, struct link_change *change, struct err *err)
{
	struct slice_record record;

	if (!snc_find_slice(&change->caller, work->txn, change->slice, work->arena, &record, err))
		return false;
	if (!record.has_group || record.engine != GROUP_ACTIVE || record.goal == SLICE_DELETED)
		return refuse_state(&record, err);
	if (!modify_refuse_between(work->txn, &record, err) ||
	    !picture(work, &record, change->link, &change->before, err) ||
	    !write_all(work, &record, change, err) ||
	    !picture(work, &record, change->link, &change->after, err))
		return false;
	change->id = record.id;
	if (!work->rows.n)
		return true;
	tell(work, &record, change);
	if (!audit_add(work->snc->audit, work->txn, &change->caller,
		&(struct audit_entry){"link_set",
		    arena_format(work->arena, "%s/%s", record.name, change->link), NULL},
		err))
		return false;
	FAULT_POINT("snc.change.before");
	if (!txn_commit(&work->txn, err))
		return false;
	FAULT_POINT("snc.change.after");
	controller_wake(work->snc->controller);
	return true;
}

bool
link_change(struct snc *snc, struct link_change *change, struct arena *arena, struct err *err)
{
	struct work work = {.snc = snc, .arena = arena};
	bool is_good;

	if (!check_given(change, err))
		return false;
	work.txn = store_begin(snc->store);
	is_good = change_now(&work, change, err);
	txn_cancel(work.txn);
	change->rows =
	    (void *)arena_copy(arena, work.rows.items, work.rows.n * sizeof(*work.rows.items));
	change->n_rows = work.rows.n;
	vec_done(&work.rows);
	return is_good;
}

/* ---- waiting for it ---------------------------------------------------------------------------
 */

static bool
is_row_real(const struct controller_row_state *row, int64_t rev, struct err *err)
{
	bool is_refused = row->why.code != ERR_NONE && row->why.code != ERR_WAIT &&
			  row->why.code != ERR_UNAVAILABLE && row->why.code != ERR_TIMEOUT;

	if (row->rev_have >= rev)
		return row->is_real;
	if (is_refused)
		*err = row->why;
	return false;
}

bool
link_change_is_real(
    struct snc *snc, const struct link_change *change, bool *is_real, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const struct controller_row_state *rows;
	struct err why = {0};
	size_t n_rows, n = 0;

	if (!controller_rows(snc->controller, NULL, change->id, arena, &rows, &n_rows))
		return err_set(err, ERR_GONE, "slice '%s' is being deleted", change->slice);
	for (size_t i = 0; i < change->n_rows; i++)
		for (size_t k = 0; k < n_rows; k++)
			if (rows[k].row.rid == change->rows[i].rid)
				n += is_row_real(&rows[k], change->rows[i].rev, &why);
	*is_real = n == change->n_rows;
	if (*is_real || why.code == ERR_NONE)
		return true;
	*err = why;
	return false;
}
