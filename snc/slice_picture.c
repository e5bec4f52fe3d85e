/*
 * Slices for people.
 */
#include "snc/slice_picture.h"

#include <string.h>

#include "lib/base/id.h"
#include "lib/model/spec_types.h"
#include "lib/model/units.h"

/* What is drawn from. */
struct source {
	struct arena *arena;
	const struct slice_record *record;
	const struct slice *slice;
	const struct controller_row_state *rows;
	size_t n_rows;
};

bool
picture_slice(struct snc *snc, struct txn *txn, const struct slice_record *record,
    struct arena *arena, struct snc_slice *slice, struct err *err)
{
	struct slice_standing standing;

	if (!slice_stand(snc, txn, record, arena, &standing, err))
		return false;
	*slice = (struct snc_slice){
	    .id = record->id,
	    .name = record->name,
	    .owner = record->owner,
	    .state = standing.is_deleting    ? "DELETING"
		     : standing.is_modifying ? "MODIFYING"
					     : slice_state_text(standing.state),
	    .progress = standing.progress,
	    .degraded = standing.is_degraded,
	    .reason = standing.reason,
	    .code = standing.code,
	    .hint = standing.hint,
	    .line = standing.line,
	    .created_ms = record->created_ms,
	    .from_ms = record->lease.from_ms,
	    .until_ms = record->lease.until_ms,
	    .grace_ms = record->lease.grace_ms,
	    .n_nodes = record->n_nodes,
	    .n_links = record->n_links,
	    .project = record->project,
	};
	return true;
}

/* The row of a kind whose spec has the name under the key; from `from` on. */
static const struct controller_row_state *
find_row(
    const struct source *source, const char *kind, const char *key, const char *name, size_t *from)
{
	for (; *from < source->n_rows; ++*from) {
		const struct controller_row_state *row = &source->rows[*from];

		if (str_equal(row->row.kind, kind) &&
		    str_equal(spec_value(row->row.spec, key, source->arena), name))
			return &source->rows[(*from)++];
	}
	return NULL;
}

static bool
is_refused(const struct controller_row_state *row)
{
	return row->why.code != ERR_NONE && row->why.code != ERR_WAIT &&
	       row->why.code != ERR_UNAVAILABLE && row->why.code != ERR_TIMEOUT;
}

static const char *
node_state(const struct controller_row_state *row)
{
	bool is_newest;

	if (row && controller_row_is_lost(row))
		return "failed";
	if (!row || (row->have == ROW_NONE && row->want != ROW_RELEASED))
		return row && is_refused(row) ? "failed" : "absent";
	is_newest = row->is_real && row->rev_have >= row->rev;
	if (row->want == ROW_RELEASED || row->have == ROW_RELEASED)
		return row->have == ROW_RELEASED && row->is_real ? "absent" : "removing";
	if (row->have == ROW_HELD)
		return "held";
	if (is_newest)
		return strstr(row->row.attr, "power=off") ? "off" : "running";
	return is_refused(row) ? "failed" : "starting";
}

static const char *
host_of(const struct source *source, const struct controller_row_state *row)
{
	const char *at = row ? strchr(row->row.manager, '@') : NULL;

	return at ? arena_text(source->arena, at + 1) : "";
}

static struct snc_port
draw_port(const struct source *source, const struct slice_node *node, size_t index,
    const struct node_spec *spec)
{
	const struct slice_link *link =
	    slice_port_link(source->slice, node, node->vports[index].name, &(unsigned){0});
	struct snc_port port = {node->vports[index].name, link ? link->name : "", "", ""};
	unsigned char mac[6];
	uint64_t id;
	struct err err;

	if (!spec || index >= spec->port.n ||
	    !id_parse(
		arena_copy(source->arena, spec->port.items[index], ID_TEXT_SIZE - 1), &id, &err))
		return port;
	id_port_mac(id, mac);
	port.device = arena_text(source->arena, id_port_device(id).name);
	port.mac = arena_format(source->arena, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
	    mac[2], mac[3], mac[4], mac[5]);
	return port;
}

static void
draw_ports(const struct source *source, const struct slice_node *node, const struct node_spec *spec,
    struct snc_node *to)
{
	struct snc_port *ports = arena_alloc(source->arena, node->n_vports * sizeof(ports[0]));

