/*
 * The rows of a modify: those that come, planned like those of a new slice; those that go; and the
 * attributes of those that stay. A link end that comes to the port of one that goes first receives
 * only: when both ends of its link do, the port is handed over, and no frame is lost by it.
 */
#include <string.h>

#include "lib/base/id.h"
#include "snc/drain.h"
#include "snc/modify.h"

/* Rows that go, by rid. */
typedef vec_of(uint64_t) rid_vec;

/* ---- what goes ------------------------------------------------------------------------------- */

static bool
node_goes(const struct modify_work *work, const struct slice_node *before)
{
	const struct slice_node *after = modify_same_node(work->new, before);

	return !after || modify_is_new_node(work, after);
}

static bool
link_goes(const struct modify_work *work, const struct slice_link *before)
{
	const struct slice_link *after = modify_same_link(work->new, before);

	return !after || modify_is_new_link(work, after);
}

static bool
find_going(struct modify_work *work, rid_vec *going, struct err *err)
{
	const struct slice_body *old = &work->old->body;
	struct modify_link rows;

	for (size_t i = 0; i < old->n_nodes; i++) {
		const struct controller_row_state *row =
		    node_goes(work, &old->nodes[i]) ? modify_node_row(work, &old->nodes[i]) : NULL;

		if (row)
			vec_push(going, row->row.rid);
	}
	for (size_t i = 0; i < old->n_links; i++) {
		if (!link_goes(work, &old->links[i]))
			continue;
		if (!modify_link_rows(work, &old->links[i], &rows, err))
			return false;
		vec_push(going, rows.ends[0]->row.rid);
		vec_push(going, rows.ends[1]->row.rid);
		if (rows.share)
			vec_push(going, rows.share->row.rid);
	}
	return true;
}

static bool
goes(const rid_vec *going, uint64_t rid)
{
	vec_each (each, going)
		if (*each == rid)
			return true;
	return false;
}

/* ---- what comes ------------------------------------------------------------------------------ */

static bool
know_ports(struct modify_work *work, struct err *err)
{
	for (size_t i = 0; i < work->new->body.n_nodes; i++) {
		const struct slice_node *node = &work->new->body.nodes[i];

		if (!modify_is_new_node(work, node) && !modify_ports(work, node, err))
			return false;
	}
	return true;
}

static bool
plan_new(struct modify_work *work, const struct slice_ids *ids, struct err *err)
{
	struct slice_plan_request request = {
	    .slice_id = work->record.id,
	    .tnc = work->snc->tnc,
	    .slice = work->new,
	    .substrate = work->substrate,
	    .mapping = &work->mapping,
	    .ids = *ids,
	    .ports = work->ports.items,
	    .n_ports = work->ports.n,
	};
	struct plan plan;

	if (!slice_plan(&request, work->arena, &plan, err))
		return false;
	for (size_t i = 0; i < plan.n_rows; i++)
		vec_push(&work->coming, plan.rows[i]);
	return true;
}

/* The link end that goes from the port that this one comes to; NULL. */
static const struct controller_row_state *
predecessor(const struct modify_work *work, const rid_vec *going, const struct plan_row *row)
{
	const char *port = spec_value(row->spec, "port", work->arena);

	for (size_t i = 0; i < work->n_rows; i++)
		if (str_equal(work->rows[i].row.kind, "link_end") &&
		    goes(going, work->rows[i].row.rid) &&
		    str_equal(spec_value(work->rows[i].row.spec, "port", work->arena), port))
			return &work->rows[i];
	return NULL;
}

static bool
is_running(const struct modify_work *work)
{
	return work->record.engine == GROUP_ACTIVE && work->record.settled == SLICE_RUNNING;
}

/* The port is handed over: the new one from receiving to what it is to be, the old one to
 * receiving what is still on its way. */
static bool
hand_over(struct modify_work *work, struct plan_row *row, const struct controller_row_state *old,
    struct err *err)
{
	const char *receive;

	vec_push(&work->changing, ((struct modify_row){.rid = row->rid, .attr = row->attr}));
	if (!resource_receive(row->attr, work->arena, &row->attr, err) ||
	    !resource_receive(old->row.attr, work->arena, &receive, err))
		return false;
	vec_push(&work->changing, ((struct modify_row){old->row.rid, receive, true}));
	return true;
}

/* The share of the link whose first end it is, if that goes too: so no two shares follow the same
 * one, and none that runs the other way. */
static uint64_t
share_of(
    const struct modify_work *work, const rid_vec *going, const struct controller_row_state *end)
{
	const char *local = spec_value(end->row.attr, "local", work->arena);
	uint64_t rid;
	struct err err;

	if (!local || strncmp(local, "${", 2) != 0 || strlen(local) < 2 + ID_TEXT_SIZE ||
	    strcmp(local + 1 + ID_TEXT_SIZE, ".address_a}") != 0 ||
	    !id_parse(arena_copy(work->arena, local + 2, ID_TEXT_SIZE - 1), &rid, &err))
		return 0;
	return goes(going, rid) && modify_row_of(work, rid) ? rid : 0;
}

