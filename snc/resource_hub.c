/*
 * The hub of a multipoint link as a row of redirectord. It takes nothing by itself: what passes it
 * is charged to its link ends.
 */
#include "lib/base/id.h"
#include "lib/model/spec_types.h"
#include "snc/resource.h"
#include "snc/resource_part.h"

void
resource_hub(
    const struct resource_context *context, const struct mapping_node *mapped, struct plan_row *row)
{
	const struct slice_node *hub = mapped->node;
	const char **ports = arena_alloc(context->arena, hub->n_vports * sizeof(ports[0]));
	struct hub_spec spec = {
	    .slice = context->slice_id,
	    .link = hub->hub_of->name,
	    .mtu = hub->hub_of->mtu,
	    .port = {ports, hub->n_vports},
	};
	struct hub_attr_spec attr = {.gso = resource_gso(context, hub)};

	for (size_t i = 0; i < hub->n_vports; i++)
		ports[i] = arena_format(context->arena, "%s %s",
		    id_text(resource_port_id(context, hub->name, hub->vports[i].name)).text,
		    hub->vports[i].name);
	row->manager = arena_format(context->arena, "redirector@%s", mapped->host->name);
	row->kind = "hub";
	row->subject =
	    arena_format(context->arena, "link %s (hub, %s)", spec.link, mapped->host->name);
	row->spec = resource_print(&hub_spec_table, &spec, context->arena);
	row->attr = resource_print(&hub_attr_spec_table, &attr, context->arena);
}
