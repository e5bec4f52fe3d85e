/*
 * Embedding, from the slice to its mapping: tell what cannot be whatever the rest does, hand the
 * problem to the core, and turn its answer into a mapping; or say what stops the nodes that found
 * no place beside the others.
 */
#include "snc/embed.h"

#include <stdlib.h>
#include <string.h>

#include "lib/model/slice_company.h"
#include "lib/model/units.h"
#include "snc/embed_search.h"

/* A refusal for want of a path takes long to explain. */
enum { PATHS_EXPLAINED = 4 };

static struct search *search_new(const struct embed_request *request, struct arena *arena);
static void search_alone(struct search *search, diagnoses *found);
static bool search_solve(struct search *search);
static bool search_rest(struct search *search, diagnoses *found);
static struct mapping *search_mapping(const struct search *search);

bool
embed(const struct embed_request *request, struct arena *arena, struct mapping **mapping,
    diagnoses *found)
{
	struct search *search = search_new(request, arena);
	size_t n_before = found->n;

	search_alone(search, found);
	if (found->n > n_before)
		return false;
	if (!search_solve(search) && !search_rest(search, found))
		return false;
	*mapping = search_mapping(search);
	return true;
}

/* What is left: the substrate's numbers, to be changed while searching. */
static struct substrate *
substrate_copy(const struct substrate *from, struct arena *arena)
{
	struct substrate *copy = arena_new_of(arena, struct substrate);

	*copy = *from;
	copy->hosts =
	    (void *)arena_copy(arena, from->hosts, from->n_hosts * sizeof(from->hosts[0]));
	for (size_t i = 0; i < copy->n_hosts; i++) {
		struct substrate_host *host = &copy->hosts[i];

		host->ports =
		    (void *)arena_copy(arena, host->ports, host->n_ports * sizeof(host->ports[0]));
	}
	copy->graph = from->graph ? graph_copy(from->graph, arena) : NULL;
	return copy;
}

static const struct slice_amap *
find_amap(const struct slice *slice, const char *node)
{
	for (size_t i = 0; i < slice->n_amaps; i++)
		if (str_equal(slice->amaps[i].node, node))
			return &slice->amaps[i];
	return NULL;
}

static void
fill_nodes(struct search *search, const struct slice *slice)
{
	search->n_nodes = slice->body.n_nodes;
	search->nodes = arena_alloc(search->arena, search->n_nodes * sizeof(search->nodes[0]));
	for (size_t i = 0; i < search->n_nodes; i++) {
		const struct slice_node *node = &slice->body.nodes[i];

		search->nodes[i].node = node;
		search->nodes[i].amap = find_amap(slice, node->name);
		search->nodes[i].host = EMBED_NOWHERE;
	}
}

/* The node at an end of a link; slice_check has seen to it that there is one. */
static size_t
link_node(const struct slice *slice, const struct slice_link *link, unsigned which)
{
	const struct slice_bind_end *end = slice_link_end(slice, link, which);
	const struct slice_node *node = end ? slice_find_node(slice, end->sliver) : NULL;

	if (!node)
		abort();
	return (size_t)(node - slice->body.nodes);
}

static void
fill_links(struct search *search, const struct slice *slice)
{
	search->n_links = slice->body.n_links;
	search->links = arena_alloc(search->arena, search->n_links * sizeof(search->links[0]));
	for (size_t i = 0; i < search->n_links; i++) {
		const struct slice_link *link = &slice->body.links[i];
		struct search_link *to = &search->links[i];

		to->link = link;
		to->node_a = link_node(slice, link, 0);
		to->node_b = link_node(slice, link, 1);
		to->up_bps = rate_on_wire(link->rate_up_bps, link->mtu, link->carrier.overhead);
		to->down_bps = rate_on_wire(link->rate_down_bps, link->mtu, link->carrier.overhead);
	}
}

static struct search *
search_new(const struct embed_request *request, struct arena *arena)
{
	struct search *search = arena_new_of(arena, struct search);

	search->request = request;
	search->arena = arena;
	search->left = substrate_copy(request->substrate, arena);
	search->n_on = arena_alloc(arena, search->left->n_hosts * sizeof(search->n_on[0]));
	search->first = slice_together(request->slice, arena);
	search->apart = slice_apart(request->slice, arena);
	fill_nodes(search, request->slice);
	fill_links(search, request->slice);
	return search;
}

/* The host in maintenance that would take the node first; false: there is none. */
static bool
find_kept_out(const struct search *search, size_t node, struct err *why)
{
	const struct substrate_host *hosts = search->left->hosts;
	size_t n = search->left->n_hosts, first = n;

	for (size_t i = 0; i < n; i++)
		if (embed_node_is_kept_out(search, node, i) &&
		    (search->nodes[node].amap || embed_node_has_room(search, node, i)) &&
		    (first == n || hosts[i].drained_until_ms < hosts[first].drained_until_ms))
			first = i;
	return first < n && !embed_explain_drained(search, node, first, why);
}

/* What is short elsewhere says nothing where a host in maintenance has it; that links find no way
 * elsewhere, or that the host is full as well, binds beside it. */
static void
refuse(const struct search *search, size_t node, const struct err *nearest, diagnoses *found)
{
	bool is_full = search->nodes[node].amap && nearest->code == ERR_R01;
	struct err why;

	if (!find_kept_out(search, node, &why)) {
		vec_push(found, *nearest);
		return;
	}
	if (is_full || nearest->code == ERR_R02 || nearest->code == ERR_R03 ||
	    nearest->code == ERR_R07)
		vec_push(found, *nearest);
	vec_push(found, why);
}

