/*
 * From a tree that has passed the checks to plain data: every required attribute is there, so
 * nothing here can fail.
 */
#include <string.h>

#include "lib/model/slice_read.h"

static void build_body(
    struct slice_body *body, const struct xml_element *element, struct arena *arena);
static void build_link(
    struct slice_link *link, const struct xml_element *element, struct arena *arena);
static void build_node(
    struct slice_node *node, const struct xml_element *element, struct arena *arena);
static void build_bind(
    struct slice_bind *bind, const struct xml_element *element, struct arena *arena);
static void build_points(
    struct slice *slice, const struct xml_element *monitoring, struct arena *arena);
static void build_edge(struct slice *slice, const struct xml_element *edge, struct arena *arena);
static void build_mapping(
    struct slice *slice, const struct xml_element *mapping, struct arena *arena);

/* An array of as many items as the parent has children of that name. */
#define new_array(arena, parent, name, items, n)                                                   \
	((n) = xml_count(parent, name), (items) = arena_alloc(arena, (n) * sizeof(*(items))))

struct slice *
slice_read_build(const struct xml_element *root, struct arena *arena)
{
	struct slice *slice = arena_new_of(arena, struct slice);
	const struct xml_element *spec = xml_child(root, "slicespec");

	slice->name = xml_value(spec, "name");
	slice->where = (struct slice_where){spec->line, spec->xpath};
	build_body(&slice->body, spec, arena);
	build_points(slice, xml_child(spec, "monitoring"), arena);
	build_edge(slice, xml_child(spec, "edge"), arena);
	build_mapping(slice, xml_child(root, "mapping"), arena);
	return slice;
}

static struct slice_where
where_of(const struct xml_element *element)
{
	return (struct slice_where){element->line, element->xpath};
}

static const char *
value_or(const struct xml_element *element, const char *attribute, const char *fallback)
{
	const char *value = xml_value(element, attribute);

	return value ? value : fallback;
}

/* The papers write the name in two ways. */
static const char *
canonical_subtype(const char *subtype)
{
	return strcmp(subtype, "SlowPath-VM") != 0 ? subtype : "SlowPath_VM";
}

static void
build_body(struct slice_body *body, const struct xml_element *element, struct arena *arena)
{
	const struct xml_element *sliverdef = xml_child(element, "sliverdef");
	const struct xml_element *links = xml_child(sliverdef, "linkSlivers");
	const struct xml_element *nodes = xml_child(sliverdef, "nodeSlivers");
	const struct xml_element *structure = xml_child(element, "structure");
	size_t i = 0;

	new_array(arena, links, "linkSliver", body->links, body->n_links);
	xml_each (link, links, "linkSliver")
		build_link(&body->links[i++], link, arena);
	i = 0;
	new_array(arena, nodes, "nodeSliver", body->nodes, body->n_nodes);
	xml_each (node, nodes, "nodeSliver")
		build_node(&body->nodes[i++], node, arena);
	i = 0;
	new_array(arena, structure, "bind", body->binds, body->n_binds);
	xml_each (bind, structure, "bind")
		build_bind(&body->binds[i++], bind, arena);
}

static void
build_pairs(struct slice_pairs *pairs, const struct xml_element *parent, const char *name,
    struct arena *arena)
{
	size_t i = 0;

	new_array(arena, parent, name, pairs->items, pairs->n);
	xml_each (pair, parent, name)
		pairs->items[i++] = (struct slice_pair){
		    xml_value(pair, "key"), xml_value(pair, "value"), where_of(pair)};
}

static struct slice_vport *
build_vports(const struct xml_element *element, size_t *n, struct arena *arena)
{
	const struct xml_element *vports = xml_child(element, "vports");
	struct slice_vport *items;
	size_t i = 0;

	new_array(arena, vports, "vport", items, *n);
	xml_each (vport, vports, "vport") {
		items[i].name = xml_value(vport, "name");
		items[i].where = where_of(vport);
		build_pairs(&items[i++].params, xml_child(vport, "params"), "param", arena);
	}
	return items;
}

static void
build_link(struct slice_link *link, const struct xml_element *element, struct arena *arena)
{
	link->name = xml_value(element, "name");
	link->type = value_or(element, "type", "link");
	link->subtype = xml_value(element, "subtype");
	link->where = where_of(element);
	link->vports = build_vports(element, &link->n_vports, arena);
	build_pairs(&link->resources, xml_child(element, "resources"), "resource", arena);
	build_pairs(&link->params, xml_child(element, "params"), "param", arena);
}

static void
build_access_points(struct slice_node *node, const struct xml_element *parent, struct arena *arena)
{
	size_t i = 0;

	new_array(arena, parent, "accessPoint", node->access_points, node->n_access_points);
	xml_each (element, parent, "accessPoint") {
		struct slice_access_point *point = &node->access_points[i++];
		const struct xml_element *auth = xml_child(element, "auth");

		point->name = xml_value(element, "name");
		point->method = xml_value(element, "method");
		point->vport = xml_value(element, "vport");
		point->auth_method = auth ? xml_value(auth, "method") : NULL;
		point->auth_credential = auth ? xml_value(auth, "credential") : NULL;
		point->where = where_of(element);
		build_pairs(&point->params, xml_child(element, "params"), "param", arena);
	}
}

