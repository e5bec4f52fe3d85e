/*
 * transport.xml: the grammar as tables, then what only the whole document can tell (names, ports,
 * addresses), then the graph. schemas/transport.xsd says the same; the tests hold both together.
 */
#include "tnc/inventory.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/nearest.h"
#include "lib/base/str.h"
#include "lib/model/units.h"
#include "tnc/inventory_part.h"

#define MANY_ROUTERS 4096
#define MANY_HOSTS 4096
#define MANY_LINKS 32768
#define MANY_WINDOWS 256

static const int64_t LATENCY_MAX_US = 10000000;
static const struct xml_limits limits = {.bytes = (size_t)16 << 20};

static const struct xml_attribute_rule pool_attributes[] = {
    {.name = "prefix", .form = XML_FORM_TEXT}, {0}};
static const struct xml_rule pool_rule = {.name = "pool", .attributes = pool_attributes};

static const struct xml_attribute_rule maintenance_attributes[] = {
    {.name = "from", .form = XML_FORM_TEXT}, {.name = "until", .form = XML_FORM_TEXT}, {0}};
static const struct xml_rule maintenance_rule = {
    .name = "maintenance", .attributes = maintenance_attributes};

static const struct xml_attribute_rule router_attributes[] = {
    {.name = "name", .form = XML_FORM_NAME}, {.name = "address", .form = XML_FORM_TEXT},
    {.name = "risk", .form = XML_FORM_TEXT, .is_optional = true}, {0}};
static const struct xml_child_rule router_children[] = {
    {.rule = &maintenance_rule, .max = MANY_WINDOWS}, {0}};
static const struct xml_rule router_rule = {
    .name = "router", .attributes = router_attributes, .children = router_children};

static const struct xml_attribute_rule host_attributes[] = {
    {.name = "name", .form = XML_FORM_NAME}, {0}};
static const struct xml_rule host_rule = {.name = "host", .attributes = host_attributes};

static const struct xml_attribute_rule end_attributes[] = {{.name = "node", .form = XML_FORM_NAME},
    {.name = "port", .form = XML_FORM_NAME}, {.name = "address", .form = XML_FORM_TEXT}, {0}};
static const struct xml_rule end_rule = {.name = "end", .attributes = end_attributes};

static const struct xml_attribute_rule link_attributes[] = {{.name = "name", .form = XML_FORM_NAME},
    {.name = "capacity", .form = XML_FORM_TEXT}, {.name = "latency", .form = XML_FORM_TEXT},
    {.name = "cost", .form = XML_FORM_TEXT, .is_optional = true},
    {.name = "risk", .form = XML_FORM_TEXT, .is_optional = true}, {0}};
static const struct xml_child_rule link_children[] = {
    {.rule = &end_rule, .min = 2, .max = 2, .many = ERR_X08},
    {.rule = &maintenance_rule, .max = MANY_WINDOWS}, {0}};
static const struct xml_rule link_rule = {
    .name = "link", .attributes = link_attributes, .children = link_children, .is_ordered = true};

static const struct xml_attribute_rule transport_attributes[] = {{.name = "version",
								     .form = XML_FORM_WORD,
								     .words = "1.0",
								     .missing = ERR_X03,
								     .wrong = ERR_X03},
    {0}};
static const struct xml_child_rule transport_children[] = {{.rule = &pool_rule, .min = 1, .max = 1},
    {.rule = &router_rule, .max = MANY_ROUTERS, .key = "name", .twin = ERR_X12},
    {.rule = &host_rule, .max = MANY_HOSTS, .key = "name", .twin = ERR_X12},
    {.rule = &link_rule, .max = MANY_LINKS, .key = "name", .twin = ERR_X12}, {0}};
static const struct xml_rule transport_rule = {.name = "transport",
    .attributes = transport_attributes,
    .children = transport_children,
    .is_ordered = true};

static void read_pool(struct reading *reading, const struct xml_element *element);
static void read_nodes(struct reading *reading, const struct xml_element *root);
static void read_links(struct reading *reading, const struct xml_element *root);

void
inventory_free(struct inventory *inventory)
{
	if (!inventory)
		return;
	map_free(inventory->link_index);
	arena_free(inventory->arena);
}

