/*
 * One end of a virtual link as a row of redirectord.
 */
#include <string.h>

#include "lib/base/id.h"
#include "lib/model/spec_types.h"
#include "lib/model/units.h"
#include "snc/resource.h"
#include "snc/resource_part.h"

static const struct substrate_host *
end_host(const struct resource_end *end)
{
	return end->is_b ? end->link->host_b : end->link->host_a;
}

/* The device that the end sends by; the ends of a local link face each other over the loop pair. */
static const char *
end_underlay(const struct resource_end *end)
{
	if (end->link->is_local)
		return end->is_b ? "loop1" : "loop0";
	return end->is_b ? end->link->port_b->name : end->link->port_a->name;
}

/* Its ceiling on the wire; best effort without one may use the whole device. */
static int64_t
end_ceiling(const struct resource_end *end)
{
	const struct slice_link *link = end->link->link;
	int64_t ceil_bps = end->is_b ? link->ceil_down_bps : link->ceil_up_bps;

	if (ceil_bps > 0)
		return rate_on_wire(ceil_bps, link->mtu);
	if (end->link->is_local)
		return end_host(end)->loop_rate_bps;
	return end->is_b ? end->link->port_b->rate_bps : end->link->port_a->rate_bps;
}

static const char *
end_attributes(const struct resource_context *context, const struct resource_end *end)
{
	struct link_end_attr_spec attr = {.open = "on"};
	struct id_text share = id_text(end->share);
	char here = end->is_b ? 'b' : 'a', there = end->is_b ? 'a' : 'b';

	if (!end->link->is_local) {
		attr.local = arena_format(context->arena, "${%s.address_%c}", share.text, here);
		attr.remote = arena_format(context->arena, "${%s.address_%c}", share.text, there);
		attr.next_hop = arena_format(context->arena, "${%s.next_hop_%c}", share.text, here);
	}
	return resource_print(&link_end_attr_spec_table, &attr, context->arena);
}

void
resource_link_end(
    const struct resource_context *context, const struct resource_end *end, struct plan_row *row)
{
	const struct slice_link *link = end->link->link;
	const struct slice_bind_end *bound = slice_link_end(context->slice, link, end->is_b);
	int64_t rate_bps = end->is_b ? link->rate_down_bps : link->rate_up_bps;
	uint64_t port = resource_port_id(context, bound->sliver, bound->port);
	struct link_end_spec spec = {
	    .slice = context->slice_id,
	    .link = link->name,
	    .port = arena_text(context->arena, id_text(port).text),
	    .underlay = end_underlay(end),
	    .key = end->key,
	    .mtu = link->mtu,
	    .rate_bps = rate_on_wire(rate_bps, link->mtu),
	    .ceil_bps = end_ceiling(end),
	    .burst_bytes = link->burst_bytes,
	    .isolation = link->isolation == SLICE_BESTEFFORT ? "besteffort" : "shaping",
	};

	row->manager = arena_format(context->arena, "redirector@%s", end_host(end)->name);
	row->kind = "link_end";
	row->subject =
	    arena_format(context->arena, "link %s (%s)", link->name, end_host(end)->name);
	row->spec = resource_print(&link_end_spec_table, &spec, context->arena);
	row->attr = end_attributes(context, end);
}

bool
resource_link_end_charge(
    const char *spec_text, struct arena *arena, struct resource_charge *charge, struct err *err)
{
	struct link_end_spec spec;

	if (!spec_parse(&link_end_spec_table, spec_text, arena, &spec, err))
		return false;
	charge->port = spec.underlay;
	charge->rate_bps = spec.rate_bps;
	return true;
}

static bool
take_loop(struct substrate_host *host, const struct resource_charge *charge, struct err *err)
{
	int64_t *free_bps = &host->loop_free_bps[str_equal(charge->port, "loop1")];

	*free_bps -= charge->rate_bps;
	if (*free_bps < 0)
		return err_set(err, ERR_R02, "'%s' has no %s free between its nodes any more",
		    host->name, rate_text(charge->rate_bps).text);
	return true;
}

bool
resource_link_end_take(
    struct substrate_host *host, const struct resource_charge *charge, struct err *err)
{
	if (strncmp(charge->port, "loop", 4) == 0)
		return take_loop(host, charge, err);
	for (size_t i = 0; i < host->n_ports; i++) {
		struct substrate_port *port = &host->ports[i];

		if (!str_equal(port->name, charge->port))
			continue;
		port->free_bps -= charge->rate_bps;
		if (port->free_bps < 0)
			return err_set(err, ERR_R02, "port '%s' of '%s' has no %s free any more",
			    port->name, host->name, rate_text(charge->rate_bps).text);
	}
	return true;
}

bool
resource_link_end_switch(
    const char *attr_text, bool is_on, struct arena *arena, const char **switched, struct err *err)
{
	struct link_end_attr_spec attr;

	if (!spec_parse(&link_end_attr_spec_table, attr_text, arena, &attr, err))
		return false;
	attr.open = is_on ? "on" : "off";
	*switched = resource_print(&link_end_attr_spec_table, &attr, arena);
	return true;
}
