/*
 * Comparing two documents. Elements are the same when they have the same name; what counts are
 * their values, what is told are the keys as they are written.
 */
#include "lib/model/slice_diff.h"

#include <string.h>

#include "lib/base/vec.h"
#include "lib/model/slice_company.h"
#include "lib/model/slice_keys.h"

enum { MTU_DEFAULT = 1500 };

typedef vec_of(struct slice_change) changes;

struct work {
	const struct slice_diff_request *request;
	struct arena *arena;
	changes found;
	const size_t *together; /* of the new slice: see slice_together, slice_apart */
	const uint64_t *apart;
};

static const char *const way_texts[] = {
    "unchanged", "hitless", "local", "add", "remove", "restart"};

const char *
slice_way_text(enum slice_way way)
{
	return way_texts[way];
}

/* ---- what is told ---------------------------------------------------------------------------- */

static void
tell(struct slice_change *change, struct arena *arena, const char *text)
{
	change->text =
	    arena_format(arena, "%s%s%s", change->text, change->text[0] ? "; " : "", text);
}

static void
raise_to(struct slice_change *change, enum slice_way way)
{
	if (way > change->way)
		change->way = way;
}

static void
tell_pairs(struct work *work, struct slice_change *change, const struct slice_pairs *before,
    const struct slice_pairs *after)
{
	for (size_t i = 0; i < after->n; i++) {
		const struct slice_pair *now = &after->items[i];
		const struct slice_pair *was = slice_pair_find(before, now->key);

		if (!was)
			tell(change, work->arena,
			    arena_format(
				work->arena, "%s %.80s, was not given", now->key, now->value));
		else if (!str_equal(was->value, now->value))
			tell(change, work->arena,
			    arena_format(work->arena, "%s %.80s, was %.80s", now->key, now->value,
				was->value));
	}
	for (size_t i = 0; i < before->n; i++)
		if (!slice_pair_find(after, before->items[i].key))
			tell(change, work->arena,
			    arena_format(work->arena, "%s not given, was %.80s",
				before->items[i].key, before->items[i].value));
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static bool
is_same_machine(const struct slice_node *a, const struct slice_node *b)
{
	return a->cpu == b->cpu && a->cpu_share == b->cpu_share &&
	       a->memory_bytes == b->memory_bytes && a->disk_bytes == b->disk_bytes &&
	       a->iops == b->iops && a->form == b->form && str_equal(a->image, b->image) &&
	       str_equal(a->kernel_args, b->kernel_args) && str_equal(a->user_data, b->user_data) &&
	       str_equal(a->type, b->type) && str_equal(a->subtype, b->subtype);
}

static const char *
place_of(const struct slice_diff_request *request, const char *node)
{
	for (size_t i = 0; i < request->n_places; i++)
		if (str_equal(request->places[i].node, node))
			return request->places[i].host;
	return NULL;
}

static const char *
wish_of(const struct slice *slice, const char *node)
{
	for (size_t i = 0; i < slice->n_amaps; i++)
		if (str_equal(slice->amaps[i].node, node))
			return slice->amaps[i].vnode;
	return NULL;
}

static bool
is_lost(const struct slice_diff_request *request, const char *node)
{
	for (size_t i = 0; i < request->n_places; i++)
		if (str_equal(request->places[i].node, node))
			return request->places[i].is_lost;
	return false;
}

/* Where a node will be for certain: what has an amap goes first, the others in document order,
 * those that begin anew last; NULL. */
static const char *
certain_place(const struct work *work, size_t at, size_t before)
{
	const char *name = work->request->after->body.nodes[at].name;
	const char *there = wish_of(work->request->after, name);

	if (there || at >= before)
		return there;
	return work->found.items[at].is_rebuilt ? NULL : place_of(work->request, name);
}

/* A node whose company of now does not allow where it is. */
static void
compare_company(struct work *work, const char *name, const char *here, struct slice_change *change)
{
	const struct slice *after = work->request->after;
	size_t self = slice_node_at(after, name);

	for (size_t i = 0; i < after->body.n_nodes; i++) {
		const char *other = after->body.nodes[i].name;
		bool are_apart = work->apart[i] & work->apart[self];
		bool are_together = work->together[i] == work->together[self];
		const char *place =
		    i != self && (are_apart || are_together) ? certain_place(work, i, self) : NULL;
		bool is_here = str_equal(place, here);

		if (!place || !(is_here ? are_apart : are_together))
			continue;
		raise_to(change, SLICE_WAY_RESTART);
		tell(change, work->arena,
		    arena_format(work->arena, "on %s, to be %s %s", here,
			is_here ? "apart from" : "together with", other));
		return;
	}
}

/* Without an amap a node stays where it is, as long as there is such a place. */
static void
compare_place(struct work *work, const char *name, struct slice_change *change)
{
	const char *here = place_of(work->request, name);
	const char *there = wish_of(work->request->after, name);

	if (here && is_lost(work->request, name)) {
		raise_to(change, SLICE_WAY_RESTART);
		tell(change, work->arena, arena_format(work->arena, "%s was evicted", here));
		return;
	}
	if (here && there && !str_equal(here, there)) {
		raise_to(change, SLICE_WAY_RESTART);
		tell(change, work->arena,
		    arena_format(work->arena, "on %s, was on %s", there, here));
	} else if (here && !there) {
		compare_company(work, name, here, change);
	}
}

static const struct slice_vport *
find_vport(const struct slice_vport *vports, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_equal(vports[i].name, name))
			return &vports[i];
	return NULL;
}