struct inventory *
inventory_read(const char *xml, size_t size, diagnoses *found)
{
	auto_arena struct arena *arena = arena_new();
	auto_map struct map *nodes = map_new(), *ports = map_new(), *addresses = map_new();
	auto_map struct map *routers = map_new(), *links = map_new();
	struct inventory *inventory = arena_new_of(arena, struct inventory);
	struct reading reading = {inventory, found, nodes, ports, addresses, routers, links};
	struct err err = {0};
	struct xml_element *root = xml_read(xml, size, &limits, arena, &err);
	size_t before = found->n;

	if (!root) {
		diagnoses_push(found, &err);
		return NULL;
	}
	if (!xml_check(root, &transport_rule, arena, found))
		return NULL;
	inventory->arena = arena;
	read_pool(&reading, xml_child(root, "pool"));
	read_nodes(&reading, root);
	read_links(&reading, root);
	inventory_read_risks(&reading, root);
	diagnoses_sort(found);
	if (diagnoses_errors(found, before))
		return NULL;
	inventory->link_index = take(links);
	take(arena);
	return inventory;
}

static bool
read_file(const char *file, struct str *text, struct err *err)
{
	char chunk[4096];
	size_t got;
	FILE *stream = fopen(file, "re");

	if (!stream)
		return err_set(err, ERR_NOT_FOUND, "cannot open '%s': %m", file);
	while (text->len <= limits.bytes && (got = fread(chunk, 1, sizeof(chunk), stream)) > 0)
		str_add_bytes(text, chunk, got);
	fclose(stream);
	return true;
}

struct inventory *
inventory_load(const char *file, struct err *err)
{
	auto_str struct str text = {0};
	struct inventory *inventory;
	diagnoses found = {0};

	if (!read_file(file, &text, err))
		return NULL;
	inventory = inventory_read(str_text(&text), text.len, &found);
	vec_each (entry, &found)
		log_error("inventory", "file=%s line=%u code=%s what=\"%s: %s\" try=\"%s\"", file,
		    entry->line, err_code_text(entry->code), entry->subject, entry->text,
		    entry->hint);
	if (!inventory) {
		err_set(err, found.items[0].code, "%s:%u: %s: %s", file, found.items[0].line,
		    found.items[0].subject, found.items[0].text);
		err_hint(err, "%s", found.items[0].hint);
	}
	vec_done(&found);
	return inventory;
}

const struct inventory_router *
inventory_router(const struct inventory *inventory, const char *name)
{
	for (size_t i = 0; i < inventory->n_routers; i++)
		if (strcmp(inventory->routers[i].name, name) == 0)
			return &inventory->routers[i];
	return NULL;
}

long
inventory_link(const struct inventory *inventory, const char *name)
{
	const struct inventory_link *link = map_get(inventory->link_index, name);

	return link ? link - inventory->links : -1;
}

int64_t
inventory_until(const struct inventory_windows *windows, const struct inventory_window *window)
{
	int64_t until_ms = 0;

	for (size_t i = 0; i < windows->n; i++) {
		const struct inventory_window *closed = &windows->items[i];

		if (closed->from_ms < window->until_ms && window->from_ms < closed->until_ms &&
		    closed->until_ms > until_ms)
			until_ms = closed->until_ms;
	}
	return until_ms;
}

const struct inventory_end *
inventory_near(const struct inventory_link *link, unsigned vertex)
{
	return &link->ends[link->ends[0].vertex == vertex ? 0 : 1];
}

const struct inventory_end *
inventory_far(const struct inventory_link *link, unsigned vertex)
{
	return &link->ends[link->ends[0].vertex == vertex ? 1 : 0];
}

/* The address of the attribute `name`, in host order; diagnosed and 0 when it is none. */
static uint32_t
read_address(struct reading *reading, const struct xml_element *element, const char *text)
{
	struct in_addr address;

	if (inet_pton(AF_INET, text, &address) == 1 && address.s_addr)
		return ntohl(address.s_addr);
	err_hint(xml_diagnose(
		     reading->found, element, ERR_BAD_VALUE, "'%.60s' is no IPv4 address", text),
	    "four numbers up to 255: 10.64.0.1");
	return 0;
}

