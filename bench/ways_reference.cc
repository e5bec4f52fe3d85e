// Judges the answers of `ways answers` on stdin: pairs against LEMON's Suurballe, the k best ways
// against igraph's Yen; and that each way is one. bench/ways.sh builds it (liblemon-dev,
// libigraph-dev); nothing else uses it.
#include <igraph/igraph.h>
#include <lemon/list_graph.h>
#include <lemon/suurballe.h>

#include <cstdio>
#include <iostream>
#include <set>
#include <string>
#include <vector>

struct edge {
	unsigned a, b;
	long long cost;
};

struct way {
	long long cost;
	std::vector<unsigned> edges;
};

struct network {
	unsigned n, m, a, b;
	std::vector<edge> edges;
};

static unsigned long wrong, n_pairs[2], n_none[2], n_ways;

static void
check(bool is_right, const char *what)
{
	if (!is_right && wrong++ < 10)
		std::printf("WRONG: %s\n", what);
}

// The total of LEMON's two ways; -1 = none. With `is_split`, of two that share no vertex.
static long long
suurballe(const network &net, bool is_split)
{
	lemon::ListDigraph graph;
	lemon::ListDigraph::ArcMap<long long> costs(graph);
	std::vector<lemon::ListDigraph::Node> in, out;

	for (unsigned v = 0; v < net.n; v++) {
		in.push_back(graph.addNode());
		out.push_back(is_split ? graph.addNode() : in.back());
		if (is_split)
			costs[graph.addArc(in[v], out[v])] = 0;
	}
	for (const edge &e : net.edges) {
		costs[graph.addArc(out[e.a], in[e.b])] = e.cost;
		costs[graph.addArc(out[e.b], in[e.a])] = e.cost;
	}
	lemon::Suurballe<lemon::ListDigraph, lemon::ListDigraph::ArcMap<long long>> search(graph, costs);
	return search.run(out[net.a], in[net.b], 2) == 2 ? search.totalLength() : -1;
}

// Its edges lead from a to b, past no vertex twice, and cost what it says. Fills in what is inside.
static bool
is_way(const network &net, const way &way, std::set<unsigned> &inside)
{
	unsigned at = net.a;
	long long cost = 0;

	for (unsigned i : way.edges) {
		const edge &e = net.edges.at(i);

		if ((e.a != at && e.b != at) || !inside.insert(at).second)
			return false;
		at = e.a == at ? e.b : e.a;
		cost += e.cost;
	}
	inside.erase(net.a);
	return at == net.b && !inside.count(net.b) && cost == way.cost;
}

static void
judge_pair(const network &net, const std::vector<way> &ways, bool is_split)
{
	long long best = suurballe(net, is_split);
	std::set<unsigned> inside[2], edges;

	n_pairs[is_split]++;
	n_none[is_split] += best < 0;
	check((best >= 0) == (ways.size() == 2), "a pair where there is none, or none where there is one");
	if (ways.size() != 2 || best < 0)
		return;
	check(is_way(net, ways[0], inside[0]) && is_way(net, ways[1], inside[1]), "one of the pair is no way");
	check(ways[0].cost + ways[1].cost == best, "the pair costs more");
	for (const way &way : ways)
		for (unsigned i : way.edges)
			check(edges.insert(i).second, "the pair shares a link");
	if (is_split)
		for (unsigned v : inside[0])
			check(!inside[1].count(v), "the pair shares a router");
}

static void
judge_best(const network &net, const std::vector<way> &ways, int k)
{
	igraph_t graph;
	igraph_vector_t weights;
	igraph_vector_int_t ends;
	igraph_vector_int_list_t found;

	igraph_vector_int_init(&ends, 0);
	igraph_vector_init(&weights, 0);
	igraph_vector_int_list_init(&found, 0);
	for (const edge &e : net.edges) {
		igraph_vector_int_push_back(&ends, e.a);
		igraph_vector_int_push_back(&ends, e.b);
		igraph_vector_push_back(&weights, (double)e.cost);
	}
	igraph_create(&graph, &ends, net.n, IGRAPH_UNDIRECTED);
	igraph_get_k_shortest_paths(&graph, &weights, NULL, &found, k, net.a, net.b, IGRAPH_ALL);
	check((size_t)igraph_vector_int_list_size(&found) == ways.size(), "not as many ways");
	std::set<std::vector<unsigned>> different;
	for (size_t i = 0; i < ways.size(); i++) {
		std::set<unsigned> inside;
		long long cost = 0;

		n_ways++;
		check(is_way(net, ways[i], inside), "one of the best is no way");
		check(different.insert(ways[i].edges).second, "twice the same way");
		if (i >= (size_t)igraph_vector_int_list_size(&found))
			continue;
		const igraph_vector_int_t *other = igraph_vector_int_list_get_ptr(&found, i);
		for (igraph_integer_t j = 0; j < igraph_vector_int_size(other); j++)
			cost += net.edges[VECTOR(*other)[j]].cost;
		check(cost == ways[i].cost, "another cost at the same place");
	}
	igraph_destroy(&graph);
	igraph_vector_int_list_destroy(&found);
	igraph_vector_destroy(&weights);
	igraph_vector_int_destroy(&ends);
}

static std::vector<way>
read_ways(const char *name)
{
	std::string word;
	size_t n, n_edges;

	std::cin >> word >> n;
	check(word == name, "not the answer that was expected");
	std::vector<way> ways(n);
	for (way &way : ways) {
		std::cin >> way.cost >> n_edges;
		way.edges.resize(n_edges);
		for (unsigned &e : way.edges)
			std::cin >> e;
	}
	return ways;
}

int
main(int argc, char **argv)
{
	unsigned long n_graphs = 0, n_best = argc > 1 ? std::stoul(argv[1]) : 1000;
	std::string word;
	network net;

	while (std::cin >> word >> net.n >> net.m >> net.a >> net.b) {
		net.edges.resize(net.m);
		for (edge &e : net.edges)
			std::cin >> e.a >> e.b >> e.cost;
		judge_pair(net, read_ways("link"), false);
		judge_pair(net, read_ways("node"), true);
		std::vector<way> best = read_ways("best");
		if (n_graphs++ < n_best)
			judge_best(net, best, 20);
	}
	std::printf("%lu graphs: %lu pairs apart in links (none in %lu), %lu apart in routers (none in %lu); "
		    "%lu of the best ways on %lu graphs; %lu wrong\n",
	    n_graphs, n_pairs[0], n_none[0], n_pairs[1], n_none[1], n_ways,
	    n_graphs < n_best ? n_graphs : n_best, wrong);
	return wrong || !n_graphs;
}
