/*
 * Pass 2b: meaning. The slice as a whole and what it says of the world outside; slivers, binds and
 * access points have files of their own. Runs after slice_defaults, also when that found faults.
 */
#include "lib/model/slice_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/nearest.h"

static void check_body(
    const struct check *check, struct slice_body *body, const struct slice_node *outer);
static void check_points(
    const struct check *check, const struct slice *slice, const struct scope *scope);
static void check_applications(
    const struct check *check, const struct slice *slice, const struct scope *scope);
static void check_mapping(const struct check *check, const struct slice *slice);
static void open_scope(
    struct scope *scope, struct slice_body *body, const struct slice_node *outer);
static void close_scope(struct scope *scope);

bool
slice_check(struct slice *slice, const struct slice_world *world, diagnoses *found)
{
	auto_map struct map *macs = map_new();
	const struct check check = {world, found, macs};
	size_t before = found->n;
	struct scope scope;

	check_body(&check, &slice->body, NULL);
	open_scope(&scope, &slice->body, NULL);
	check_points(&check, slice, &scope);
	check_applications(&check, slice, &scope);
	close_scope(&scope);
	check_mapping(&check, slice);
	before = diagnoses_errors(found, before);
	diagnoses_sort(found);
	return before == 0;
}

static void
check_body(const struct check *check, struct slice_body *body, const struct slice_node *outer)
{
	struct scope scope;

	open_scope(&scope, body, outer);
	slice_check_slivers(check, &scope);
	slice_check_binds(check, &scope);
	slice_check_access(check, &scope);
	close_scope(&scope);
	for (size_t i = 0; i < body->n_nodes; i++)
		if (body->nodes[i].hierarchy && !outer)
			check_body(check, body->nodes[i].hierarchy, &body->nodes[i]);
}

/* ---- scopes ---- */

static void
open_scope(struct scope *scope, struct slice_body *body, const struct slice_node *outer)
{
	*scope = (struct scope){.body = body, .outer = outer, .by_name = map_new()};
	scope->slivers = xcalloc(body->n_links + body->n_nodes, sizeof(*scope->slivers));
	for (size_t i = 0; i < body->n_links; i++) {
		const struct slice_link *link = &body->links[i];

		scope->slivers[scope->n_slivers++] = (struct sliver){
		    link->name, link, NULL, link->vports, link->n_vports, link->where};
	}
	for (size_t i = 0; i < body->n_nodes; i++) {
		struct slice_node *node = &body->nodes[i];

		scope->slivers[scope->n_slivers++] = (struct sliver){
		    node->name, NULL, node, node->vports, node->n_vports, node->where};
	}
	for (size_t i = 0; i < scope->n_slivers; i++)
		map_put(scope->by_name, scope->slivers[i].name, &scope->slivers[i]);
}

static void
close_scope(struct scope *scope)
{
	map_free(scope->by_name);
	free(scope->slivers);
}

bool
slice_has_vport(const struct sliver *sliver, const char *vport)
{
	for (size_t i = 0; i < sliver->n_vports; i++)
		if (!strcmp(sliver->vports[i].name, vport))
			return true;
	return false;
}

/* ---- sentences ---- */

struct err *
slice_refuse(const struct check *check, const struct slice_where *where, enum err_code code,
    const char *subject, const char *format, ...)
{
	struct err *entry;
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	entry = diagnose(check->found, where->line, where->xpath, code, "%s: %s", subject, text);
	err_subject(entry, "%s", subject);
	return entry;
}

void
slice_refuse_planned(const struct check *check, const struct slice_where *where, enum err_code code,
    const char *subject, const char *what)
{
	struct err *entry = slice_refuse(
	    check, where, code, subject, "%s: this version does not build it yet", what);

	err_hint(entry, "take it out of the document");
}

void
slice_refuse_vport(const struct check *check, const struct slice_where *where, const char *subject,
    const struct sliver *sliver, const char *vport)
{
	struct nearest nearest = {.word = vport};
	struct err *entry = slice_refuse(check, where, ERR_S02, subject,
	    "%s '%s' has no vport '%s'", sliver->link ? "link" : "node", sliver->name, vport);

	for (size_t i = 0; entry && i < sliver->n_vports; i++)
		nearest_offer(&nearest, sliver->vports[i].name);
	if (nearest.best)
		err_hint(entry, "did you mean '%s'?", nearest.best);
}

struct slice_subject
slice_subject_of(const char *kind, const char *name)
{
	struct slice_subject subject;

	snprintf(subject.text, sizeof(subject.text), "%s '%.70s'", kind, name);
	return subject;
}

bool
slice_role_is_operator(const char *role)
{
	return !strcmp(role, "noc") || !strcmp(role, "admin");
}