/* The pool without its first and last address, which are no hosts'. */
static void
read_pool(struct reading *reading, const struct xml_element *element)
{
	const char *text = xml_value(element, "prefix"), *slash = strchr(text, '/');
	char address[INET_ADDRSTRLEN] = "";
	struct in_addr first;
	long long bits;
	uint32_t host;

	if (slash && (size_t)(slash - text) < sizeof(address))
		memcpy(address, text, (size_t)(slash - text));
	if (inet_pton(AF_INET, address, &first) != 1 || !str_to_i64(slash + 1, 8, 30, &bits)) {
		err_hint(xml_diagnose(reading->found, element, ERR_BAD_VALUE,
			     "'%.60s' is no IPv4 prefix with 8 to 30 bits", text),
		    "an address and its bits: 10.65.0.0/16");
		return;
	}
	host = (uint32_t)((1ull << (32 - bits)) - 1);
	if (ntohl(first.s_addr) & host)
		err_hint(xml_diagnose(reading->found, element, ERR_BAD_VALUE,
			     "'%.60s' has bits behind its prefix", text),
		    "the first address of the prefix: the bits behind it are 0");
	reading->inventory->pool_first = ntohl(first.s_addr) + 1;
	reading->inventory->pool_last = (ntohl(first.s_addr) | host) - 1;
}

/* An address in use: not another's, not one that a path may get. */
static void
claim_address(struct reading *reading, struct xml_element *element, uint32_t address)
{
	const struct inventory *inventory = reading->inventory;
	const struct xml_element *other;
	const char *text = xml_value(element, "address");

	if (!address)
		return;
	if (address >= inventory->pool_first - 1 && address <= inventory->pool_last + 1)
		err_hint(xml_diagnose(reading->found, element, ERR_BAD_VALUE,
			     "%s lies in the pool of path addresses", text),
		    "another pool, or an address outside it: tncd gives out those of the pool "
		    "itself");
	other = map_put(reading->addresses, text, element);
	if (other)
		err_hint(xml_diagnose(reading->found, element, ERR_X12, "%s is taken in line %u",
			     text, other->line),
		    "every port and router has an address of its own");
}

static void
claim_name(struct reading *reading, struct xml_element *element)
{
	const struct xml_element *other =
	    map_put(reading->nodes, xml_value(element, "name"), element);

	if (other && strcmp(other->name, element->name) != 0)
		xml_diagnose(reading->found, element, ERR_X12, "line %u has a %s of that name",
		    other->line, other->name);
}

static void
read_nodes(struct reading *reading, const struct xml_element *root)
{
	struct inventory *inventory = reading->inventory;
	size_t n = 0;

	inventory->n_routers = xml_count(root, "router");
	inventory->routers =
	    arena_alloc(inventory->arena, inventory->n_routers * sizeof(*inventory->routers));
	xml_each (element, root, "router") {
		const char *address = xml_value(element, "address");

		inventory->routers[n++] = (struct inventory_router){
		    .name = xml_value(element, "name"), .address = address};
		map_put(
		    reading->routers, inventory->routers[n - 1].name, &inventory->routers[n - 1]);
		claim_address(reading, element, read_address(reading, element, address));
		claim_name(reading, element);
	}
	n = 0;
	inventory->n_hosts = xml_count(root, "host");
	inventory->hosts =
	    arena_alloc(inventory->arena, inventory->n_hosts * sizeof(*inventory->hosts));
	xml_each (element, root, "host") {
		inventory->hosts[n++] = xml_value(element, "name");
		claim_name(reading, element);
	}
}

/* A port of a host is a vertex of its own, a router's port is the router. */
static unsigned
find_vertex(struct reading *reading, const struct xml_element *node, const char *port)
{
	struct inventory *inventory = reading->inventory;
	struct graph *graph = &inventory->graph;

	const struct inventory_router *router = map_get(reading->routers, xml_value(node, "name"));

	if (router)
		return (unsigned)(router - inventory->routers);
	graph->vertices[graph->n_vertices] = port;
	return (unsigned)graph->n_vertices++;
}

