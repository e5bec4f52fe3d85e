/*
 * How slivers are joined, and the doors of access gateways.
 */
#include <stdint.h>
#include <string.h>

#include "lib/model/slice_check.h"

static void check_bind(const struct check *check, const struct scope *scope,
    const struct slice_bind *bind, struct map *bound);
static void check_dangling(
    const struct check *check, const struct scope *scope, const struct map *bound);

void
slice_check_binds(const struct check *check, const struct scope *scope)
{
	auto_map struct map *bound = map_new(); /* "SLIVER VPORT" -> its bind end */

	for (size_t i = 0; i < scope->body->n_binds; i++)
		check_bind(check, scope, &scope->body->binds[i], bound);
	check_dangling(check, scope, bound);
}

/* The sliver that an end names; inside a hierarchy, _parent is the enclosing node. */
static const struct sliver *
sliver_of(const struct scope *scope, const struct slice_bind_end *end, struct sliver *parent)
{
	if (!scope->outer || strcmp(end->sliver, "_parent") != 0)
		return map_get(scope->by_name, end->sliver);
	*parent = (struct sliver){"_parent", NULL, NULL, scope->outer->vports,
	    scope->outer->n_vports, scope->outer->where};
	return parent;
}

static void
check_end(const struct check *check, const struct slice_bind_end *end, const struct sliver *sliver,
    struct map *bound, const char *subject)
{
	auto_str struct str key = {0};

	if (!slice_has_vport(sliver, end->port)) {
		slice_refuse_vport(check, &end->where, subject, sliver, end->port);
		return;
	}
	str_addf(&key, "%s %s", end->sliver, end->port);
	if (map_put(bound, key.text, bound) && !strcmp(end->sliver, "_parent"))
		slice_refuse(check, &end->where, ERR_S10, subject,
		    "the outer vport '%s' is bound twice inside", end->port);
}

static void
check_bind(const struct check *check, const struct scope *scope, const struct slice_bind *bind,
    struct map *bound)
{
	struct slice_subject subject = slice_subject_of("bind", bind->name);
	const struct sliver *sliver[2];
	struct sliver parent[2];

	for (size_t i = 0; i < 2; i++) {
		sliver[i] = sliver_of(scope, &bind->ends[i], &parent[i]);
		if (!sliver[i])
			return; /* pass 1 has refused it */
		check_end(check, &bind->ends[i], sliver[i], bound, subject.text);
	}
	if (!strcmp(sliver[0]->name, sliver[1]->name))
		slice_refuse(check, &bind->where, ERR_S03, subject.text, "it joins '%s' to itself",
		    sliver[0]->name);
	else if (sliver[0]->link && sliver[1]->link)
		slice_refuse(check, &bind->where, ERR_S03, subject.text,
		    "it joins two links, '%s' and '%s'; a node belongs between them",
		    sliver[0]->name, sliver[1]->name);
	else if (!sliver[0]->link && !sliver[1]->link && !scope->outer)
		slice_refuse(check, &bind->where, ERR_S03, subject.text,
		    "it joins two nodes, '%s' and '%s'; a link belongs between them",
		    sliver[0]->name, sliver[1]->name);
}

static bool
is_bound(const struct map *bound, const char *sliver, const char *vport)
{
	auto_str struct str key = {0};

	str_addf(&key, "%s %s", sliver, vport);
	return map_get(bound, key.text) != NULL;
}

static void
check_dangling(const struct check *check, const struct scope *scope, const struct map *bound)
{
	for (size_t i = 0; i < scope->n_slivers; i++) {
		const struct sliver *sliver = &scope->slivers[i];
		struct slice_subject subject =
		    slice_subject_of(sliver->link ? "link" : "node", sliver->name);

		for (size_t k = 0; k < sliver->n_vports; k++) {
			const struct slice_vport *vport = &sliver->vports[k];
			struct err *entry;

			if (is_bound(bound, sliver->name, vport->name))
				continue;
			entry = slice_refuse(check, &vport->where, ERR_S04, subject.text,
			    "vport '%s' is not bound", vport->name);
			if (entry)
				entry->is_warning = !sliver->link;
		}
	}
	for (size_t k = 0; scope->outer && k < scope->outer->n_vports; k++) {
		const struct slice_vport *vport = &scope->outer->vports[k];

		if (!is_bound(bound, "_parent", vport->name))
			slice_refuse(check, &vport->where, ERR_S10,
			    slice_subject_of("node", scope->outer->name).text,
			    "vport '%s' is not bound inside the hierarchy", vport->name);
	}
}

/* ---- access points ---- */

/* Is the node a gateway for users, or is there one inside? */
static bool
is_gateway(const struct slice_node *node)
{
	if (node->has_instance)
		return !strcmp(node->type, "gateway") && !strcmp(node->subtype, "AGW");
	for (size_t i = 0; node->hierarchy && i < node->hierarchy->n_nodes; i++)
		if (is_gateway(&node->hierarchy->nodes[i]))
			return true;
	return false;
}

static void
check_number(const struct check *check, const struct slice_access_point *point, const char *key,
    struct map *taken, const char *subject)
{
	const struct slice_pair *pair = slice_pair_find(&point->params, key);
	auto_str struct str tag = {0};

	if (!pair)
		return;
	str_addf(&tag, "%s %s", key, pair->value);
	if (map_put(taken, tag.text, taken))
		slice_refuse(check, &pair->where, ERR_S09, subject,
		    "another access point of the node has %s '%.20s' too", key, pair->value);
}

static void
check_access_point(const struct check *check, const struct sliver *sliver,
    const struct slice_access_point *point, struct map *taken)
{
	struct slice_subject subject = slice_subject_of("access point", point->name);

	if (!slice_has_vport(sliver, point->vport))
		slice_refuse_vport(check, &point->where, subject.text, sliver, point->vport);
	if (!strcmp(point->method, "ipsec") && !point->auth_method)
		slice_refuse(
		    check, &point->where, ERR_S09, subject.text, "method 'ipsec' needs 'auth'");
	check_number(check, point, "vlan", taken, subject.text);
	check_number(check, point, "trailerSlice", taken, subject.text);
	slice_refuse_planned(check, &point->where, ERR_S05, subject.text, "access points");
}

void
slice_check_access(const struct check *check, const struct scope *scope)
{
	for (size_t i = 0; i < scope->n_slivers; i++) {
		const struct sliver *sliver = &scope->slivers[i];
		const struct slice_node *node = sliver->node;
		auto_map struct map *taken = map_new();

		if (!node || !node->n_access_points)
			continue;
		if (!is_gateway(node))
			slice_refuse(check, &node->access_points[0].where, ERR_S09,
			    slice_subject_of("node", node->name).text,
			    "access points are for access gateways (type 'gateway', subtype "
			    "'AGW')");
		for (size_t k = 0; k < node->n_access_points; k++)
			check_access_point(check, sliver, &node->access_points[k], taken);
	}
}
