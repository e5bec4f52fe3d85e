/*
 * Rows of a slice that stands: what of a row's texts a change of the document changes.
 */
#include <string.h>

#include "lib/base/id.h"
#include "lib/model/spec_types.h"
#include "lib/model/units.h"
#include "snc/resource.h"
#include "snc/resource_part.h"

bool
resource_instead(const char *kind, const char *spec_text, uint64_t rid, struct arena *arena,
    const char **changed, struct err *err)
{
	const char *instead = arena_text(arena, id_text(rid).text);
	struct link_end_spec end;
	struct share_spec share;

	if (str_equal(kind, "share")) {
		if (!spec_parse(&share_spec_table, spec_text, arena, &share, err))
			return false;
		share.instead = instead;
		*changed = resource_print(&share_spec_table, &share, arena);
		return true;
	}
	if (!spec_parse(&link_end_spec_table, spec_text, arena, &end, err))
		return false;
	end.instead = instead;
	*changed = resource_print(&link_end_spec_table, &end, arena);
	return true;
}

bool
resource_receive(const char *attr_text, struct arena *arena, const char **changed, struct err *err)
{
	struct link_end_attr_spec attr;

	if (!spec_parse(&link_end_attr_spec_table, attr_text, arena, &attr, err))
		return false;
	attr.open = "receive";
	*changed = resource_print(&link_end_attr_spec_table, &attr, arena);
	return true;
}

bool
resource_redirect(const char *attr_text, const char *to_text, struct arena *arena,
    const char **changed, struct err *err)
{
	struct link_end_attr_spec attr, to;

	if (!spec_parse(&link_end_attr_spec_table, attr_text, arena, &attr, err) ||
	    !spec_parse(&link_end_attr_spec_table, to_text, arena, &to, err))
		return false;
	attr.open = to.open;
	attr.local = to.local;
	attr.remote = to.remote;
	attr.next_hop = to.next_hop;
	*changed = resource_print(&link_end_attr_spec_table, &attr, arena);
	return true;
}

bool
resource_tune(const char *attr_text, const struct resource_tuning *tuning, struct arena *arena,
    const char **changed, struct err *err)
{
	const struct slice_link *link = tuning->link;
	int64_t rate_bps = tuning->is_b ? link->rate_down_bps : link->rate_up_bps;
	int64_t ceil_bps = tuning->is_b ? link->ceil_down_bps : link->ceil_up_bps;
	struct link_end_attr_spec attr;

	if (!spec_parse(&link_end_attr_spec_table, attr_text, arena, &attr, err))
		return false;
	attr.rate_bps = rate_on_wire(rate_bps, link->mtu, link->carrier.overhead);
	attr.ceil_bps = ceil_bps > 0 ? rate_on_wire(ceil_bps, link->mtu, link->carrier.overhead)
				     : tuning->device_bps;
	attr.burst_bytes = link->burst_bytes;
	attr.isolation = resource_isolation(link->isolation);
	attr.priority = link->priority;
	*changed = resource_print(&link_end_attr_spec_table, &attr, arena);
	return true;
}

/* ---- large frames ---- */

/* "ID SEGMENTS" of a port; NULL. */
static const char *
find_entry(const struct spec_list *list, const char *port)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strncmp(list->items[i], port, strlen(port)))
			return list->items[i];
	return NULL;
}

static struct spec_list
mix(const struct resource_context *context, const struct resource_touched *touched,
    const struct spec_list *now)
{
	const struct slice_node *node = touched->node;
	struct spec_list fresh = resource_gso(context, node);
	const char **mixed = arena_alloc(context->arena, (node->n_vports + 1) * sizeof(mixed[0]));
	size_t n = 0;

	for (size_t i = 0; i < node->n_vports; i++) {
		uint64_t id = resource_port_id(context, node->name, node->vports[i].name);
		bool is_touched = false;
		const char *entry;

		for (size_t k = 0; k < touched->n_ports; k++)
			is_touched = is_touched || touched->ports[k] == id;
		entry = find_entry(is_touched ? &fresh : now, id_text(id).text);
		if (entry)
			mixed[n++] = entry;
	}
	return (struct spec_list){mixed, n};
}

bool
resource_tune_node(const struct resource_context *context, const struct resource_touched *touched,
    const char *attr_text, const char **changed, struct err *err)
{
	struct node_attr_spec attr;
	struct hub_attr_spec hub;

	if (touched->node->hub_of) {
		if (!spec_parse(&hub_attr_spec_table, attr_text, context->arena, &hub, err))
			return false;
		hub.gso = mix(context, touched, &hub.gso);
		*changed = resource_print(&hub_attr_spec_table, &hub, context->arena);
		return true;
	}
	if (!spec_parse(&node_attr_spec_table, attr_text, context->arena, &attr, err))
		return false;
	attr.gso = mix(context, touched, &attr.gso);
	*changed = resource_print(&node_attr_spec_table, &attr, context->arena);
	return true;
}