	for (size_t i = 0; i < node->n_vports; i++)
		ports[i] = draw_port(source, node, i, spec);
	to->ports = ports;
	to->n_ports = node->n_vports;
}

/* Without a row: as the document says. */
static struct snc_node
plain_node(const char *slice, const struct slice_node *node)
{
	return (struct snc_node){
	    .slice = slice,
	    .name = node->name,
	    .kind = node->form == SLICE_FORM_CONTAINER ? "container" : "vm",
	    .image = node->image ? node->image : "",
	    .host = "",
	    .state = "absent",
	    .cpu = node->cpu,
	    .memory_bytes = node->memory_bytes,
	    .rid = "",
	};
}

static void
draw_node(const struct source *source, const struct slice_node *node, struct snc_node *to,
    struct ready_node *ready)
{
	size_t from = 0;
	const struct controller_row_state *row =
	    find_row(source, "node", "name", node->name, &from);
	struct node_spec spec;
	struct err err;
	bool has_spec =
	    row && spec_parse(&node_spec_table, row->row.spec, source->arena, &spec, &err);

	*to = plain_node(source->record->name, node);
	*ready = (struct ready_node){.node = to};
	draw_ports(source, node, has_spec ? &spec : NULL, to);
	if (!has_spec)
		return;
	to->kind = spec.form;
	to->memory_bytes = spec.memory_bytes;
	to->host = host_of(source, row);
	to->state = node_state(row);
	to->rid = arena_text(source->arena, id_text(row->row.rid).text);
	if (str_equal(to->state, "running"))
		*ready = (struct ready_node){row->row.rid, row->rev_have, to->host, to};
}

/* Where a row stands on its way; the link is where the one furthest back is. */
static int
row_rank(const struct controller_row_state *row)
{
	if (controller_row_is_lost(row))
		return 1;
	if (row->want == ROW_RELEASED || row->have == ROW_RELEASED)
		return 0;
	if (row->have != ROW_COMMITTED)
		return row->have == ROW_HELD ? 2 : 1;
	return row->is_real && row->rev_have >= row->rev ? 4 : 3;
}

static const char *
link_state(int rank, bool is_open)
{
	static const char *const words[] = {"removing", "absent", "held", "opening"};

	if (rank < 4)
		return words[rank];
	return is_open ? "open" : "closed";
}

const char *
picture_port(
    const struct controller_row_state *rows, size_t n_rows, const char *port, struct arena *arena)
{
	const char *start = arena_format(arena, "port=%s ", port);

	for (size_t i = 0; i < n_rows; i++) {
		const struct controller_row *row = &rows[i].row;
		bool is_hub = str_equal(row->kind, "hub");
		const char *line = strstr(row->spec, start);

		if (!line || (!is_hub && !str_equal(row->kind, "node")))
			continue;
		line += strlen(start);
		return arena_format(arena, "%s.%.*s",
		    spec_value(row->spec, is_hub ? "link" : "name", arena),
		    (int)strcspn(line, " \n"), line);
	}
	return "";
}

/* A link being drawn: its ends, and how far the row is that is furthest back. */
struct drawing {
	const struct source *source;
	const struct slice_link *link;
	struct snc_link_end *ends;
	struct snc_link *to;
	int rank;
	bool is_open;
	unsigned n_drawn; /* rows of ends */
};

static void
draw_rank(struct drawing *drawing, const struct controller_row_state *row)
{
	if (row_rank(row) < drawing->rank)
		drawing->rank = row_rank(row);
}

/* The path of an end: of the share that has given its key to the link end. */
static void
draw_path(const struct drawing *drawing, struct snc_link_end *end)
{
	const struct source *source = drawing->source;
	const struct controller_row_state *share;
	struct share_result_spec result;
	struct err err;
	size_t from = 0;

	do {
		share = find_row(source, "share", "link", drawing->link->name, &from);
	} while (share && (uint32_t)share->row.rid != end->key);
	end->path = share ? "" : "local";
	if (!share || !share->result ||
	    !spec_parse(&share_result_spec_table, share->result, source->arena, &result, &err))
		return;
	end->path = result.path ? result.path : "";
	end->latency_us = result.latency_us;
}

/*
 * What is in force of one end, in rates of own frames. Rows are in the order of the plan: the end
 * at the first vport, then the other one; of a multipoint link each node's and its hub's.
 */
