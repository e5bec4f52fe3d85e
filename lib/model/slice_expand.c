/*
 * Multipoint links taken apart, between check and embedding: a link with more than two vports
 * becomes a hub, which is placed like a node, and a spoke per vport, which is routed like any other
 * link (docs/decisions/0009).
 *
 * Names that no document can hold keep the parts from those of the document: link 'lan' with vport
 * 'e1' gives the hub 'lan*' with vport 'e1', and the spoke 'lan' from 'e1' to 'e1*'.
 */
#include <string.h>

#include "lib/model/slice.h"

/* What is being made, and how much of it there is. */
struct expansion {
	struct arena *arena;
	struct slice_body body;
};

static bool
is_multipoint(const struct slice_link *link)
{
	return link->n_vports > 2;
}

static const char *
starred(struct arena *arena, const char *name)
{
	return arena_format(arena, "%s*", name);
}

/* Between two ends lie two spokes: each may take half of the bound. */
static int64_t
latency_of_spoke(const struct slice_link *link)
{
	return link->latency_us == 1 ? 1 : link->latency_us / 2;
}

static struct slice_link
spoke_of(struct arena *arena, const struct slice_link *link, size_t index)
{
	struct slice_link spoke = *link;

	spoke.vports = arena_alloc(arena, 2 * sizeof(spoke.vports[0]));
	spoke.vports[0] = spoke.vports[1] = link->vports[index];
	spoke.vports[1].name = starred(arena, link->vports[index].name);
	spoke.n_vports = 2;
	spoke.latency_us = latency_of_spoke(link);
	spoke.whole = link;
	return spoke;
}

static struct slice_bind
bind_of(struct arena *arena, const struct slice_node *hub, const struct slice_link *spoke)
{
	struct slice_bind bind = {.name = spoke->vports[1].name, .n_ends = 2};

	bind.where = spoke->vports[0].where;
	bind.ends = arena_alloc(arena, 2 * sizeof(bind.ends[0]));
	bind.ends[0] =
	    (struct slice_bind_end){hub->name, spoke->vports[0].name, spoke->vports[0].where};
	bind.ends[1] =
	    (struct slice_bind_end){spoke->name, spoke->vports[1].name, spoke->vports[0].where};
	return bind;
}

static void
take_apart(struct expansion *expansion, const struct slice_link *link)
{
	struct slice_body *body = &expansion->body;
	struct slice_node *hub = &body->nodes[body->n_nodes++];

	*hub = (struct slice_node){
	    .name = starred(expansion->arena, link->name),
	    .vports = link->vports,
	    .n_vports = link->n_vports,
	    .where = link->where,
	    .hub_of = link,
	};
	for (size_t i = 0; i < link->n_vports; i++) {
		struct slice_link *spoke = &body->links[body->n_links++];

		*spoke = spoke_of(expansion->arena, link, i);
		body->binds[body->n_binds++] = bind_of(expansion->arena, hub, spoke);
	}
}

/* Room for all parts, with what stays as it is already in it. */
static struct expansion
expansion_of(const struct slice_body *from, struct arena *arena)
{
	struct expansion expansion = {.arena = arena, .body = *from};
	struct slice_body *body = &expansion.body;
	size_t n_hubs = 0, n_spokes = 0;

	for (size_t i = 0; i < from->n_links; i++) {
		n_hubs += is_multipoint(&from->links[i]);
		n_spokes += is_multipoint(&from->links[i]) ? from->links[i].n_vports : 0;
	}
	body->nodes = arena_alloc(arena, (from->n_nodes + n_hubs) * sizeof(body->nodes[0]));
	body->links = arena_alloc(arena, (from->n_links + n_spokes) * sizeof(body->links[0]));
	body->binds = arena_alloc(arena, (from->n_binds + n_spokes) * sizeof(body->binds[0]));
	for (size_t i = 0; i < from->n_nodes; i++)
		body->nodes[i] = from->nodes[i];
	for (size_t i = 0; i < from->n_binds; i++)
		body->binds[i] = from->binds[i];
	body->n_links = 0;
	return expansion;
}

const struct slice *
slice_expand(const struct slice *slice, struct arena *arena)
{
	struct expansion expansion = expansion_of(&slice->body, arena);
	struct slice *expanded = arena_new_of(arena, struct slice);

	for (size_t i = 0; i < slice->body.n_links; i++) {
		const struct slice_link *link = &slice->body.links[i];

		if (is_multipoint(link))
			take_apart(&expansion, link);
		else
			expansion.body.links[expansion.body.n_links++] = *link;
	}
	*expanded = *slice;
	expanded->body = expansion.body;
	return expanded;
}