/* The largest payload that the link at a port has; 0 = there is none. */
static int64_t
mtu_at(const struct slice *slice, const struct slice_node *node, const char *vport)
{
	const struct slice_link *link = slice_port_link(slice, node, vport, &(unsigned){0});

	return link ? link->mtu : 0;
}

/* The ports of a machine and their MTU are made with it. */
static void
compare_ports(struct work *work, const struct slice_node *before, const struct slice_node *after,
    struct slice_change *change)
{
	const char *text = "";

	for (size_t i = 0; i < after->n_vports; i++) {
		const char *name = after->vports[i].name;
		int64_t mtu = mtu_at(work->request->after, after, name);
		int64_t was = mtu_at(work->request->before, before, name);

		if (!find_vport(before->vports, before->n_vports, name))
			text = arena_format(work->arena, "port %s is new", name);
		else if ((mtu ? mtu : MTU_DEFAULT) != (was ? was : MTU_DEFAULT))
			text = arena_format(work->arena, "port %s with mtu %lld, was %lld", name,
			    (long long)(mtu ? mtu : MTU_DEFAULT),
			    (long long)(was ? was : MTU_DEFAULT));
		else
			continue;
		raise_to(change, SLICE_WAY_RESTART);
		tell(change, work->arena, text);
	}
	for (size_t i = 0; i < before->n_vports; i++) {
		if (find_vport(after->vports, after->n_vports, before->vports[i].name))
			continue;
		raise_to(change, SLICE_WAY_RESTART);
		tell(change, work->arena,
		    arena_format(work->arena, "port %s goes", before->vports[i].name));
	}
}

static void
compare_node(struct work *work, const struct slice_node *before, const struct slice_node *after)
{
	struct slice_change *change = vec_add(&work->found);

	*change = (struct slice_change){.name = after->name, .text = "", .line = after->where.line};
	if (!before) {
		change->way = SLICE_WAY_ADD;
		return;
	}
	if (!is_same_machine(before, after)) {
		change->way = SLICE_WAY_RESTART;
		tell_pairs(work, change, &before->resources, &after->resources);
		tell_pairs(work, change, &before->params, &after->params);
	}
	compare_place(work, after->name, change);
	compare_ports(work, before, after, change);
	change->is_rebuilt = change->way == SLICE_WAY_RESTART;
}

/* ---- links ----------------------------------------------------------------------------------- */

static const struct slice_link *
find_link(const struct slice *slice, const char *name)
{
	for (size_t i = 0; i < slice->body.n_links; i++)
		if (str_equal(slice->body.links[i].name, name))
			return &slice->body.links[i];
	return NULL;
}

static bool
is_same_end(const struct slice_bind_end *a, const struct slice_bind_end *b)
{
	if (!a || !b)
		return !a && !b;
	return str_equal(a->sliver, b->sliver) && str_equal(a->port, b->port);
}

static void
compare_ends(struct work *work, const struct slice_link *before, const struct slice_link *after,
    struct slice_change *change)
{
	bool is_same = before->n_vports == after->n_vports;

	for (unsigned i = 0; is_same && i < after->n_vports; i++)
		is_same = str_equal(before->vports[i].name, after->vports[i].name) &&
			  is_same_end(slice_link_end(work->request->before, before, i),
			      slice_link_end(work->request->after, after, i));
	if (is_same)
		return;
	change->is_rebuilt = true;
	raise_to(change, SLICE_WAY_LOCAL);
	tell(change, work->arena, "other ends");
}

/* What stands in the rows for good: reserved rates, a queue of the shaper, the path's bound. */
static bool
reserves_the_same(const struct slice_link *a, const struct slice_link *b)
{
	return a->rate_up_bps == b->rate_up_bps && a->rate_down_bps == b->rate_down_bps &&
	       a->latency_us == b->latency_us &&
	       (a->isolation == SLICE_SHAPING) == (b->isolation == SLICE_SHAPING);
}

static bool
is_served_the_same(const struct slice_link *a, const struct slice_link *b)
{
	return a->ceil_up_bps == b->ceil_up_bps && a->ceil_down_bps == b->ceil_down_bps &&
	       a->burst_bytes == b->burst_bytes && a->priority == b->priority &&
	       a->isolation == b->isolation;
}

static bool
is_carried_the_same(const struct slice_link *a, const struct slice_link *b)
{
	const struct slice_carrier *x = &a->carrier, *y = &b->carrier;
	bool is_same = a->mtu == b->mtu && str_equal(x->type, y->type) &&
		       x->n_config == y->n_config && x->overhead == y->overhead;

	for (size_t i = 0; is_same && i < x->n_config; i++)
		is_same = str_equal(x->config[i], y->config[i]);
	return is_same;
}

