/*
 * A slice as a document again: one element a line, children in the schema's order, values escaped.
 * Reading it gives the same slice.
 */
#include <string.h>

#include "lib/model/slice.h"

struct writer {
	struct str *out;
	unsigned depth;
};

static void write_body(struct writer *writer, const struct slice_body *body);
static void write_link(struct writer *writer, const struct slice_link *link);
static void write_node(struct writer *writer, const struct slice_node *node);
static void write_bind(struct writer *writer, const struct slice_bind *bind);
static void write_points(struct writer *writer, const struct slice *slice);
static void write_edge(struct writer *writer, const struct slice *slice);
static void write_mapping(struct writer *writer, const struct slice *slice);

/* ---- elements ---- */

static void
indent(struct writer *writer)
{
	for (unsigned i = 0; i < writer->depth; i++)
		str_add(writer->out, "  ");
}

static void
add_value(struct writer *writer, const char *value)
{
	static const char *const escapes[128] = {['&'] = "&amp;",
	    ['<'] = "&lt;",
	    ['>'] = "&gt;",
	    ['"'] = "&quot;",
	    ['\t'] = "&#9;",
	    ['\n'] = "&#10;",
	    ['\r'] = "&#13;"};

	for (; *value; value++) {
		unsigned char byte = (unsigned char)*value;

		if (byte < 128 && escapes[byte])
			str_add(writer->out, escapes[byte]);
		else
			str_add_bytes(writer->out, value, 1);
	}
}

/* An attribute of the element that is being begun; NULL is left out. */
static void
attribute(struct writer *writer, const char *name, const char *value)
{
	if (!value)
		return;
	str_addf(writer->out, " %s=\"", name);
	add_value(writer, value);
	str_add(writer->out, "\"");
}

/* begin, attributes, then either open_body … close_body or end. */
static void
begin(struct writer *writer, const char *name)
{
	indent(writer);
	str_addf(writer->out, "<%s", name);
}

static void
end(struct writer *writer)
{
	str_add(writer->out, "/>\n");
}

static void
open_body(struct writer *writer)
{
	str_add(writer->out, ">\n");
	writer->depth++;
}

static void
open_plain(struct writer *writer, const char *name)
{
	begin(writer, name);
	open_body(writer);
}

static void
close_body(struct writer *writer, const char *name)
{
	writer->depth--;
	indent(writer);
	str_addf(writer->out, "</%s>\n", name);
}

/* ---- the document ---- */

void
slice_write(const struct slice *slice, struct str *out)
{
	struct writer writer = {.out = out};

	str_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	begin(&writer, "slice-design");
	attribute(&writer, "version", "1.0");
	open_body(&writer);
	begin(&writer, "slicespec");
	attribute(&writer, "name", slice->name);
	open_body(&writer);
	write_body(&writer, &slice->body);
	write_points(&writer, slice);
	write_edge(&writer, slice);
	close_body(&writer, "slicespec");
	write_mapping(&writer, slice);
	close_body(&writer, "slice-design");
}

static void
write_body(struct writer *writer, const struct slice_body *body)
{
	open_plain(writer, "sliverdef");
	if (body->n_links) {
		open_plain(writer, "linkSlivers");
		for (size_t i = 0; i < body->n_links; i++)
			write_link(writer, &body->links[i]);
		close_body(writer, "linkSlivers");
	}
	open_plain(writer, "nodeSlivers");
	for (size_t i = 0; i < body->n_nodes; i++)
		write_node(writer, &body->nodes[i]);
	close_body(writer, "nodeSlivers");
	close_body(writer, "sliverdef");
	open_plain(writer, "structure");
	for (size_t i = 0; i < body->n_binds; i++)
		write_bind(writer, &body->binds[i]);
	close_body(writer, "structure");
}

static void
write_pairs(
    struct writer *writer, const struct slice_pairs *pairs, const char *group, const char *name)
{
	if (!pairs->n)
		return;
	open_plain(writer, group);
	for (size_t i = 0; i < pairs->n; i++) {
		begin(writer, name);
		attribute(writer, "key", pairs->items[i].key);
		attribute(writer, "value", pairs->items[i].value);
		end(writer);
	}
	close_body(writer, group);
}

static void
write_vports(struct writer *writer, const struct slice_vport *vports, size_t n)
{
	open_plain(writer, "vports");
	for (size_t i = 0; i < n; i++) {
		begin(writer, "vport");
		attribute(writer, "name", vports[i].name);
		if (!vports[i].params.n) {
			end(writer);
			continue;
		}
		open_body(writer);
		write_pairs(writer, &vports[i].params, "params", "param");
		close_body(writer, "vport");
	}
	close_body(writer, "vports");
}

static void
write_link(struct writer *writer, const struct slice_link *link)
{
	begin(writer, "linkSliver");
	attribute(writer, "name", link->name);
	attribute(writer, "type", link->type);
	attribute(writer, "subtype", link->subtype);
	open_body(writer);
	write_vports(writer, link->vports, link->n_vports);
	write_pairs(writer, &link->resources, "resources", "resource");
	write_pairs(writer, &link->params, "params", "param");
	close_body(writer, "linkSliver");
}

