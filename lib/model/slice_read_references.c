/*
 * Who names whom: slivers are named once, and every name that is used is somebody's. Works on the
 * tree, so that it tells as much as it can of a document that has other faults as well.
 */
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/nearest.h"
#include "lib/base/str.h"
#include "lib/model/slice_read.h"

static void read_body(const struct xml_element *body, bool is_inner, struct map *slivers,
    struct map *nodes, diagnoses *found);
static void check_slivers(
    const struct xml_element *sliverdef, struct map *slivers, struct map *nodes, diagnoses *found);
static void check_bind(const struct xml_element *bind, bool is_inner, const struct map *slivers,
    struct map *ports, diagnoses *found);
static void check_reference(const struct xml_element *element, const char *attribute,
    const struct map *valid, enum err_code code, diagnoses *found);
static void check_amaps(
    const struct xml_element *mapping, const struct map *nodes, diagnoses *found);
static void check_members(const struct xml_element *mapping, const char *company,
    const struct map *nodes, diagnoses *found);

void
slice_read_references(const struct xml_element *root, diagnoses *found)
{
	auto_map struct map *slivers = map_new();
	auto_map struct map *nodes = map_new();
	const struct xml_element *spec = xml_child(root, "slicespec");

	if (!spec)
		return;
	read_body(spec, false, slivers, nodes, found);
	xml_each (point, xml_child(spec, "monitoring"), "point")
		check_reference(point, "slivername", slivers, ERR_X21, found);
	xml_each (application, xml_child(spec, "edge"), "application")
		xml_each (attach, application, "attach")
			check_reference(attach, "slivername", slivers, ERR_X21, found);
	check_amaps(xml_child(root, "mapping"), nodes, found);
	check_members(xml_child(root, "mapping"), "together", nodes, found);
	check_members(xml_child(root, "mapping"), "apart", nodes, found);
}

/* A slice or a hierarchy: both have a sliverdef and a structure. */
static void
read_body(const struct xml_element *body, bool is_inner, struct map *slivers, struct map *nodes,
    diagnoses *found)
{
	auto_map struct map *ports = map_new();

	check_slivers(xml_child(body, "sliverdef"), slivers, nodes, found);
	xml_each (bind, xml_child(body, "structure"), "bind")
		check_bind(bind, is_inner, slivers, ports, found);
}

static void
check_sliver(struct xml_element *sliver, struct map *slivers, diagnoses *found)
{
	const char *name = xml_value(sliver, "name");
	const struct xml_element *first = name ? map_get(slivers, name) : NULL;

	if (first)
		xml_diagnose(found, sliver, ERR_X06,
		    "the name '%.100s' is taken by the %s in line %u", name, first->name,
		    first->line);
	else if (name)
		map_put(slivers, name, sliver);
}

static void
check_slivers(
    const struct xml_element *sliverdef, struct map *slivers, struct map *nodes, diagnoses *found)
{
	for (const struct xml_element *kind = sliverdef ? sliverdef->children : NULL; kind;
	     kind = kind->next) {
		xml_each (link, kind, "linkSliver")
			check_sliver(link, slivers, found);
		xml_each (node, kind, "nodeSliver") {
			const char *name = xml_value(node, "name");
			auto_map struct map *inner_slivers = map_new();
			auto_map struct map *inner_nodes = map_new();

			check_sliver(node, slivers, found);
			if (name && map_get(slivers, name) == node)
				map_put(nodes, name, node);
			if (xml_child(node, "hierarchy"))
				read_body(xml_child(node, "hierarchy"), true, inner_slivers,
				    inner_nodes, found);
		}
	}
}

static void
check_bind(const struct xml_element *bind, bool is_inner, const struct map *slivers,
    struct map *ports, diagnoses *found)
{
	xml_each (end, bind, "vport") {
		const char *sliver = xml_value(end, "slivername"),
			   *port = xml_value(end, "portname");
		bool is_parent = sliver && !strcmp(sliver, "_parent");
		auto_str struct str key = {0};
		const struct xml_element *first;

		if (!sliver || (is_parent && is_inner))
			continue; /* the enclosing node's ports: S10 tells */
		check_reference(end, "slivername", slivers, ERR_X09, found);
		if (!port || !map_get(slivers, sliver))
			continue;
		str_addf(&key, "%s %s", sliver, port);
		first = map_get(ports, key.text);
		if (first)
			xml_diagnose(found, end, ERR_X11,
			    "port '%.70s' of '%.70s' is bound twice, first in line %u", port,
			    sliver, first->line);
		else
			map_put(ports, key.text, end);
	}
}

static void
check_reference(const struct xml_element *element, const char *attribute, const struct map *valid,
    enum err_code code, diagnoses *found)
{
	const char *name = xml_value(element, attribute);
	struct nearest nearest = {.word = name};
	const struct xml_element *sliver;
	struct err *entry;

	if (!name || map_get(valid, name))
		return;
	entry = xml_diagnose(found, element, code, "there is no %s '%.100s'",
	    code == ERR_X15 ? "node" : "sliver", name);
	for (size_t at = 0; entry && (sliver = map_next(valid, &at));)
		nearest_offer(&nearest, xml_value(sliver, "name"));
	if (nearest.best)
		err_hint(entry, "did you mean '%.100s'?", nearest.best);
}

static void
check_amaps(const struct xml_element *mapping, const struct map *nodes, diagnoses *found)
{
	auto_map struct map *seen = map_new();

	if (mapping && !xml_count(mapping, "aggregate") && !xml_count(mapping, "together") &&
	    !xml_count(mapping, "apart"))
		xml_diagnose(found, mapping, ERR_X08,
		    "'mapping' has neither 'aggregate' nor 'together' nor 'apart'");

	xml_each (aggregate, mapping, "aggregate") {
		xml_each (amap, aggregate, "amap") {
			const char *node = xml_value(amap, "node");
			const struct xml_element *first = node ? map_get(seen, node) : NULL;

			check_reference(amap, "node", nodes, ERR_X15, found);
			if (first)
				xml_diagnose(found, amap, ERR_X16,
				    "node '%.100s' is mapped twice, first in line %u", node,
				    first->line);
			else if (node)
				map_put(seen, node, amap);
		}
	}
}

static void
check_members(const struct xml_element *mapping, const char *company, const struct map *nodes,
    diagnoses *found)
{
	xml_each (each, mapping, company)
		xml_each (member, each, "member")
			check_reference(member, "node", nodes, ERR_X15, found);
}
