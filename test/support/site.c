#include "test/support/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/suite.h"

static const char *const image_names[] = {"container-minimal", "vm-minimal"};

static void
fill_host(struct arena *arena, struct substrate_host *host, const char *name, long vertex)
{
	*host = (struct substrate_host){.name = name, .is_up = true, .cpu = 4, .cpu_free = 4};
	host->memory_bytes = host->memory_free_bytes = 4LL << 30;
	host->disk_bytes = host->disk_free_bytes = 10LL << 30;
	host->loop_rate_bps = host->loop_free_bps[0] = host->loop_free_bps[1] = 10000000000;
	host->images = arena_alloc(arena, sizeof(image_names));
	memcpy(host->images, image_names, sizeof(image_names));
	host->n_images = 2;
	host->n_ports = 2;
	host->ports = arena_alloc(arena, 2 * sizeof(host->ports[0]));
	host->ports[0] = (struct substrate_port){"u0", 1000000000, 1000000000, vertex};
	host->ports[1] = (struct substrate_port){"u1", 1000000000, 1000000000, vertex + 1};
}

/* Vertices: r1, r2, then two ports a host. */
struct substrate *
site_new(struct arena *arena, const char *const *hosts)
{
	struct substrate *substrate = arena_new_of(arena, struct substrate);
	struct graph *graph = arena_new_of(arena, struct graph);
	size_t n = 0;

	while (hosts[n])
		n++;
	substrate->n_hosts = n;
	substrate->hosts = arena_alloc(arena, n * sizeof(substrate->hosts[0]));
	substrate->graph = graph;
	graph->n_vertices = 2 + 2 * n;
	graph->vertices = arena_alloc(arena, graph->n_vertices * sizeof(graph->vertices[0]));
	graph->is_transit = arena_alloc(arena, graph->n_vertices * sizeof(bool));
	graph->n_edges = 2 * n;
	graph->edges = arena_alloc(arena, graph->n_edges * sizeof(graph->edges[0]));
	for (unsigned i = 0; i < 2; i++) {
		graph->vertices[i] = i ? "r2" : "r1";
		graph->is_transit[i] = true;
	}
	for (unsigned i = 0; i < 2 * n; i++) {
		const char *name = arena_format(arena, "%s:u%u", hosts[i / 2], i % 2);

		graph->vertices[2 + i] = name;
		graph->edges[i] =
		    (struct graph_edge){arena_format(arena, "%s-r%u", name, 1 + i % 2), 2 + i,
			i % 2, 1000000000, 1000000000, 1000000000, 1000};
	}
	for (size_t i = 0; i < n; i++)
		fill_host(arena, &substrate->hosts[i], hosts[i], (long)(2 + 2 * i));
	return substrate;
}

struct substrate_host *
site_host(struct substrate *substrate, const char *name)
{
	for (size_t i = 0; i < substrate->n_hosts; i++)
		if (strcmp(substrate->hosts[i].name, name) == 0)
			return &substrate->hosts[i];
	CU_FAIL_FATAL("the site has no such host");
	abort();
}

struct graph_edge *
site_edge(struct substrate *substrate, const char *name)
{
	long at = graph_edge(substrate->graph, name);

	CU_ASSERT_FATAL(at >= 0);
	return &substrate->graph->edges[at];
}

/* "KEY=VALUE…" as resources or params: which one follows from the key. */
static void
add_pairs(struct str *out, char **words, size_t n, bool are_params)
{
	bool is_open = false;

	for (size_t i = 0; i < n; i++) {
		const char *word = words[i] ? words[i] : "";
		size_t key = strcspn(word, "=");
		bool is_param = strncmp(word, "bootImage", 9) == 0 || strncmp(word, "mtu", 3) == 0;

		if (is_param != are_params)
			continue;
		str_add(out, is_open ? "" : are_params ? "<params>" : "<resources>");
		str_addf(out, "<%s key=\"%.*s\" value=\"%s\"/>", are_params ? "param" : "resource",
		    (int)key, word, word + key + 1);
		is_open = true;
	}
	str_add(out, !is_open ? "" : are_params ? "</params>" : "</resources>");
}

struct line {
	char *words[32];
	size_t n, colon; /* index of ":" */
};

static struct line
split(char *text)
{
	struct line line = {0};

	char *rest = NULL;

	for (char *word = strtok_r(text, " ", &rest); word && line.n < 32;
	     word = strtok_r(NULL, " ", &rest)) {
		if (strcmp(word, ":") == 0)
			line.colon = line.n;
		line.words[line.n++] = word;
	}
	if (!line.colon)
		line.colon = line.n;
	return line;
}

static void
add_vports(struct str *out, char **names, size_t n)
{
	str_add(out, "<vports>");
	for (size_t i = 0; i < n; i++)
		str_addf(out, "<vport name=\"%s\"/>", names[i]);
	str_add(out, "</vports>");
}

static void
add_node(struct str *out, struct line *line)
{
	char image[] = "bootImage=image:container-minimal";
	char **pairs = line->words + 2;
	size_t n = line->colon - 2;
	bool has_image = n && strncmp(pairs[n - 1], "bootImage", 9) == 0;

	str_addf(out, "<nodeSliver name=\"%s\"><instance type=\"prog\" subtype=\"SlowPath_VM\">",
	    line->words[1]);
	add_pairs(out, pairs, n, false);
	add_pairs(out, has_image ? pairs : (char *[]){image}, has_image ? n : 1, true);
	str_add(out, "</instance>");
	add_vports(out, line->words + line->colon + 1, line->n - line->colon - 1);
	str_add(out, "</nodeSliver>");
}