static void
build_node(struct slice_node *node, const struct xml_element *element, struct arena *arena)
{
	const struct xml_element *instance = xml_child(element, "instance");
	const struct xml_element *hierarchy = xml_child(element, "hierarchy");

	node->name = xml_value(element, "name");
	node->where = where_of(element);
	node->vports = build_vports(element, &node->n_vports, arena);
	build_access_points(node, xml_child(element, "accessPoints"), arena);
	if (hierarchy) {
		node->hierarchy = arena_new_of(arena, struct slice_body);
		build_body(node->hierarchy, hierarchy, arena);
	}
	if (!instance)
		return;
	node->has_instance = true;
	node->instance_where = where_of(instance);
	node->type = xml_value(instance, "type");
	node->subtype = canonical_subtype(xml_value(instance, "subtype"));
	build_pairs(&node->resources, xml_child(instance, "resources"), "resource", arena);
	build_pairs(&node->params, xml_child(instance, "params"), "param", arena);
}

static void
build_bind(struct slice_bind *bind, const struct xml_element *element, struct arena *arena)
{
	size_t i = 0;

	bind->name = xml_value(element, "name");
	bind->where = where_of(element);
	new_array(arena, element, "vport", bind->ends, bind->n_ends);
	xml_each (end, element, "vport")
		bind->ends[i++] = (struct slice_bind_end){
		    xml_value(end, "slivername"), xml_value(end, "portname"), where_of(end)};
}

/* One attribute of each child of that name. */
static const char **
build_texts(const struct xml_element *parent, const char *name, const char *attribute, size_t *n,
    struct arena *arena)
{
	const char **texts;
	size_t i = 0;

	new_array(arena, parent, name, texts, *n);
	xml_each (child, parent, name)
		texts[i++] = xml_value(child, attribute);
	return texts;
}

static void
build_points(struct slice *slice, const struct xml_element *monitoring, struct arena *arena)
{
	size_t i = 0;

	new_array(arena, monitoring, "point", slice->points, slice->n_points);
	xml_each (element, monitoring, "point") {
		struct slice_point *point = &slice->points[i++];

		point->name = xml_value(element, "name");
		point->sliver = xml_value(element, "slivername");
		point->port = xml_value(element, "portname");
		point->direction = value_or(element, "direction", "both");
		point->metrics = value_or(element, "metrics", "throughput");
		point->filters = build_texts(element, "filter", "expr", &point->n_filters, arena);
		point->where = where_of(element);
	}
}

static void
build_edge(struct slice *slice, const struct xml_element *edge, struct arena *arena)
{
	size_t i = 0;

	new_array(arena, edge, "application", slice->applications, slice->n_applications);
	xml_each (element, edge, "application") {
		struct slice_application *application = &slice->applications[i++];
		const struct xml_element *attach = xml_child(element, "attach");

		application->name = xml_value(element, "name");
		application->match = xml_value(element, "match");
		application->attach_sliver = xml_value(attach, "slivername");
		application->attach_access_point = xml_value(attach, "accessPoint");
		application->networks =
		    build_texts(element, "prefer", "network", &application->n_networks, arena);
		application->where = where_of(element);
	}
}

static void
build_companies(struct slice *slice, const struct xml_element *mapping, const char *name,
    bool is_apart, struct arena *arena)
{
	xml_each (element, mapping, name) {
		struct slice_company *company = &slice->companies[slice->n_companies++];

		company->is_apart = is_apart;
		company->where = where_of(element);
		company->members =
		    arena_alloc(arena, xml_count(element, "member") * sizeof(company->members[0]));
		xml_each (member, element, "member")
			company->members[company->n_members++] =
			    (struct slice_member){xml_value(member, "node"), where_of(member)};
	}
}

/* The amaps of all aggregates, one after another. */
static void
build_mapping(struct slice *slice, const struct xml_element *mapping, struct arena *arena)
{
	size_t n = 0;

	if (!mapping)
		return;
	slice->has_mapping = true;
	slice->mapping_slice = xml_value(mapping, "slice");
	slice->mapping_where = where_of(mapping);
	xml_each (aggregate, mapping, "aggregate")
		n += xml_count(aggregate, "amap");
	slice->amaps = arena_alloc(arena, n * sizeof(*slice->amaps));
	xml_each (aggregate, mapping, "aggregate")
		xml_each (amap, aggregate, "amap")
			slice->amaps[slice->n_amaps++] =
			    (struct slice_amap){.aggregate = xml_value(aggregate, "name"),
				.node = xml_value(amap, "node"),
				.vnode = xml_value(amap, "vnode"),
				.where = where_of(amap)};
	n = xml_count(mapping, "together") + xml_count(mapping, "apart");
	slice->companies = arena_alloc(arena, n * sizeof(*slice->companies));
	build_companies(slice, mapping, "together", false, arena);
	build_companies(slice, mapping, "apart", true, arena);
}