static void
write_access_point(struct writer *writer, const struct slice_access_point *point)
{
	begin(writer, "accessPoint");
	attribute(writer, "name", point->name);
	attribute(writer, "method", point->method);
	attribute(writer, "vport", point->vport);
	open_body(writer);
	if (point->auth_method) {
		begin(writer, "auth");
		attribute(writer, "method", point->auth_method);
		attribute(writer, "credential", point->auth_credential);
		end(writer);
	}
	write_pairs(writer, &point->params, "params", "param");
	close_body(writer, "accessPoint");
}

static void
write_node(struct writer *writer, const struct slice_node *node)
{
	begin(writer, "nodeSliver");
	attribute(writer, "name", node->name);
	open_body(writer);
	if (node->has_instance) {
		begin(writer, "instance");
		attribute(writer, "type", node->type);
		attribute(writer, "subtype", node->subtype);
		open_body(writer);
		write_pairs(writer, &node->resources, "resources", "resource");
		write_pairs(writer, &node->params, "params", "param");
		close_body(writer, "instance");
	}
	if (node->hierarchy) {
		open_plain(writer, "hierarchy");
		write_body(writer, node->hierarchy);
		close_body(writer, "hierarchy");
	}
	write_vports(writer, node->vports, node->n_vports);
	if (node->n_access_points) {
		open_plain(writer, "accessPoints");
		for (size_t i = 0; i < node->n_access_points; i++)
			write_access_point(writer, &node->access_points[i]);
		close_body(writer, "accessPoints");
	}
	close_body(writer, "nodeSliver");
}

static void
write_bind(struct writer *writer, const struct slice_bind *bind)
{
	begin(writer, "bind");
	attribute(writer, "name", bind->name);
	open_body(writer);
	for (size_t i = 0; i < bind->n_ends; i++) {
		begin(writer, "vport");
		attribute(writer, "slivername", bind->ends[i].sliver);
		attribute(writer, "portname", bind->ends[i].port);
		end(writer);
	}
	close_body(writer, "bind");
}

/* ---- what surrounds the slivers ---- */

/* One element each with one attribute. */
static void
write_texts(
    struct writer *writer, const char *name, const char *key, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		begin(writer, name);
		attribute(writer, key, texts[i]);
		end(writer);
	}
}

static void
write_points(struct writer *writer, const struct slice *slice)
{
	if (!slice->n_points)
		return;
	open_plain(writer, "monitoring");
	for (size_t i = 0; i < slice->n_points; i++) {
		const struct slice_point *point = &slice->points[i];

		begin(writer, "point");
		attribute(writer, "name", point->name);
		attribute(writer, "slivername", point->sliver);
		attribute(writer, "portname", point->port);
		attribute(writer, "direction", point->direction);
		attribute(writer, "metrics", point->metrics);
		open_body(writer);
		write_texts(writer, "filter", "expr", point->filters, point->n_filters);
		close_body(writer, "point");
	}
	close_body(writer, "monitoring");
}

static void
write_edge(struct writer *writer, const struct slice *slice)
{
	if (!slice->n_applications)
		return;
	open_plain(writer, "edge");
	for (size_t i = 0; i < slice->n_applications; i++) {
		const struct slice_application *application = &slice->applications[i];

		begin(writer, "application");
		attribute(writer, "name", application->name);
		attribute(writer, "match", application->match);
		open_body(writer);
		begin(writer, "attach");
		attribute(writer, "slivername", application->attach_sliver);
		attribute(writer, "accessPoint", application->attach_access_point);
		end(writer);
		write_texts(
		    writer, "prefer", "network", application->networks, application->n_networks);
		close_body(writer, "application");
	}
	close_body(writer, "edge");
}

static void
write_mapping(struct writer *writer, const struct slice *slice)
{
	if (!slice->has_mapping)
		return;
	begin(writer, "mapping");
	attribute(writer, "slice", slice->mapping_slice);
	open_body(writer);
	for (size_t i = 0; i < slice->n_amaps; i++) {
		const struct slice_amap *amap = &slice->amaps[i];
		bool is_first = i == 0 || strcmp(amap[-1].aggregate, amap->aggregate) != 0;
		bool is_last =
		    i + 1 == slice->n_amaps || strcmp(amap->aggregate, amap[1].aggregate) != 0;

		if (is_first) {
			begin(writer, "aggregate");
			attribute(writer, "name", amap->aggregate);
			open_body(writer);
		}
		begin(writer, "amap");
		attribute(writer, "node", amap->node);
		attribute(writer, "vnode", amap->vnode);
		end(writer);
		if (is_last)
			close_body(writer, "aggregate");
	}
	for (size_t i = 0; i < slice->n_companies; i++) {
		const struct slice_company *company = &slice->companies[i];
		const char *name = company->is_apart ? "apart" : "together";

		begin(writer, name);
		open_body(writer);
		for (size_t k = 0; k < company->n_members; k++) {
			begin(writer, "member");
			attribute(writer, "node", company->members[k].node);
			end(writer);
		}
		close_body(writer, name);
	}
	close_body(writer, "mapping");
}