static bool
has_same_type(const struct slice_link *a, const struct slice_link *b)
{
	return str_equal(a->type, b->type) && str_equal(a->subtype, b->subtype);
}

static void
compare_values(struct work *work, const struct slice_link *before, const struct slice_link *after,
    struct slice_change *change)
{
	if (!reserves_the_same(before, after) || !is_served_the_same(before, after))
		raise_to(change, SLICE_WAY_HITLESS);
	if (!is_carried_the_same(before, after))
		raise_to(change, SLICE_WAY_LOCAL);
	if (!has_same_type(before, after)) {
		raise_to(change, SLICE_WAY_RESTART);
		tell(change, work->arena,
		    arena_format(work->arena, "%s, was %s", after->subtype, before->subtype));
	}
	if (change->way == SLICE_WAY_UNCHANGED)
		return;
	change->is_rebuilt = change->way > SLICE_WAY_HITLESS || !reserves_the_same(before, after);
	tell_pairs(work, change, &before->resources, &after->resources);
	tell_pairs(work, change, &before->params, &after->params);
}

/* A node that begins anew has other ports: its links go there. */
static void
follow_nodes(struct work *work, const struct slice_link *link, struct slice_change *change)
{
	for (unsigned i = 0; i < link->n_vports; i++) {
		const struct slice_bind_end *end = slice_link_end(work->request->after, link, i);
		const struct slice_diff so_far = {work->found.items, work->found.n};
		const struct slice_change *node =
		    end ? slice_diff_find(&so_far, false, end->sliver) : NULL;

		if (!node || !node->is_rebuilt)
			continue;
		change->is_rebuilt = true;
		raise_to(change, SLICE_WAY_LOCAL);
		tell(change, work->arena, arena_format(work->arena, "with node %s", node->name));
	}
}

static void
compare_link(struct work *work, const struct slice_link *before, const struct slice_link *after)
{
	struct slice_change change = {
	    .is_link = true, .name = after->name, .text = "", .line = after->where.line};

	if (before) {
		compare_values(work, before, after, &change);
		compare_ends(work, before, after, &change);
		follow_nodes(work, after, &change);
	} else {
		change.way = SLICE_WAY_ADD;
	}
	vec_push(&work->found, change);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void
find_removed(struct work *work)
{
	const struct slice *before = work->request->before, *after = work->request->after;

	for (size_t i = 0; i < before->body.n_nodes; i++) {
		const struct slice_node *node = &before->body.nodes[i];

		if (!slice_find_node(after, node->name))
			vec_push(&work->found, ((struct slice_change){.name = node->name,
						   .way = SLICE_WAY_REMOVE,
						   .text = "",
						   .line = node->where.line}));
	}
	for (size_t i = 0; i < before->body.n_links; i++) {
		const struct slice_link *link = &before->body.links[i];

		if (!find_link(after, link->name))
			vec_push(&work->found, ((struct slice_change){.is_link = true,
						   .name = link->name,
						   .way = SLICE_WAY_REMOVE,
						   .text = "",
						   .line = link->where.line}));
	}
}

void
slice_diff(const struct slice_diff_request *request, struct arena *arena, struct slice_diff *diff)
{
	struct work work = {.request = request,
	    .arena = arena,
	    .together = slice_together(request->after, arena),
	    .apart = slice_apart(request->after, arena)};
	const struct slice_body *after = &request->after->body;

	for (size_t i = 0; i < after->n_nodes; i++)
		compare_node(&work, slice_find_node(request->before, after->nodes[i].name),
		    &after->nodes[i]);
	for (size_t i = 0; i < after->n_links; i++)
		compare_link(
		    &work, find_link(request->before, after->links[i].name), &after->links[i]);
	find_removed(&work);
	diff->n = work.found.n;
	diff->items =
	    (void *)arena_copy(arena, work.found.items, work.found.n * sizeof(diff->items[0]));
	vec_done(&work.found);
}

const struct slice_change *
slice_diff_find(const struct slice_diff *diff, bool is_link, const char *name)
{
	for (size_t i = 0; i < diff->n; i++)
		if (diff->items[i].is_link == is_link && str_equal(diff->items[i].name, name))
			return &diff->items[i];
	return NULL;
}

enum slice_way
slice_diff_way(const struct slice_diff *diff)
{
	enum slice_way way = SLICE_WAY_UNCHANGED;

	for (size_t i = 0; i < diff->n; i++)
		if (diff->items[i].way > way)
			way = diff->items[i].way;
	return way;
}

void
slice_diff_print(const struct slice_diff *diff, struct str *out)
{
	for (size_t i = 0; i < diff->n; i++) {
		const struct slice_change *change = &diff->items[i];

		str_addf(out, "%s %s: %s%s%s%s\n", change->is_link ? "link" : "node", change->name,
		    slice_way_text(change->way), change->is_rebuilt ? ", rebuilt" : "",
		    change->text[0] ? ": " : "", change->text);
	}
}