static void
add_bind(struct str *binds, const char *link, char *end, int which)
{
	size_t dot = end ? strcspn(end, ".") : 0;

	str_addf(binds,
	    "<vport slivername=\"%.*s\" portname=\"%s\"/><vport slivername=\"%s\""
	    " portname=\"e%d\"/></bind>",
	    (int)dot, end, end + dot + 1, link, which);
}

static void
add_link(struct str *out, struct str *binds, struct line *line)
{
	char text[32][16], *ends[32];
	int n = (int)(line->n - line->colon) - 1;
	const char *name = line->words[1];

	for (int i = 0; i < n; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "e%d", i + 1);
		ends[i] = text[i];
	}

	str_addf(out, "<linkSliver name=\"%s\" type=\"link\" subtype=\"GRE\">", name);
	add_vports(out, ends, (size_t)n);
	add_pairs(out, line->words + 2, line->colon - 2, false);
	add_pairs(out, line->words + 2, line->colon - 2, true);
	str_add(out, "</linkSliver>");
	for (int i = 1; i <= n; i++) {
		str_addf(binds, "<bind name=\"%s%d\">", name, i);
		add_bind(binds, name, line->words[line->colon + (size_t)i], i);
	}
}

/* Which part of the document is open. */
struct writer {
	struct str text, binds;
	const char *name;
	char part; /* n, l, a, or 0 */
	bool is_in_aggregate;
};

static void
in_aggregate(struct writer *writer, bool is_in)
{
	if (is_in != writer->is_in_aggregate)
		str_add(&writer->text, is_in ? "<aggregate name=\"local\">" : "</aggregate>");
	writer->is_in_aggregate = is_in;
}

/* amap, together, apart */
static void
add_place(struct writer *writer, struct line *line)
{
	const char *word = line->words[0];

	in_aggregate(writer, !strcmp(word, "amap"));
	if (writer->is_in_aggregate) {
		str_addf(&writer->text, "<amap node=\"%s\" vnode=\"%s\"/>", line->words[1],
		    line->words[2]);
		return;
	}
	str_addf(&writer->text, "<%s>", word);
	for (size_t i = 1; i < line->n; i++)
		str_addf(&writer->text, "<member node=\"%s\"/>", line->words[i]);
	str_addf(&writer->text, "</%s>", word);
}

static void
open_part(struct writer *writer, char part)
{
	if (writer->part == part)
		return;
	if (part == 'n')
		str_addf(&writer->text,
		    "<slice-design version=\"1.0\"><slicespec name=\"%s\"><sliverdef>"
		    "<nodeSlivers>",
		    writer->name);
	if (writer->part == 'n')
		str_add(&writer->text, "</nodeSlivers>");
	if (part == 'l')
		str_add(&writer->text, "<linkSlivers>");
	if (writer->part == 'l')
		str_add(&writer->text, "</linkSlivers>");
	if (part == 'a' || (part == 'e' && writer->part != 'a')) {
		str_addf(&writer->text, "</sliverdef><structure>%s</structure></slicespec>",
		    str_text(&writer->binds));
	}
	if (part == 'a')
		str_addf(&writer->text, "<mapping slice=\"%s\">", writer->name);
	if (writer->part == 'a') {
		in_aggregate(writer, false);
		str_add(&writer->text, "</mapping>");
	}
	if (part == 'e')
		str_add(&writer->text, "</slice-design>");
	writer->part = part;
}

char *
site_document(struct arena *arena, const char *name, const char *text)
{
	struct writer writer = {.name = name};
	char *document;

	for (const char *at = text; *at;) {
		size_t len = strcspn(at, "\n");
		struct line line = split(arena_copy(arena, at, len));
		char part = at[0];

		if (line.n < 2)
			abort(); /* the test is wrong */
		if (part == 't')
			part = 'a'; /* both are company in the mapping */
		open_part(&writer, part);
		if (at[0] == 'n')
			add_node(&writer.text, &line);
		else if (at[0] == 'l')
			add_link(&writer.text, &writer.binds, &line);
		else
			add_place(&writer, &line);
		at += len + (at[len] == '\n');
		if (*at)
			str_add(&writer.text, "\n");
	}
	open_part(&writer, 'e');
	document = arena_text(arena, str_text(&writer.text));
	str_done(&writer.text);
	str_done(&writer.binds);
	return document;
}

static struct slice_world
world_of(struct arena *arena, const struct substrate *substrate)
{
	static const struct slice_image images[] = {
	    {"container-minimal", SLICE_FORM_CONTAINER, 64 << 20},
	    {"vm-minimal", SLICE_FORM_VM, 0},
	};
	struct slice_host *hosts = arena_alloc(arena, substrate->n_hosts * sizeof(hosts[0]));

	for (size_t i = 0; i < substrate->n_hosts; i++)
		hosts[i] =
		    (struct slice_host){substrate->hosts[i].name, substrate->hosts[i].is_agw};
	return (struct slice_world){.role = "developer",
	    .images = images,
	    .n_images = 2,
	    .hosts = hosts,
	    .n_hosts = substrate->n_hosts,
	    .arena = arena};
}

struct slice *
site_slice(struct arena *arena, const struct substrate *substrate, const char *document)
{
	struct slice_world world = world_of(arena, substrate);
	diagnoses found = {0};
	struct slice *slice = NULL;
	bool is_good = slice_read(document, strlen(document), arena, &slice, &found) &&
		       slice_defaults(slice, arena, &found) && slice_check(slice, &world, &found);

	vec_each (each, &found)
		if (!each->is_warning)
			printf(
			    "\n%s line %u: %s", err_code_text(each->code), each->line, each->text);
	vec_done(&found);
	CU_ASSERT_FATAL(is_good);
	return slice;
}
