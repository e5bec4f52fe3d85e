/*
 * The kinds side by side: which file answers for a row.
 */
#include "snc/resource.h"

#include <stdlib.h>
#include <string.h>

#include "snc/resource_part.h"

const char *
resource_print(const struct spec_table *table, const void *spec, struct arena *arena)
{
	auto_str struct str text = {0};

	spec_print(table, spec, &text);
	return arena_text(arena, str_text(&text));
}

uint64_t
resource_port_id(const struct resource_context *context, const char *node, const char *vport)
{
	for (size_t i = 0; i < context->n_ports; i++) {
		const struct resource_port *port = &context->ports[i];

		if (str_equal(port->node->name, node) && str_equal(port->vport->name, vport))
			return port->id;
	}
	abort();
}

bool
resource_switch(const char *kind, const char *attr, bool is_on, struct arena *arena,
    const char **switched, struct err *err)
{
	if (str_equal(kind, "node"))
		return resource_node_switch(attr, is_on, arena, switched, err);
	if (str_equal(kind, "link_end"))
		return resource_link_end_switch(attr, is_on, arena, switched, err);
	*switched = attr;
	return true;
}

bool
resource_charge(const char *manager, const char *kind, const char *spec, struct arena *arena,
    struct resource_charge *charge, struct err *err)
{
	const char *at = strchr(manager, '@');

	*charge = (struct resource_charge){.kind = arena_text(arena, kind)};
	charge->host = arena_text(arena, at ? at + 1 : manager);
	if (str_equal(kind, "node"))
		return resource_node_charge(spec, arena, charge, err);
	if (str_equal(kind, "link_end"))
		return resource_link_end_charge(spec, arena, charge, err);
	if (str_equal(kind, "hub")) /* its link ends are charged */
		return true;
	if (str_equal(kind, "share"))
		return resource_share_charge(spec, arena, charge, err);
	return err_set(err, ERR_BAD_VALUE, "row of unknown kind '%s'", kind);
}

static struct substrate_host *
find_host(struct substrate *substrate, const struct resource_charge *charge)
{
	const char *name = charge->host;
	size_t guess = charge->host_at;

	if (guess < substrate->n_hosts && str_equal(substrate->hosts[guess].name, name))
		return &substrate->hosts[guess];
	for (size_t i = 0; i < substrate->n_hosts; i++)
		if (str_equal(substrate->hosts[i].name, name))
			return &substrate->hosts[i];
	return NULL;
}

bool
resource_take(struct substrate *substrate, const struct resource_charge *charge, struct err *err)
{
	struct substrate_host *host;

	if (str_equal(charge->kind, "share"))
		return !substrate->graph || resource_share_take(substrate->graph, charge, err);
	host = find_host(substrate, charge);
	if (!host || str_equal(charge->kind, "hub"))
		return true;
	if (str_equal(charge->kind, "node"))
		return resource_node_take(host, charge, err);
	return resource_link_end_take(host, charge, err);
}

void
resource_parts(struct substrate *substrate, const struct resource_charge *charge,
    resource_part_fn *part, void *self)
{
	struct substrate_host *host;

	if (str_equal(charge->kind, "share")) {
		if (substrate->graph)
			resource_share_parts(substrate->graph, charge, part, self);
		return;
	}
	host = find_host(substrate, charge);
	if (host && str_equal(charge->kind, "node"))
		resource_node_parts(host, charge, part, self);
	else if (host && str_equal(charge->kind, "link_end"))
		resource_link_end_parts(host, charge, part, self);
}

void
resource_part_take(void *self, int64_t *free, int64_t amount)
{
	(void)self;
	*free -= amount;
}
