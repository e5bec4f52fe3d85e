/*
 * What the service `redirector` tells of the format converter.
 */
#include <net/if.h>

#include "lib/base/id.h"
#include "redirector/redirector_service.h"

static const char *
device_name(uint32_t device, struct arena *arena)
{
	char name[IF_NAMESIZE];

	return arena_text(arena, if_indextoname(device, name) ? name : "");
}

static struct redirector_conversion
describe(const struct conversion_way *way, const struct conversion_counters *counters,
    struct arena *arena)
{
	return (struct redirector_conversion){
	    .rid = arena_text(arena, id_text(way->rid).text),
	    .backbone = device_name(way->backbone, arena),
	    .isid = way->isid,
	    .b_vid = way->b_vid,
	    .customer = device_name(way->customer, arena),
	    .vlan = way->vlan,
	    .to_frames = (int64_t)counters->to_frames,
	    .to_bytes = (int64_t)counters->to_bytes,
	    .to_drops = (int64_t)counters->to_drops,
	    .from_frames = (int64_t)counters->from_frames,
	    .from_bytes = (int64_t)counters->from_bytes,
	    .from_drops = (int64_t)counters->from_drops,
	};
}

bool
conversions_rpc(void *self, const struct rpc_call *call,
    const struct redirector_conversions_args *args, struct redirector_conversions_result *result,
    struct err *err)
{
	const struct redirector *redirector = self;
	struct conversions *kernel = redirector->converter.kernel;
	const struct conversion_way *ways;
	struct conversion_counters counters;
	struct conversion_strays strays;
	struct redirector_conversion *found;
	size_t n_ways, n = 0;

	(void)args;
	if (!conversions_strays(kernel, &strays, err))
		return false;
	conversions_list(kernel, call->arena, &ways, &n_ways);
	found = arena_alloc(call->arena, n_ways * sizeof(*found));
	/* A remnant, or one that goes just now, is no conversion. */
	for (size_t i = 0; i < n_ways; i++)
		if (ways[i].customer && conversions_counters(kernel, ways[i].rid, &counters, NULL))
			found[n++] = describe(&ways[i], &counters, call->arena);
	*result = (struct redirector_conversions_result){
	    .conversions = found,
	    .n_conversions = n,
	    .unknown_isid = (int64_t)strays.unknown_isid,
	    .unknown_vlan = (int64_t)strays.unknown_vlan,
	    .malformed = (int64_t)strays.malformed,
	};
	return true;
}

/* What MAC-in-MAC adds to a frame beside its own Ethernet header and the B-TAG. */
enum { ADDED_BYTES = 18 };

struct redirector_fact
converter_fact(struct converter *converter, const struct converter_device *at, struct arena *arena)
{
	struct redirector_fact fact = {
	    .name = arena_format(arena, "converter.%s", at->name), .hint = ""};
	struct device device;
	struct err why = {0};

	if (!converter_device_ready(converter, at, &device, &why)) {
		fact.value = arena_text(arena, why.text);
		fact.hint = "bring the device up with these off-loads off, or take another";
		return fact;
	}
	fact.good = device.is_running;
	fact.hint = device.is_running ? "" : "is the cable plugged in?";
	fact.value = arena_format(arena, "%s, frames up to mtu %u, %s",
	    at->is_backbone ? "backbone" : "customer",
	    at->is_backbone ? device.mtu - ADDED_BYTES : device.mtu,
	    device.is_running ? "up" : "no carrier");
	return fact;
}