static void
draw_values(const struct drawing *drawing, const struct controller_row_state *row,
    const struct link_end_spec *spec, bool is_b)
{
	const struct source *source = drawing->source;
	struct snc_link *to = drawing->to;
	struct link_end_attr_spec attr;
	struct err err;

	if (!spec_parse(&link_end_attr_spec_table, row->row.attr, source->arena, &attr, &err))
		return;
	*(is_b ? &to->host_b : &to->host_a) = host_of(source, row);
	*(is_b ? &to->rate_ba_bps : &to->rate_ab_bps) =
	    rate_from_wire(attr.rate_bps, spec->mtu, spec->overhead);
	*(is_b ? &to->ceiling_ba_bps : &to->ceiling_ab_bps) =
	    rate_from_wire(attr.ceil_bps, spec->mtu, spec->overhead);
	*(is_b ? &to->reserved_ba_bps : &to->reserved_ab_bps) =
	    rate_from_wire(spec->rate_bps, spec->mtu, spec->overhead);
	to->burst_bytes = attr.burst_bytes;
	to->isolation = attr.isolation ? attr.isolation : "";
	to->priority = attr.priority;
}

static void
draw_end(struct drawing *drawing, const struct controller_row_state *row)
{
	const struct source *source = drawing->source;
	struct link_end_spec spec;
	const char *name;
	struct err err;
	bool is_b = drawing->n_drawn++ % 2;

	draw_rank(drawing, row);
	drawing->is_open = drawing->is_open && !strstr(row->row.attr, "open=off");
	if (!spec_parse(&link_end_spec_table, row->row.spec, source->arena, &spec, &err))
		return;
	draw_values(drawing, row, &spec, is_b);
	name = picture_port(source->rows, source->n_rows, spec.port, source->arena);
	for (size_t i = 0; i < drawing->link->n_vports; i++) {
		if (!str_equal(drawing->ends[i].end, name))
			continue;
		drawing->ends[i].key = spec.key;
		draw_path(drawing, &drawing->ends[i]);
	}
}

static void
draw_rows(struct drawing *drawing)
{
	static const char *const kinds[] = {"share", "hub", "link_end"};
	const struct controller_row_state *row;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (size_t from = 0; (row = find_row(drawing->source, kinds[i], "link",
					   drawing->link->name, &from));) {
			if (str_equal(kinds[i], "link_end"))
				draw_end(drawing, row);
			else
				draw_rank(drawing, row);
		}
}

/* From end to end over the hub: the two that are furthest from it. */
static int64_t
furthest_us(const struct drawing *drawing)
{
	int64_t first = 0, second = 0;

	for (size_t i = 0; i < drawing->link->n_vports; i++) {
		int64_t latency_us = drawing->ends[i].latency_us;

		if (latency_us > first) {
			second = first;
			first = latency_us;
		} else if (latency_us > second) {
			second = latency_us;
		}
	}
	return first + second;
}

/* What the ends say of the link as a whole. */
static void
draw_whole(const struct drawing *drawing, struct snc_link *to)
{
	const struct source *source = drawing->source;
	const struct controller_row_state *hub;
	size_t from = 0;

	to->state = link_state(drawing->rank, drawing->is_open);
	if (drawing->link->n_vports == 2) {
		to->path = drawing->ends[0].path;
		to->latency_us = drawing->ends[0].latency_us;
		to->key = drawing->ends[0].key;
		return;
	}
	to->latency_us = furthest_us(drawing);
	hub = find_row(source, "hub", "link", drawing->link->name, &from);
	if (hub)
		to->path = arena_format(source->arena, "hub %s", host_of(source, hub));
}

static const char *
end_name(const struct source *source, const struct slice_link *link, unsigned which)
{
	const struct slice_bind_end *end = slice_link_end(source->slice, link, which);

	return end ? arena_format(source->arena, "%s.%s", end->sliver, end->port) : "";
}

static const char *const isolation_words[] = {
    [SLICE_SHAPING] = "shaping", [SLICE_POLICING] = "policing", [SLICE_BESTEFFORT] = "besteffort"};

