/*
 * A slice and a substrate as a problem for the core, and its answer put into the books of the
 * search. A host and each of its ports have two vertices, one to leave by and one to enter by, so
 * that no path leads through them; arcs between them take the port's rate on its way out.
 */
#include "snc/embed_search.h"

/* An arc while the net is made, and what it stands for: an edge of the graph, or a port by index.
 */
struct sketch {
	const struct substrate *left;
	struct arena *arena;
	struct core_net *net;
	struct core_draft *drafts;
	unsigned *meanings; /* by draft */
	size_t n_drafts;
	unsigned n_graph; /* vertices of the graph */
};

static void sketch_edges(struct sketch *sketch);
static void sketch_host(struct sketch *sketch, unsigned at, unsigned *slot);
static void fill_request(const struct search *search, struct core_request *request);

/* Slots: the endless one, two an edge, one a port, two a host. */
enum { SLOT_ENDLESS = 0, SLOT_EDGES = 1 };

static size_t
count_ports(const struct substrate *left)
{
	size_t n = 0;

	for (size_t i = 0; i < left->n_hosts; i++)
		n += left->hosts[i].n_ports;
	return n;
}

static size_t
count_edges(const struct substrate *left)
{
	return left->graph ? left->graph->n_edges : 0;
}

static void
set_slot(struct sketch *sketch, unsigned slot, int64_t size, int64_t free)
{
	sketch->net->slots[slot] = (struct core_slot){size, free > 0 ? free : 0};
}

static void
make_net(const struct search *search, struct embed_problem *problem)
{
	const struct substrate *left = search->left;
	struct arena *arena = search->arena;
	struct core_net *net = &problem->net;
	struct sketch sketch = {.left = left, .arena = arena, .net = net};
	size_t n_drafts = 2 * (count_edges(left) + count_ports(left));
	unsigned slot = SLOT_EDGES + 2 * (unsigned)count_edges(left), *draft_of;

	sketch.n_graph = left->graph ? (unsigned)left->graph->n_vertices : 0;
	sketch.drafts = arena_alloc(arena, n_drafts * sizeof(sketch.drafts[0]));
	sketch.meanings = arena_alloc(arena, n_drafts * sizeof(sketch.meanings[0]));
	net->n_hosts = left->n_hosts;
	net->hosts = arena_alloc(arena, net->n_hosts * sizeof(net->hosts[0]));
	net->n_vertices = 2 * (sketch.n_graph + net->n_hosts);
	net->host_at = arena_alloc(arena, net->n_vertices * sizeof(net->host_at[0]));
	for (size_t i = 0; i < net->n_vertices; i++)
		net->host_at[i] = CORE_NOWHERE;
	net->n_slots = slot + count_ports(left) + 2 * net->n_hosts;
	net->slots = arena_alloc(arena, net->n_slots * sizeof(net->slots[0]));
	set_slot(&sketch, SLOT_ENDLESS, 0, INT64_MAX / 2);
	sketch_edges(&sketch);
	for (unsigned i = 0; i < net->n_hosts; i++)
		sketch_host(&sketch, i, &slot);
	draft_of = core_connect(net, sketch.drafts, sketch.n_drafts, arena);
	problem->meanings = arena_alloc(arena, n_drafts * sizeof(problem->meanings[0]));
	for (size_t i = 0; i < sketch.n_drafts; i++)
		problem->meanings[i] = sketch.meanings[draft_of[i]];
}

static void
add_arc(struct sketch *sketch, unsigned from, struct core_arc arc, unsigned meaning)
{
	sketch->meanings[sketch->n_drafts] = meaning;
	sketch->drafts[sketch->n_drafts++] = (struct core_draft){from, arc};
}

/* Where a vertex of the graph is entered; it is left by its own number. */
static unsigned
enter_of(const struct sketch *sketch, unsigned vertex)
{
	return sketch->left->graph->is_transit[vertex] ? vertex : sketch->n_graph + vertex;
}

static void
sketch_edges(struct sketch *sketch)
{
	const struct graph *graph = sketch->left->graph;

	for (unsigned i = 0; graph && i < graph->n_edges; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		unsigned ab = SLOT_EDGES + 2 * i, ba = ab + 1;

		set_slot(sketch, ab, edge->capacity_bps, edge->free_ab_bps);
		set_slot(sketch, ba, edge->capacity_bps, edge->free_ba_bps);
		add_arc(sketch, edge->a,
		    (struct core_arc){enter_of(sketch, edge->b), ab, ba, edge->latency_us}, i);
		add_arc(sketch, edge->b,
		    (struct core_arc){enter_of(sketch, edge->a), ba, ab, edge->latency_us}, i);
	}
}

