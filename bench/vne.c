#include "bench/vne.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 1000000 };

struct reader {
	FILE *file;
	const char *path;
	unsigned line;
	struct arena *arena;
};

static void
refuse(const struct reader *reader, const char *what)
{
	fprintf(stderr, "%s line %u: %s\n", reader->path, reader->line, what);
	exit(2);
}

/* The numbers behind the word that the line has to begin with. */
static void
read_line(struct reader *reader, const char *word, double *numbers, size_t n)
{
	char text[256], *at = text;
	size_t len = strlen(word);

	reader->line++;
	if (!fgets(text, sizeof(text), reader->file) || strncmp(text, word, len) != 0)
		refuse(reader, word);
	at += len;
	for (size_t i = 0; i < n; i++) {
		char *end;

		numbers[i] = strtod(at, &end);
		if (end == at || !isfinite(numbers[i]) || numbers[i] < 0)
			refuse(reader, "a number is missing");
		at = end;
	}
}

static size_t
count_of(const struct reader *reader, double number)
{
	if (number > COUNT_MAX)
		refuse(reader, "too many");
	return (size_t)number;
}

static unsigned
index_of(const struct reader *reader, double number, size_t n)
{
	if (number >= (double)n)
		refuse(reader, "there is no node of that number");
	return (unsigned)number;
}

static int64_t
amount_of(double number)
{
	return (int64_t)llround(number * VNE_UNITS);
}

struct edge {
	unsigned a, b;
	int64_t rate;
};

static struct edge *
read_edges(struct reader *reader, size_t n_nodes, size_t n)
{
	struct edge *edges = arena_alloc(reader->arena, n * sizeof(edges[0]));
	double numbers[3];

	for (size_t i = 0; i < n; i++) {
		read_line(reader, "l ", numbers, 3);
		edges[i].a = index_of(reader, numbers[0], n_nodes);
		edges[i].b = index_of(reader, numbers[1], n_nodes);
		edges[i].rate = amount_of(numbers[2]);
	}
	return edges;
}

static void
connect(struct core_net *net, struct arena *arena, const struct edge *edges, size_t n)
{
	struct core_draft *drafts = arena_alloc(arena, 2 * n * sizeof(drafts[0]));

	net->n_slots = n + 1;
	net->slots = arena_alloc(arena, net->n_slots * sizeof(net->slots[0]));
	for (size_t i = 0; i < n; i++) {
		const struct edge *edge = &edges[i];
		unsigned slot = (unsigned)i + 1;

		net->slots[slot] = (struct core_slot){edge->rate, edge->rate};
		drafts[2 * i] = (struct core_draft){edge->a, {edge->b, slot, slot, 0}};
		drafts[2 * i + 1] = (struct core_draft){edge->b, {edge->a, slot, slot, 0}};
	}
	(void)core_connect(net, drafts, 2 * n, arena);
}

/* Slot 0 stands for the loops of the hosts, where nothing may go. */
static void
read_substrate(struct reader *reader, struct vne *vne)
{
	struct core_net *net = &vne->net;
	double numbers[2];
	size_t n_edges;

	read_line(reader, "substrate ", numbers, 2);
	net->n_hosts = net->n_vertices = count_of(reader, numbers[0]);
	n_edges = count_of(reader, numbers[1]);
	net->hosts = arena_alloc(reader->arena, net->n_hosts * sizeof(net->hosts[0]));
	net->host_at = arena_alloc(reader->arena, net->n_hosts * sizeof(net->host_at[0]));
	for (unsigned i = 0; i < net->n_hosts; i++) {
		struct core_host *host = &net->hosts[i];

		read_line(reader, "n ", numbers, 2);
		host->size[0] = host->room[0] = amount_of(numbers[1]);
		host->leave = host->enter = net->host_at[i] = i;
	}
	connect(net, reader->arena, read_edges(reader, net->n_hosts, n_edges), n_edges);
}

static void
read_request(struct reader *reader, struct vne_request *request)
{
	double numbers[5];
	struct edge *edges;

	read_line(reader, "r ", numbers, 5);
	request->id = (long)numbers[0];
	request->arrival = numbers[1];
	request->life = numbers[2];
	request->n_nodes = count_of(reader, numbers[3]);
	request->n_links = count_of(reader, numbers[4]);
	request->nodes = arena_alloc(reader->arena, request->n_nodes * sizeof(request->nodes[0]));
	request->links = arena_alloc(reader->arena, request->n_links * sizeof(request->links[0]));
	for (size_t i = 0; i < request->n_nodes; i++) {
		read_line(reader, "n ", numbers, 2);
		request->nodes[i].wants[0] = amount_of(numbers[1]);
		request->nodes[i].apart = 1;
		request->revenue += numbers[1];
	}
	edges = read_edges(reader, request->n_nodes, request->n_links);
	for (size_t i = 0; i < request->n_links; i++) {
		request->links[i] = (struct core_link){edges[i].a, edges[i].b, edges[i].rate, 0, 0};
		request->revenue += (double)edges[i].rate / VNE_UNITS;
	}
}

struct vne *
vne_read(const char *path, struct arena *arena)
{
	struct vne *vne = arena_new_of(arena, struct vne);
	struct reader reader = {fopen(path, "re"), path, 0, arena};
	double number;

	if (!reader.file) {
		perror(path);
		exit(2);
	}
	read_line(&reader, "vne 1", NULL, 0);
	read_substrate(&reader, vne);
	read_line(&reader, "requests ", &number, 1);
	vne->n_requests = count_of(&reader, number);
	vne->requests = arena_alloc(arena, vne->n_requests * sizeof(vne->requests[0]));
	for (size_t i = 0; i < vne->n_requests; i++)
		read_request(&reader, &vne->requests[i]);
	(void)fclose(reader.file);
	return vne;
}