static void
diagnose_unknown(struct reading *reading, const struct xml_element *element, const char *name)
{
	struct err *said = xml_diagnose(
	    reading->found, element, ERR_NOT_FOUND, "there is no router or host '%s'", name);
	const struct xml_element *node;
	struct nearest nearest = {.word = name};

	for (size_t at = 0; (node = map_next(reading->nodes, &at));)
		nearest_offer(&nearest, xml_value(node, "name"));
	if (nearest.best)
		err_hint(said, "'%s'?", nearest.best);
	else
		err_hint(said, "<router name=\"%s\" …/> or <host name=\"%s\"/>", name, name);
}

static void
read_end(struct reading *reading, struct xml_element *element, struct inventory_end *end)
{
	struct arena *arena = reading->inventory->arena;
	const struct xml_element *node, *other;
	const char *port;

	end->node = xml_value(element, "node");
	end->port = xml_value(element, "port");
	end->address = xml_value(element, "address");
	claim_address(reading, element, read_address(reading, element, end->address));
	node = map_get(reading->nodes, end->node);
	if (!node) {
		diagnose_unknown(reading, element, end->node);
		return;
	}
	port = arena_format(arena, "%s:%s", end->node, end->port);
	other = map_put(reading->ports, port, element);
	if (other)
		err_hint(xml_diagnose(reading->found, element, ERR_X12,
			     "port '%s' is used in line %u", port, other->line),
		    "a port has one link");
	end->vertex = find_vertex(reading, node, port);
}

static void
read_link(struct reading *reading, struct xml_element *element, struct inventory_link *link,
    struct graph_edge *edge)
{
	struct xml_element *end_a = xml_child(element, "end"), *end_b = xml_next(end_a, "end");
	int64_t capacity_bps = 0, latency_us = 0;
	struct err err = {0};

	link->name = xml_value(element, "name");
	read_end(reading, end_a, &link->ends[0]);
	read_end(reading, end_b, &link->ends[1]);
	if (strcmp(link->ends[0].node, link->ends[1].node) == 0)
		err_hint(xml_diagnose(reading->found, element, ERR_BAD_VALUE,
			     "both ends are at '%s'", link->ends[0].node),
		    "a link joins two nodes");
	if (!unit_rate(xml_value(element, "capacity"), &capacity_bps, &err))
		xml_diagnose(reading->found, element, err.code, "capacity: %s", err.text);
	if (!unit_time(xml_value(element, "latency"), &latency_us, &err))
		xml_diagnose(reading->found, element, err.code, "latency: %s", err.text);
	else if (latency_us > LATENCY_MAX_US)
		xml_diagnose(reading->found, element, ERR_LIMIT, "latency: at most %s",
		    time_text(LATENCY_MAX_US).text);
	*edge = (struct graph_edge){.name = link->name,
	    .a = link->ends[0].vertex,
	    .b = link->ends[1].vertex,
	    .free_ab_bps = capacity_bps,
	    .free_ba_bps = capacity_bps,
	    .capacity_bps = capacity_bps,
	    .latency_us = latency_us};
}

static void
read_links(struct reading *reading, const struct xml_element *root)
{
	struct inventory *inventory = reading->inventory;
	struct graph *graph = &inventory->graph;
	size_t n_links = xml_count(root, "link"), most = inventory->n_routers + 2 * n_links, n = 0;

	graph->vertices = arena_alloc(inventory->arena, most * sizeof(*graph->vertices));
	graph->is_transit = arena_alloc(inventory->arena, most * sizeof(*graph->is_transit));
	graph->n_vertices = inventory->n_routers;
	for (size_t i = 0; i < inventory->n_routers; i++) {
		graph->vertices[i] = inventory->routers[i].name;
		graph->is_transit[i] = true;
	}
	inventory->n_links = graph->n_edges = n_links;
	inventory->links = arena_alloc(inventory->arena, n_links * sizeof(*inventory->links));
	graph->edges = arena_alloc(inventory->arena, n_links * sizeof(*graph->edges));
	xml_each (element, root, "link") {
		read_link(reading, element, &inventory->links[n], &graph->edges[n]);
		map_put(reading->links, inventory->links[n].name, &inventory->links[n]);
		n++;
	}
}
