/*
 * The search of embed.c, seen by its parts: what is placed so far and what that leaves free.
 * Nobody else but optimise.h includes this.
 */
#pragma once

#include "snc/embed.h"
#include "snc/embed_core.h"

enum { EMBED_NOWHERE = -1 };

struct search_link {
	const struct slice_link *link;
	size_t node_a, node_b;    /* by index, at the first and second vport */
	int64_t up_bps, down_bps; /* wire: a to b, b to a */
	bool is_routed, is_local;
	size_t port_a, port_b; /* by index, when not local */
	struct graph_demand demand;
	struct graph_path path;
};

struct search_node {
	const struct slice_node *node;
	const struct slice_amap *amap; /* NULL = anywhere */
	long host;                     /* by index; EMBED_NOWHERE = not placed yet */
};

struct search {
	const struct embed_request *request;
	struct arena *arena;
	struct substrate *left; /* own copy: what is free after what is placed */
	struct search_node *nodes;
	size_t n_nodes;
	struct search_link *links;
	size_t n_links;
	size_t *n_on;  /* nodes of this slice on each host */
	size_t *first; /* by node: see slice_together, slice_apart */
	uint64_t *apart;
};

/* embed_node.c: nodes on hosts. */

/* May the host take the node, as things stand? Else why not, with line and hint. */
bool embed_node_fits(
    const struct search *search, size_t node, size_t host, struct err *err) must_check;

/* Is the host one for the node, whatever else is on it: up, with image and types of links, and not
 * in maintenance? */
bool embed_node_suits(const struct search *search, size_t node, size_t host) must_check;

/* Is it there already, and stays? */
bool embed_node_stands(const struct search *search, size_t node) must_check;

/* Would it be one, were it not in maintenance? */
bool embed_node_is_kept_out(const struct search *search, size_t node, size_t host) must_check;

/* Has a host that suits the room as well? */
bool embed_node_has_room(const struct search *search, size_t node, size_t host) must_check;

/* Books a node on a host. */
void embed_node_take(struct search *search, size_t node, size_t host);

/* Puts the node on the host and routes its links to nodes that are placed. Else all as before. */
bool embed_node_place(struct search *search, size_t node, size_t host, struct err *err) must_check;

bool embed_has_link_type(
    const struct substrate_host *host, const struct slice_link *link) must_check;

void embed_node_remove(struct search *search, size_t node);

/* Hosts in the order to be tried for a node: fewest nodes of this slice (for a hub: most ends of
 * its link), least load, name. */
void embed_node_hosts(const struct search *search, size_t node, size_t *hosts);

/* embed_company.c: nodes that are together, or apart. */

/* `together`, `apart` and, of those together, `may` of the core's nodes. */
void embed_company_fill(const struct search *search, struct core_node *nodes);

/* The host of a node that is placed already, and that this one is together with. */
long embed_company_leads(const struct search *search, size_t node, size_t *mate);

/* Must it not be there, for the company of another node that is placed? */
bool embed_company_forbids(
    const struct search *search, size_t node, size_t host, size_t *other) must_check;

/* embed_link.c: links on paths. */

/* Books a link on the loop of its host; on the path between its two ports. */
void embed_link_take_local(struct search *search, struct search_link *link);
void embed_link_take_far(struct search *search, struct search_link *link);

/* Finds the way of a link whose ends are placed, and takes its rates. */
bool embed_link_route(struct search *search, struct search_link *link, struct err *err) must_check;

void embed_link_remove(struct search *search, struct search_link *link);

/* The index of a host by name; EMBED_NOWHERE when the substrate has none. */
long embed_host_named(const struct search *search, const char *name);

/* embed_problem.c: the core's view of it. */

struct embed_problem {
	struct core_net net;
	struct core_request request; /* without clock and deadlines */
	unsigned *meanings;          /* of arcs: an edge of the graph, or a port of the host */
};

/* In the search's arena, of what is left. */
void embed_problem_make(const struct search *search, struct embed_problem *problem);

/* Books what the answer has placed, nodes and links. */
void embed_problem_apply(
    struct search *search, const struct embed_problem *problem, const struct core_answer *answer);

/* embed_explain.c: refusals. All return false. */

/* There is not one host, or none that is up. */
bool embed_explain_nowhere(const struct search *search, size_t node, struct err *err);

/* The host is down, is a gateway, lacks the image, or is not the one that the amap names. */
bool embed_explain_unsuitable(
    const struct search *search, size_t node, size_t host, struct err *err);

/* The host is in maintenance, and would do otherwise. */
bool embed_explain_drained(const struct search *search, size_t node, size_t host, struct err *err);

/* Another node keeps it from the host, or is elsewhere with it. */
bool embed_explain_company(
    const struct search *search, size_t node, size_t host, size_t other, struct err *err);

/* The node asks more of a resource ("cpu", "memory", "disk") than the host has left. */
bool embed_explain_node(
    const struct search *search, size_t node, size_t host, const char *resource, struct err *err);

/* No port of the host can send that much. */
bool embed_explain_port(const struct search *search, const struct search_link *link, size_t host,
    int64_t asked_bps, struct err *err);

/* No path between the hosts carries the link. */
bool embed_explain_path(
    const struct search *search, const struct search_link *link, struct err *err);

/* How near a refusal came to success: the nearest is the one worth telling. */
int embed_explain_rank(const struct err *why);