/* Before it is placed a link is as the document says; afterwards its rows tell what is in force. */
static struct snc_link
draw_link(const struct source *source, const struct slice_link *link)
{
	struct snc_link_end *ends = arena_alloc(source->arena, link->n_vports * sizeof(ends[0]));
	struct drawing drawing = {
	    .source = source, .link = link, .ends = ends, .rank = 4, .is_open = true};
	struct snc_link to = {
	    .slice = source->record->name,
	    .name = link->name,
	    .a = end_name(source, link, 0),
	    .b = link->n_vports == 2 ? end_name(source, link, 1) : "",
	    .rate_ab_bps = link->rate_up_bps,
	    .host_a = "",
	    .host_b = "",
	    .type = link->subtype,
	    .rate_ba_bps = link->rate_down_bps,
	    .ceiling_ab_bps = link->ceil_up_bps,
	    .ceiling_ba_bps = link->ceil_down_bps,
	    .burst_bytes = link->burst_bytes,
	    .isolation = isolation_words[link->isolation],
	    .priority = link->priority,
	    .mtu = link->mtu,
	    .path = "",
	    .state = "absent",
	    .ends = ends,
	    .n_ends = link->n_vports,
	};

	drawing.to = &to;
	for (unsigned i = 0; i < link->n_vports; i++)
		ends[i] = (struct snc_link_end){.end = end_name(source, link, i), .path = ""};
	if (source->n_rows) {
		draw_rows(&drawing);
		draw_whole(&drawing, &to);
	}
	to.ceiling_bps =
	    to.ceiling_ab_bps > to.ceiling_ba_bps ? to.ceiling_ab_bps : to.ceiling_ba_bps;
	return to;
}

static void
draw(const struct source *source, struct slice_picture *picture)
{
	const struct slice_body *body = &source->slice->body;

	picture->n_nodes = body->n_nodes;
	picture->nodes = arena_alloc(source->arena, body->n_nodes * sizeof(picture->nodes[0]));
	picture->ready = arena_alloc(source->arena, body->n_nodes * sizeof(picture->ready[0]));
	for (size_t i = 0; i < body->n_nodes; i++)
		draw_node(source, &body->nodes[i], &picture->nodes[i], &picture->ready[i]);
	picture->n_links = body->n_links;
	picture->links = arena_alloc(source->arena, body->n_links * sizeof(picture->links[0]));
	for (size_t i = 0; i < body->n_links; i++)
		picture->links[i] = draw_link(source, &body->links[i]);
}

/* The document was accepted once: reading it again finds nothing but remarks. */
static bool
read_again(const struct slice_record *record, const struct slice_document *document,
    struct arena *arena, struct slice **slice, struct err *err)
{
	diagnoses found = {0};
	bool is_good = slice_read(document->bytes, document->size, arena, slice, &found) &&
		       slice_defaults(*slice, arena, &found);

	vec_done(&found);
	return is_good || err_set(err, ERR_INTERNAL,
			      "the stored document of slice '%s' cannot be read", record->name);
}

bool
picture_take(struct snc *snc, struct txn *txn, const struct slice_record *record,
    struct arena *arena, struct slice_picture *picture, struct err *err)
{
	struct source source = {.arena = arena, .record = record};
	struct slice *slice;

	if (!picture_slice(snc, txn, record, arena, &picture->slice, err) ||
	    !store_slice_document(txn, record->id, arena, &picture->document, err) ||
	    !read_again(record, &picture->document, arena, &slice, err))
		return false;
	if (!controller_rows(snc->controller, txn, record->id, arena, &source.rows, &source.n_rows))
		source.n_rows = 0;
	source.slice = slice;
	draw(&source, picture);
	return true;
}

void
picture_mapping(const struct slice *slice, const struct mapping *mapping, struct arena *arena,
    struct snc_node **nodes, size_t *n_nodes)
{
	struct slice_record record = {.name = slice->name};
	struct source source = {.arena = arena, .record = &record, .slice = slice};

	*n_nodes = 0;
	*nodes = arena_alloc(arena, mapping->n_nodes * sizeof(**nodes));
	for (size_t i = 0; i < mapping->n_nodes; i++) {
		struct snc_node *node = &(*nodes)[*n_nodes];

		if (mapping->nodes[i].node->hub_of)
			continue;
		++*n_nodes;
		*node = plain_node(slice->name, mapping->nodes[i].node);
		draw_ports(&source, mapping->nodes[i].node, NULL, node);
		node->host = mapping->nodes[i].host->name;
	}
}
