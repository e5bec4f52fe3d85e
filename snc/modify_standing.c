/*
 * The rows of a slice that stands, by the elements of its document.
 */
#include <string.h>

#include "lib/base/id.h"
#include "snc/modify.h"

void
modify_done(struct modify_work *work)
{
	vec_done(&work->ports);
	vec_done(&work->coming);
	vec_done(&work->changing);
}

bool
modify_substrate(
    struct modify_work *work, struct txn *txn, struct substrate **substrate, struct err *err)
{
	struct ledger_question question = {
	    .window = lease_span(&work->record.lease, clock_wall_ms(work->snc->clock))};

	return snc_substrate(work->snc, txn, &question, work->arena, substrate, err);
}

/* ---- the same element in two slices ---------------------------------------------------------- */

const struct slice_node *
modify_same_node(const struct slice *slice, const struct slice_node *node)
{
	return slice_find_node(slice, node->name); /* hubs have names that no document has */
}

/* Spokes have the name of their link; the vport tells them apart. */
const struct slice_link *
modify_same_link(const struct slice *slice, const struct slice_link *link)
{
	for (size_t i = 0; i < slice->body.n_links; i++) {
		const struct slice_link *other = &slice->body.links[i];

		if (str_equal(other->name, link->name) && !other->whole == !link->whole &&
		    (!link->whole || str_equal(other->vports[0].name, link->vports[0].name)))
			return other;
	}
	return NULL;
}

/* ---- what can stay --------------------------------------------------------------------------- */

const struct slice_change *
modify_change_of_link(const struct modify_work *work, const struct slice_link *link)
{
	return slice_diff_find(&work->diff, true, link->name);
}

static bool
has_same_ports(const struct slice_node *a, const struct slice_node *b)
{
	bool is_same = a->n_vports == b->n_vports;

	for (size_t i = 0; is_same && i < a->n_vports; i++)
		is_same = str_equal(a->vports[i].name, b->vports[i].name);
	return is_same;
}

static bool
is_lost(const struct modify_work *work, const struct slice_node *node)
{
	const struct controller_row_state *row = modify_node_row(work, node);

	return row && controller_row_is_lost(row);
}

bool
modify_is_new_node(const struct modify_work *work, const struct slice_node *node)
{
	const struct slice_node *before = modify_same_node(work->old, node);
	const struct slice_change *change;

	if (!before)
		return true;
	if (node->hub_of)
		return !before->hub_of || !has_same_ports(before, node) ||
		       before->hub_of->mtu != node->hub_of->mtu || is_lost(work, before);
	change = slice_diff_find(&work->diff, false, node->name);
	return change && change->is_rebuilt;
}

bool
modify_is_new_link(const struct modify_work *work, const struct slice_link *link)
{
	const struct slice_change *change = modify_change_of_link(work, link);
	const struct slice_bind_end *hub = link->whole ? slice_link_end(work->new, link, 1) : NULL;
	const struct slice_node *node = hub ? slice_find_node(work->new, hub->sliver) : NULL;

	return !modify_same_link(work->old, link) || (change && change->is_rebuilt) ||
	       (node && modify_is_new_node(work, node));
}

/* ---- rows ------------------------------------------------------------------------------------ */

const struct controller_row_state *
modify_node_row(const struct modify_work *work, const struct slice_node *node)
{
	const char *kind = node->hub_of ? "hub" : "node";
	const char *key = node->hub_of ? "link" : "name";
	const char *name = node->hub_of ? node->hub_of->name : node->name;

	for (size_t i = 0; i < work->n_rows; i++)
		if (str_equal(work->rows[i].row.kind, kind) &&
		    str_equal(spec_value(work->rows[i].row.spec, key, work->arena), name))
			return &work->rows[i];
	return NULL;
}

const char *
modify_host(const struct modify_work *work, const struct slice_node *node)
{
	const struct controller_row_state *row = modify_node_row(work, node);
	const char *at = row ? strchr(row->row.manager, '@') : NULL;

	return at ? at + 1 : NULL;
}