/*
 * What cannot be whatever the rest of the slice does: each node alone, then each link between two
 * nodes that can only be where their amap says. All of it is told at once.
 */
static bool
node_alone(struct search *search, size_t node, diagnoses *found)
{
	struct err nearest = {0};
	size_t *hosts;

	for (size_t i = 0; i < search->left->n_hosts; i++)
		if (embed_node_suits(search, node, i) && embed_node_has_room(search, node, i))
			return true;
	hosts = arena_alloc(search->arena, search->left->n_hosts * sizeof(hosts[0]));
	embed_node_hosts(search, node, hosts);
	if (search->left->n_hosts == 0)
		embed_explain_nowhere(search, node, &nearest);
	for (size_t i = 0; i < search->left->n_hosts; i++) {
		struct err why;

		if (embed_node_fits(search, node, hosts[i], &why))
			return true;
		if (embed_explain_rank(&why) > embed_explain_rank(&nearest))
			nearest = why;
	}
	refuse(search, node, &nearest, found);
	return false;
}

static void
link_alone(struct search *search, struct search_link *link, diagnoses *found)
{
	struct search_node *a = &search->nodes[link->node_a], *b = &search->nodes[link->node_b];
	struct err why;

	if (!a->amap || !b->amap)
		return;
	a->host = embed_host_named(search, a->amap->vnode);
	b->host = embed_host_named(search, b->amap->vnode);
	if (embed_link_route(search, link, &why))
		embed_link_remove(search, link);
	else
		vec_push(found, why);
	a->host = b->host = EMBED_NOWHERE;
}

static void
search_alone(struct search *search, diagnoses *found)
{
	bool all_fit = true;

	for (size_t i = 0; i < search->n_nodes; i++)
		all_fit = node_alone(search, i, found) && all_fit;
	for (size_t i = 0; all_fit && i < search->n_links; i++)
		link_alone(search, &search->links[i], found);
}

/* Books what the core has placed; true when that is all. */
static bool
search_solve(struct search *search)
{
	const struct embed_request *request = search->request;
	struct embed_problem problem;
	struct core_answer answer;
	bool is_whole;

	embed_problem_make(search, &problem);
	problem.request.clock = request->clock;
	problem.request.deadline_ms = request->deadline_ms;
	problem.request.search_steps = EMBED_SEARCH_STEPS;
	problem.request.improve_steps = EMBED_IMPROVE_STEPS;
	is_whole = core_solve(&problem.net, &problem.request, search->arena, &answer);
	embed_problem_apply(search, &problem, &answer);
	return is_whole;
}

/* A place beside all the others; else the refusal that came nearest. */
static bool
place_somewhere(struct search *search, size_t node, struct err *nearest)
{
	size_t *hosts = arena_alloc(search->arena, search->left->n_hosts * sizeof(hosts[0]));
	unsigned n_paths = 0;
	size_t mate;
	long leads = embed_company_leads(search, node, &mate);

	*nearest = (struct err){0};
	embed_node_hosts(search, node, hosts);
	for (size_t i = 0; i < search->left->n_hosts && n_paths < PATHS_EXPLAINED; i++) {
		struct err why;

		if (leads != EMBED_NOWHERE && (size_t)leads != hosts[i])
			continue;
		if (embed_node_place(search, node, hosts[i], &why))
			return true;
		n_paths += why.code == ERR_R03;
		if (embed_explain_rank(&why) > embed_explain_rank(nearest))
			*nearest = why;
	}
	return false;
}

static bool
search_rest(struct search *search, diagnoses *found)
{
	for (size_t i = 0; i < search->n_nodes; i++) {
		struct err why;

		if (search->nodes[i].host != EMBED_NOWHERE || place_somewhere(search, i, &why))
			continue;
		refuse(search, i, &why, found);
		return false;
	}
	return true;
}

static struct mapping_link
link_mapping(const struct search *search, const struct search_link *link)
{
	const struct substrate *substrate = search->request->substrate;
	const struct substrate_host *a = &substrate->hosts[search->nodes[link->node_a].host];
	const struct substrate_host *b = &substrate->hosts[search->nodes[link->node_b].host];

	return (struct mapping_link){
	    .link = link->link,
	    .is_local = link->is_local,
	    .host_a = a,
	    .host_b = b,
	    .port_a = link->is_local ? NULL : &a->ports[link->port_a],
	    .port_b = link->is_local ? NULL : &b->ports[link->port_b],
	    .path = link->path,
	};
}

static struct mapping *
search_mapping(const struct search *search)
{
	struct mapping *mapping = arena_new_of(search->arena, struct mapping);

	mapping->n_nodes = search->n_nodes;
	mapping->nodes = arena_alloc(search->arena, search->n_nodes * sizeof(mapping->nodes[0]));
	for (size_t i = 0; i < search->n_nodes; i++) {
		mapping->nodes[i].node = search->nodes[i].node;
		mapping->nodes[i].host = &search->request->substrate->hosts[search->nodes[i].host];
	}
	mapping->n_links = search->n_links;
	mapping->links = arena_alloc(search->arena, search->n_links * sizeof(mapping->links[0]));
	for (size_t i = 0; i < search->n_links; i++)
		mapping->links[i] = link_mapping(search, &search->links[i]);
	return mapping;
}
