/*
 * A node sliver as a row of programmerd.
 */
#include <string.h>

#include "lib/base/id.h"
#include "lib/base/vec.h"
#include "lib/model/spec_types.h"
#include "lib/model/units.h"
#include "snc/resource.h"
#include "snc/resource_part.h"

enum { MTU_UNBOUND = 1500, QUEUE_MIN_BYTES = 12000, FRAMES_IN_QUEUE = 4, SEGMENT_BYTES = 1500 };

typedef vec_of(const char *) texts;

static void
add_ports(const struct resource_context *context, const struct slice_node *node, texts *ports)
{
	for (size_t i = 0; i < node->n_vports; i++) {
		const char *vport = node->vports[i].name;
		const struct slice_link *link =
		    slice_port_link(context->slice, node, vport, &(unsigned){0});

		vec_push(ports, arena_format(context->arena, "%s %s %lld",
				    id_text(resource_port_id(context, node->name, vport)).text,
				    vport, link ? (long long)link->mtu : MTU_UNBOUND));
	}
}

/*
 * A shaper's queue holds 30 ms of the rate; a frame that is segmented after it may fill a quarter
 * of that at most, else one sender's bursts become everybody's delay.
 */
static int64_t
gso_segments(int64_t ceil_wire_bps)
{
	int64_t queue_bytes = ceil_wire_bps / 8 * 30 / 1000;
	int64_t segments;

	if (queue_bytes < QUEUE_MIN_BYTES)
		queue_bytes = QUEUE_MIN_BYTES;
	segments = queue_bytes / FRAMES_IN_QUEUE / SEGMENT_BYTES;
	return segments > UINT16_MAX ? UINT16_MAX : segments;
}

struct spec_list
resource_gso(const struct resource_context *context, const struct slice_node *node)
{
	const char **gso = arena_alloc(context->arena, node->n_vports * sizeof(gso[0]));
	size_t n = 0;

	for (size_t i = 0; i < node->n_vports; i++) {
		const char *vport = node->vports[i].name;
		unsigned which = 0;
		const struct slice_link *link =
		    slice_port_link(context->slice, node, vport, &which);
		int64_t ceil_bps = link ? which ? link->ceil_down_bps : link->ceil_up_bps : 0;
		long long segments = 1;

		if (!link || (ceil_bps <= 0 && !link->carrier.is_whole))
			continue;
		if (!link->carrier.is_whole)
			segments =
			    gso_segments(rate_on_wire(ceil_bps, link->mtu, link->carrier.overhead));
		gso[n++] = arena_format(context->arena, "%s %lld",
		    id_text(resource_port_id(context, node->name, vport)).text, segments);
	}
	return (struct spec_list){gso, n};
}

void
resource_node(
    const struct resource_context *context, const struct mapping_node *mapped, struct plan_row *row)
{
	const struct slice_node *node = mapped->node;
	texts ports = {0};
	struct node_spec spec = {
	    .slice = context->slice_id,
	    .name = node->name,
	    .form = node->form == SLICE_FORM_CONTAINER ? "container" : "vm",
	    .image = node->image,
	    .cpu = node->cpu,
	    .cpu_share = node->cpu_share,
	    .memory_bytes = node->memory_bytes,
	    .disk_bytes = node->disk_bytes,
	    .iops = node->iops,
	    .kernel_args = node->kernel_args,
	    .user_data = node->user_data,
	};
	struct node_attr_spec attr = {.power = "on", .gso = resource_gso(context, node)};

	add_ports(context, node, &ports);
	spec.port = (struct spec_list){ports.items, ports.n};
	row->manager = arena_format(context->arena, "programmer@%s", mapped->host->name);
	row->kind = "node";
	row->subject = arena_format(context->arena, "node %s", node->name);
	row->spec = resource_print(&node_spec_table, &spec, context->arena);
	row->attr = resource_print(&node_attr_spec_table, &attr, context->arena);
	vec_done(&ports);
}

bool
resource_node_charge(
    const char *spec_text, struct arena *arena, struct resource_charge *charge, struct err *err)
{
	struct node_spec spec;

	if (!spec_parse(&node_spec_table, spec_text, arena, &spec, err))
		return false;
	charge->cpu = spec.cpu;
	charge->memory_bytes = spec.memory_bytes;
	charge->disk_bytes = spec.disk_bytes;
	return true;
}

void
resource_node_parts(struct substrate_host *host, const struct resource_charge *charge,
    resource_part_fn *part, void *self)
{
	part(self, &host->cpu_free, charge->cpu);
	part(self, &host->memory_free_bytes, charge->memory_bytes);
	part(self, &host->disk_free_bytes, charge->disk_bytes);
}

bool
resource_node_take(
    struct substrate_host *host, const struct resource_charge *charge, struct err *err)
{
	resource_node_parts(host, charge, resource_part_take, NULL);
	if (host->cpu_free < 0)
		return err_set(err, ERR_R01, "'%s' has no %lld CPU free any more", host->name,
		    (long long)charge->cpu);
	if (host->memory_free_bytes < 0)
		return err_set(err, ERR_R01, "'%s' has no %s of memory free any more", host->name,
		    size_text(charge->memory_bytes).text);
	if (host->disk_free_bytes < 0)
		return err_set(err, ERR_R01, "'%s' has no %s of disk free any more", host->name,
		    size_text(charge->disk_bytes).text);
	return true;
}

bool
resource_node_switch(
    const char *attr_text, bool is_on, struct arena *arena, const char **switched, struct err *err)
{
	struct node_attr_spec attr;

	if (!spec_parse(&node_attr_spec_table, attr_text, arena, &attr, err))
		return false;
	attr.power = is_on ? "on" : "off";
	*switched = resource_print(&node_attr_spec_table, &attr, arena);
	return true;
}

bool
resource_node_segments(const char *attr_text, const struct resource_segments *segments,
    struct arena *arena, const char **changed, struct err *err)
{
	struct id_text port = id_text(segments->port);
	struct node_attr_spec attr;
	const char *ours = arena_format(
	    arena, "%s %lld", port.text, (long long)gso_segments(segments->ceil_wire_bps));
	bool is_there = false;
	texts gso = {0};

	if (!spec_parse(&node_attr_spec_table, attr_text, arena, &attr, err))
		return false;
	for (size_t i = 0; i < attr.gso.n; i++) {
		bool is_ours = !strncmp(attr.gso.items[i], port.text, strlen(port.text));

		is_there = is_there || is_ours;
		vec_push(&gso, is_ours ? ours : attr.gso.items[i]);
	}
	if (!is_there)
		vec_push(&gso, ours);
	attr.gso = (struct spec_list){gso.items, gso.n};
	*changed = resource_print(&node_attr_spec_table, &attr, arena);
	vec_done(&gso);
	return true;
}