static bool
read_ports(const struct modify_work *work, const struct slice_node *node, struct spec_list *ports,
    struct err *err)
{
	const struct controller_row_state *row = modify_node_row(work, node);
	struct node_spec machine;
	struct hub_spec hub;

	if (!row)
		return err_set(err, ERR_INTERNAL, "node '%s' has no row", node->name);
	if (node->hub_of) {
		if (!spec_parse(&hub_spec_table, row->row.spec, work->arena, &hub, err))
			return false;
		*ports = hub.port;
		return true;
	}
	if (!spec_parse(&node_spec_table, row->row.spec, work->arena, &machine, err))
		return false;
	*ports = machine.port;
	return true;
}

/* "ID NAME" and perhaps more. */
static bool
is_port(const char *text, const char *vport)
{
	size_t length = strlen(vport);
	const char *name = text + ID_TEXT_SIZE;

	return strlen(text) >= ID_TEXT_SIZE + length && !strncmp(name, vport, length) &&
	       (name[length] == ' ' || !name[length]);
}

uint64_t
modify_port_id(const struct modify_work *work, const struct slice_node *node, const char *vport)
{
	struct spec_list ports = {0};
	struct err err;
	uint64_t id;

	if (!read_ports(work, node, &ports, &err))
		return 0;
	for (size_t i = 0; i < ports.n; i++)
		if (is_port(ports.items[i], vport) &&
		    id_parse(arena_copy(work->arena, ports.items[i], ID_TEXT_SIZE - 1), &id, &err))
			return id;
	return 0;
}

bool
modify_ports(struct modify_work *work, const struct slice_node *node, struct err *err)
{
	for (size_t i = 0; i < node->n_vports; i++) {
		const struct slice_vport *vport = &node->vports[i];
		uint64_t id = modify_port_id(work, node, vport->name);

		if (!id)
			return err_set(err, ERR_INTERNAL, "port '%s' of '%s' has no number",
			    vport->name, node->name);
		vec_push(&work->ports, ((struct resource_port){node, vport, id}));
	}
	return true;
}

const struct controller_row_state *
modify_row_of(const struct modify_work *work, uint64_t rid)
{
	for (size_t i = 0; i < work->n_rows; i++)
		if (work->rows[i].row.rid == rid)
			return &work->rows[i];
	return NULL;
}

/* The row of the link end at a port. */
static bool
find_end(const struct modify_work *work, uint64_t port, const struct controller_row_state **row,
    struct link_end_spec *spec, struct err *err)
{
	struct id_text text = id_text(port);

	for (size_t i = 0; i < work->n_rows; i++) {
		*row = &work->rows[i];
		if (!str_equal((*row)->row.kind, "link_end") ||
		    !str_equal(spec_value((*row)->row.spec, "port", work->arena), text.text))
			continue;
		return spec_parse(&link_end_spec_table, (*row)->row.spec, work->arena, spec, err);
	}
	return err_set(err, ERR_INTERNAL, "port %s has no link end", text.text);
}

/* Whose answer has the addresses: "${RID.address_a}". */
static const struct controller_row_state *
find_share(const struct modify_work *work, const struct controller_row_state *end)
{
	const char *local = spec_value(end->row.attr, "local", work->arena);
	uint64_t rid;
	struct err err;

	if (!local || strncmp(local, "${", 2) != 0 || strlen(local) < 2 + ID_TEXT_SIZE ||
	    !id_parse(arena_copy(work->arena, local + 2, ID_TEXT_SIZE - 1), &rid, &err))
		return NULL;
	return modify_row_of(work, rid);
}

bool
modify_link_rows(struct modify_work *work, const struct slice_link *link, struct modify_link *found,
    struct err *err)
{
	*found = (struct modify_link){0};
	for (unsigned i = 0; i < 2; i++) {
		const struct slice_bind_end *end = slice_link_end(work->old, link, i);
		const struct slice_node *node =
		    end ? slice_find_node(work->old, end->sliver) : NULL;
		uint64_t port = node ? modify_port_id(work, node, end->port) : 0;

		if (!find_end(work, port, &found->ends[i], &found->specs[i], err))
			return err_in(err, "link '%s'", link->name);
	}
	found->share = find_share(work, found->ends[0]);
	return true;
}