static void
sketch_host(struct sketch *sketch, unsigned at, unsigned *slot)
{
	const struct substrate_host *from = &sketch->left->hosts[at];
	struct core_host *host = &sketch->net->hosts[at];

	*host = (struct core_host){
	    .size = {from->cpu, from->memory_bytes, from->disk_bytes},
	    .room = {from->cpu_free, from->memory_free_bytes, from->disk_free_bytes},
	    .leave = 2 * (sketch->n_graph + at),
	    .enter = 2 * (sketch->n_graph + at) + 1,
	};
	sketch->net->host_at[host->enter] = at;
	for (unsigned i = 0; i < 2; i++) {
		host->loop[i] = (*slot)++;
		set_slot(sketch, host->loop[i], from->loop_rate_bps, from->loop_free_bps[i]);
	}
	for (unsigned i = 0; i < from->n_ports; i++) {
		const struct substrate_port *port = &from->ports[i];
		unsigned sends = (*slot)++;

		set_slot(sketch, sends, port->rate_bps, port->free_bps);
		if (port->vertex < 0 || !sketch->left->graph)
			continue;
		add_arc(sketch, host->leave,
		    (struct core_arc){(unsigned)port->vertex, sends, SLOT_ENDLESS, 0}, i);
		add_arc(sketch, enter_of(sketch, (unsigned)port->vertex),
		    (struct core_arc){host->enter, SLOT_ENDLESS, sends, 0}, i);
	}
}

void
embed_problem_make(const struct search *search, struct embed_problem *problem)
{
	*problem = (struct embed_problem){0};
	make_net(search, problem);
	fill_request(search, &problem->request);
}

static struct core_node
node_wants(const struct search *search, size_t node)
{
	const struct slice_node *asked = search->nodes[node].node;
	size_t n_hosts = search->left->n_hosts;
	bool *may = arena_alloc(search->arena, n_hosts * sizeof(may[0]));

	for (size_t i = 0; i < n_hosts; i++)
		may[i] = embed_node_suits(search, node, i);
	if (asked->hub_of || embed_node_stands(search, node)) /* it takes no machine's room */
		return (struct core_node){.may = may, .is_light = true};
	return (struct core_node){
	    .wants = {asked->cpu, asked->memory_bytes, asked->disk_bytes}, .may = may};
}

/* Machines of one slice share a host where there is no other way: that costs more than any path. */
static void
fill_request(const struct search *search, struct core_request *request)
{
	struct core_node *nodes = arena_alloc(search->arena, search->n_nodes * sizeof(nodes[0]));
	struct core_link *links = arena_alloc(search->arena, search->n_links * sizeof(links[0]));

	for (size_t i = 0; i < search->n_nodes; i++)
		nodes[i] = node_wants(search, i);
	embed_company_fill(search, nodes);
	request->share_cost = 1;
	for (size_t i = 0; i < search->n_links; i++) {
		const struct search_link *link = &search->links[i];

		links[i] = (struct core_link){(unsigned)link->node_a, (unsigned)link->node_b,
		    link->up_bps, link->down_bps, link->link->latency_us};
		request->share_cost += core_link_cost(&links[i], CORE_HOPS_MAX);
	}
	request->nodes = nodes;
	request->n_nodes = search->n_nodes;
	request->links = links;
	request->n_links = search->n_links;
}

/* From port to port: the arcs between a host and its port are no edges. */
static void
take_path(struct search *search, const struct embed_problem *problem, size_t at,
    const struct core_path *path)
{
	struct search_link *link = &search->links[at];
	size_t n = path->n_arcs;
	unsigned *edges;

	if (!n) {
		embed_link_take_local(search, link);
		return;
	}
	edges = arena_alloc(search->arena, (n - 2) * sizeof(edges[0]));
	link->port_a = problem->meanings[path->arcs[0]];
	link->port_b = problem->meanings[path->arcs[n - 1]];
	link->path = (struct graph_path){.edges = edges, .n_edges = n - 2};
	for (size_t i = 0; i < n - 2; i++) {
		edges[i] = problem->meanings[path->arcs[i + 1]];
		link->path.latency_us += search->left->graph->edges[edges[i]].latency_us;
	}
	embed_link_take_far(search, link);
}

void
embed_problem_apply(
    struct search *search, const struct embed_problem *problem, const struct core_answer *answer)
{
	for (size_t i = 0; i < search->n_nodes; i++)
		if (answer->hosts[i] != CORE_NOWHERE)
			embed_node_take(search, i, answer->hosts[i]);
	for (size_t i = 0; i < search->n_links; i++) {
		const struct search_link *link = &search->links[i];

		if (search->nodes[link->node_a].host != EMBED_NOWHERE &&
		    search->nodes[link->node_b].host != EMBED_NOWHERE)
			take_path(search, problem, i, &answer->paths[i]);
	}
}