/* Rows of a link follow each other: its share, then its ends. */
static bool
take_place_of(struct modify_work *work, const rid_vec *going, size_t at, struct err *err)
{
	struct plan_row *row = &work->coming.items[at];
	const struct controller_row_state *old = NULL;
	uint64_t instead = 0;

	if (str_equal(row->kind, "link_end"))
		old = predecessor(work, going, row);
	else if (str_equal(row->kind, "share"))
		old = predecessor(work, going, &work->coming.items[at + 1]);
	if (!old)
		return true;
	instead = str_equal(row->kind, "share") ? share_of(work, going, old) : old->row.rid;
	if (instead &&
	    !resource_instead(row->kind, row->spec, instead, work->arena, &row->spec, err))
		return false;
	if (str_equal(row->kind, "share"))
		return true;
	if (work->is_move &&
	    !resource_redirect(old->row.attr, row->attr, work->arena, &row->attr, err))
		return false;
	return !is_running(work) || hand_over(work, row, old, err);
}

static bool
follow_predecessors(struct modify_work *work, const rid_vec *going, struct err *err)
{
	bool is_on = work->record.settled != SLICE_STOPPED;

	for (size_t i = 0; i < work->coming.n; i++) {
		struct plan_row *row = &work->coming.items[i];

		if (!resource_switch(row->kind, row->attr, is_on, work->arena, &row->attr, err) ||
		    !take_place_of(work, going, i, err))
			return false;
	}
	return true;
}

/* ---- what changes ---------------------------------------------------------------------------- */

static int64_t
device_rate(const struct modify_work *work, const struct controller_row_state *row,
    const struct link_end_spec *spec)
{
	const char *at = strchr(row->row.manager, '@');

	for (size_t i = 0; at && i < work->substrate->n_hosts; i++) {
		const struct substrate_host *host = &work->substrate->hosts[i];

		if (!str_equal(host->name, at + 1))
			continue;
		for (size_t k = 0; k < host->n_ports; k++)
			if (str_equal(host->ports[k].name, spec->underlay))
				return host->ports[k].rate_bps;
		return host->loop_rate_bps;
	}
	return 0;
}

static void
write_attr(struct modify_work *work, const struct controller_row_state *row, const char *attr)
{
	if (!str_equal(attr, row->row.attr))
		vec_push(&work->changing, ((struct modify_row){.rid = row->row.rid, .attr = attr}));
}

/* Other values for a link whose rows stay. */
static bool
tune_link(struct modify_work *work, const struct slice_link *link, struct err *err)
{
	struct modify_link rows;
	const char *attr;

	if (!modify_link_rows(work, modify_same_link(work->old, link), &rows, err))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		struct resource_tuning tuning = {
		    link, i == 1, device_rate(work, rows.ends[i], &rows.specs[i])};

		if (!resource_tune(rows.ends[i]->row.attr, &tuning, work->arena, &attr, err))
			return false;
		write_attr(work, rows.ends[i], attr);
	}
	return true;
}

static bool
tune_links(struct modify_work *work, struct err *err)
{
	for (size_t i = 0; i < work->new->body.n_links; i++) {
		const struct slice_link *link = &work->new->body.links[i];
		const struct slice_change *change = modify_change_of_link(work, link);

		if (change && change->way == SLICE_WAY_HITLESS && !modify_is_new_link(work, link) &&
		    !tune_link(work, link, err))
			return false;
	}
	return true;
}

/* Did the link at the port change, come or go? */
static bool
is_touched(const struct modify_work *work, const struct slice_node *node, const char *vport)
{
	const struct slice_link *link = slice_port_link(work->new, node, vport, &(unsigned){0});
	const struct slice_node *before = modify_same_node(work->old, node);
	const struct slice_change *change;

	if (!link)
		return before && slice_port_link(work->old, before, vport, &(unsigned){0});
	change = modify_change_of_link(work, link);
	return (change && change->way != SLICE_WAY_UNCHANGED) || modify_is_new_link(work, link);
}

static bool
tune_node(struct modify_work *work, const struct slice_node *node, struct err *err)
{
	struct resource_context context = {
	    .slice_id = work->record.id,
	    .slice = work->new,
	    .tnc = work->snc->tnc,
	    .ports = work->ports.items,
	    .n_ports = work->ports.n,
	    .arena = work->arena,
	};
	const struct controller_row_state *row = modify_node_row(work, node);
	uint64_t *touched = arena_alloc(work->arena, (node->n_vports + 1) * sizeof(touched[0]));
	const char *attr;
	size_t n = 0;

	for (size_t i = 0; i < node->n_vports; i++)
		if (is_touched(work, node, node->vports[i].name))
			touched[n++] = modify_port_id(work, node, node->vports[i].name);
	if (!n || !row)
		return true;
	if (!resource_tune_node(
		&context, &(struct resource_touched){node, touched, n}, row->row.attr, &attr, err))
		return err_in(err, "node '%s'", node->name);
	write_attr(work, row, attr);
	return true;
}

