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

/* What it is guaranteed on the wire. */
static int64_t
end_rate(const struct resource_end *end)
{
	const struct slice_link *link = end->link->link;

	return rate_on_wire(
	    end->is_b ? link->rate_down_bps : link->rate_up_bps, link->mtu, link->carrier.overhead);
}

/* Its ceiling on the wire; best effort without one may use the whole device. */
static int64_t
end_ceiling(const struct resource_end *end)
{
	const struct slice_link *link = end->link->link;
	int64_t ceil_bps = end->is_b ? link->ceil_down_bps : link->ceil_up_bps;

	if (ceil_bps > 0)
		return rate_on_wire(ceil_bps, link->mtu, link->carrier.overhead);
	if (end->link->is_local)
		return end_host(end)->loop_rate_bps;
	return end->is_b ? end->link->port_b->rate_bps : end->link->port_a->rate_bps;
}

const char *
resource_isolation(enum slice_isolation isolation)
{
	switch (isolation) {
	case SLICE_POLICING:
		return "policing";
	case SLICE_BESTEFFORT:
		return "besteffort";
	case SLICE_SHAPING:
	default:
		return "shaping";
	}
}

static const char *
end_attributes(const struct resource_context *context, const struct resource_end *end)
{
	const struct slice_link *link = end->link->link;
	struct link_end_attr_spec attr = {
	    .open = "on",
	    .rate_bps = end_rate(end),
	    .ceil_bps = end_ceiling(end),
	    .burst_bytes = link->burst_bytes,
	    .isolation = resource_isolation(link->isolation),
	    .priority = link->priority,
	};
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
	uint64_t port = resource_port_id(context, bound->sliver, bound->port);
	struct link_end_spec spec = {
	    .slice = context->slice_id,
	    .link = link->name,
	    .node = bound->sliver,
	    .port = arena_text(context->arena, id_text(port).text),
	    .underlay = end_underlay(end),
	    .type = str_equal(link->carrier.type, "gre") ? NULL : link->carrier.type,
	    .config = {link->carrier.config, link->carrier.n_config},
	    .key = end->key,
	    .mtu = link->mtu,
	    .overhead = link->carrier.overhead,
	    .rate_bps = end_rate(end),
	    .queue = link->isolation == SLICE_SHAPING ? NULL : "none",
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

static struct substrate_port *
port_of(struct substrate_host *host, const struct resource_charge *charge)
{
	for (size_t i = 0; i < host->n_ports; i++)
		if (str_equal(host->ports[i].name, charge->port))
			return &host->ports[i];
	return NULL;
}

/* Where the host counts what the end sends; NULL: it has lost that port. */
static int64_t *
free_of(struct substrate_host *host, const struct resource_charge *charge)
{
	struct substrate_port *port = port_of(host, charge);

	if (strncmp(charge->port, "loop", 4) == 0)
		return &host->loop_free_bps[str_equal(charge->port, "loop1")];
	return port ? &port->free_bps : NULL;
}

void
resource_link_end_parts(struct substrate_host *host, const struct resource_charge *charge,
    resource_part_fn *part, void *self)
{
	int64_t *free_bps = free_of(host, charge);

	if (free_bps)
		part(self, free_bps, charge->rate_bps);
}

bool
resource_link_end_take(
    struct substrate_host *host, const struct resource_charge *charge, struct err *err)
{
	const int64_t *free_bps = free_of(host, charge);

	resource_link_end_parts(host, charge, resource_part_take, NULL);
	if (!free_bps || *free_bps >= 0)
		return true;
	if (strncmp(charge->port, "loop", 4) == 0)
		return err_set(err, ERR_R02, "'%s' has no %s free between its nodes any more",
		    host->name, rate_text(charge->rate_bps).text);
	return err_set(err, ERR_R02, "port '%s' of '%s' has no %s free any more", charge->port,
	    host->name, rate_text(charge->rate_bps).text);
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