/* ---- monitoring and edge ---- */

static void
check_points(const struct check *check, const struct slice *slice, const struct scope *scope)
{
	for (size_t i = 0; i < slice->n_points; i++) {
		const struct slice_point *point = &slice->points[i];
		const struct sliver *sliver = map_get(scope->by_name, point->sliver);
		struct slice_subject subject = slice_subject_of("point", point->name);

		if (sliver && !slice_has_vport(sliver, point->port))
			slice_refuse_vport(check, &point->where, subject.text, sliver, point->port);
		slice_refuse_planned(
		    check, &point->where, ERR_S05, subject.text, "measuring points");
	}
}

static bool
has_access_point(const struct slice_node *node, const char *name)
{
	for (size_t i = 0; node && i < node->n_access_points; i++)
		if (!strcmp(node->access_points[i].name, name))
			return true;
	return false;
}

static void
check_applications(const struct check *check, const struct slice *slice, const struct scope *scope)
{
	static const char *const forms[] = {"package:", "uid:", "cgroup:", "port:"};

	for (size_t i = 0; i < slice->n_applications; i++) {
		const struct slice_application *application = &slice->applications[i];
		const struct sliver *sliver = map_get(scope->by_name, application->attach_sliver);
		struct slice_subject subject = slice_subject_of("application", application->name);
		bool is_form = false;

		if (!sliver || !has_access_point(sliver->node, application->attach_access_point))
			slice_refuse(check, &application->where, ERR_S17, subject.text,
			    "'%s' has no access point '%s'", application->attach_sliver,
			    application->attach_access_point);
		for (size_t k = 0; k < sizeof(forms) / sizeof(forms[0]); k++)
			is_form |= !strncmp(application->match, forms[k], strlen(forms[k])) &&
				   application->match[strlen(forms[k])];
		if (!is_form)
			slice_refuse(check, &application->where, ERR_S17, subject.text,
			    "match '%.60s' is none of package:, uid:, cgroup:, port: with a value",
			    application->match);
		slice_refuse_planned(
		    check, &application->where, ERR_S05, subject.text, "edge applications");
	}
}

/* ---- mapping ---- */

static const struct slice_host *
find_host(const struct slice_world *world, const char *name)
{
	for (size_t i = 0; i < world->n_hosts; i++)
		if (!strcmp(world->hosts[i].name, name))
			return &world->hosts[i];
	return NULL;
}

static void
refuse_host(const struct check *check, const struct slice_amap *amap, const char *subject)
{
	struct nearest nearest = {.word = amap->vnode};
	struct err *entry = slice_refuse(
	    check, &amap->where, ERR_S12, subject, "there is no host '%s'", amap->vnode);

	for (size_t i = 0; entry && i < check->world->n_hosts; i++)
		nearest_offer(&nearest, check->world->hosts[i].name);
	if (nearest.best)
		err_hint(entry, "did you mean '%s'?", nearest.best);
	else
		err_hint(entry, "'vnode host list' shows those that there are");
}

static void
check_amap(const struct check *check, const struct slice *slice, const struct slice_amap *amap)
{
	struct slice_subject subject = slice_subject_of("node", amap->node);
	const struct slice_node *node = slice_find_node(slice, amap->node);
	const struct slice_host *host = find_host(check->world, amap->vnode);
	bool is_gateway = node && node->has_instance && !strcmp(node->type, "gateway") &&
			  !strcmp(node->subtype, "AGW");

	if (strcmp(amap->aggregate, "local") != 0) {
		slice_refuse_planned(check, &amap->where, ERR_S05, subject.text,
		    "placement in another domain (an aggregate other than 'local')");
		return;
	}
	if (!host)
		refuse_host(check, amap, subject.text);
	else if (node && node->has_instance && host->is_agw != is_gateway)
		slice_refuse(check, &amap->where, ERR_S12, subject.text,
		    "it is %s access gateway, '%s' is %s", is_gateway ? "an" : "no", host->name,
		    host->is_agw ? "one" : "a VNode");
}

static void
check_mapping(const struct check *check, const struct slice *slice)
{
	struct slice_subject subject = slice_subject_of("slice", slice->name);

	if (!slice->has_mapping)
		return;
	if (strcmp(slice->mapping_slice, slice->name) != 0)
		err_hint(slice_refuse(check, &slice->mapping_where, ERR_S11, subject.text,
			     "the mapping is that of slice '%s'", slice->mapping_slice),
		    "write slice=\"%s\"", slice->name);
	for (size_t i = 0; i < slice->n_amaps; i++)
		check_amap(check, slice, &slice->amaps[i]);
	slice_check_company(check, slice);
}