static bool
tune_nodes(struct modify_work *work, struct err *err)
{
	for (size_t i = 0; i < work->new->body.n_nodes; i++) {
		const struct slice_node *node = &work->new->body.nodes[i];

		if (!modify_is_new_node(work, node) && !tune_node(work, node, err))
			return false;
	}
	return true;
}

/* Those that go and hand nothing over. */
static void
list_going(struct modify_work *work, const rid_vec *going)
{
	vec_each (rid, going) {
		bool is_listed = false;

		vec_each (row, &work->changing)
			is_listed = is_listed || row->rid == *rid;
		if (!is_listed)
			vec_push(
			    &work->changing, ((struct modify_row){.rid = *rid, .is_going = true}));
	}
}

/* ---- does it fit? ---------------------------------------------------------------------------- */

static bool
is_same_way(const struct resource_charge *a, const struct resource_charge *b)
{
	bool is_same = str_equal(a->from, b->from) && a->edges.n == b->edges.n;

	for (size_t i = 0; is_same && i < a->edges.n; i++)
		is_same = str_equal(a->edges.items[i], b->edges.items[i]);
	return is_same;
}

static int64_t
more(int64_t wanted, int64_t had)
{
	return wanted > had ? wanted - had : 0;
}

void
modify_charge_less(struct resource_charge *charge, const struct resource_charge *before)
{
	if (!str_equal(charge->kind, before->kind))
		return;
	if (str_equal(charge->kind, "link_end") && str_equal(charge->host, before->host) &&
	    str_equal(charge->port, before->port))
		charge->rate_bps = more(charge->rate_bps, before->rate_bps);
	if (str_equal(charge->kind, "share") && is_same_way(charge, before)) {
		charge->rate_ab_bps = more(charge->rate_ab_bps, before->rate_ab_bps);
		charge->rate_ba_bps = more(charge->rate_ba_bps, before->rate_ba_bps);
	}
}

bool
modify_charge(struct txn *txn, const struct booking_row *row, struct arena *arena,
    struct resource_charge *charge, bool *is_less, struct err *err)
{
	const char *group, *instead = spec_value(row->spec, "instead", arena);
	struct controller_row_state old;
	struct resource_charge before;
	struct err none;
	uint64_t rid;

	*is_less = false;
	if (!resource_charge(row->manager, row->kind, row->spec, arena, charge, err))
		return false;
	*is_less =
	    instead && id_parse(instead, &rid, &none) &&
	    controller_row_of(txn, rid, arena, &group, &old, &none) &&
	    !(old.have == ROW_RELEASED && old.is_real) &&
	    resource_charge(old.row.manager, old.row.kind, old.row.spec, arena, &before, &none);
	if (*is_less)
		modify_charge_less(charge, &before);
	return true;
}

static bool
charge_of(struct modify_work *work, const struct plan_row *row, struct resource_charge *charge,
    struct err *err)
{
	const char *instead = spec_value(row->spec, "instead", work->arena);
	const struct controller_row_state *old;
	struct resource_charge before;
	uint64_t rid;

	if (!resource_charge(row->manager, row->kind, row->spec, work->arena, charge, err))
		return false;
	if (!instead || !id_parse(instead, &rid, err))
		return !instead;
	old = modify_row_of(work, rid);
	if (!old)
		return true;
	if (!resource_charge(
		old->row.manager, old->row.kind, old->row.spec, work->arena, &before, err))
		return false;
	modify_charge_less(charge, &before);
	return true;
}

static bool
still_fits(struct modify_work *work, struct substrate *left, struct err *err)
{
	struct resource_charge charge;
	struct err why;

	if (!drain_allows(&work->mapping, work->substrate, left, err))
		return false;
	for (size_t i = 0; i < work->coming.n; i++) {
		const struct plan_row *row = &work->coming.items[i];

		if (!charge_of(work, row, &charge, err))
			return false;
		if (!resource_take(left, &charge, &why))
			return err_set(err, ERR_WAIT, "%s: %s", row->subject, why.text);
	}
	return true;
}

bool
modify_plan(struct modify_work *work, struct txn *txn, const struct slice_ids *ids, struct err *err)
{
	struct substrate *fresh = NULL;
	rid_vec going = {0};
	bool is_good = find_going(work, &going, err) && know_ports(work, err) &&
		       plan_new(work, ids, err) && follow_predecessors(work, &going, err) &&
		       (work->is_move || (tune_links(work, err) && tune_nodes(work, err))) &&
		       modify_substrate(work, txn, &fresh, err) && still_fits(work, fresh, err);

	if (is_good)
		list_going(work, &going);
	vec_done(&going);
	return is_good;
}
