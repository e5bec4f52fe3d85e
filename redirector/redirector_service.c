/*
 * The service `redirector`: counters of a link end, what this host can do.
 */
#include "redirector/redirector_service.h"

#include <unistd.h>

#include "lib/base/id.h"
#include "lib/base/vec.h"
#include "lib/model/units.h"
#include "redirector/shaper.h"

typedef vec_of(struct redirector_fact) fact_vec;

/* ---- counters -------------------------------------------------------------------------------- */

static uint64_t
queue_drops(const struct redirector *redirector, uint64_t rid)
{
	const struct dataplane *dataplane = &redirector->dataplane;
	auto_arena struct arena *arena = arena_new();
	const struct dataplane_link *links;
	struct tc_class class;
	size_t n_links;
	struct err why;

	if (!dataplane->ops->list(dataplane->self, arena, &links, &n_links, &why))
		return 0;
	for (size_t i = 0; i < n_links; i++)
		if (links[i].rid == rid && links[i].port &&
		    tc_class_find(redirector->netlink, links[i].underlay,
			links[i].class_handle & 0xffff, &class, &why))
			return class.drops;
	return 0;
}

static bool
counters(void *self, const struct rpc_call *call, const struct redirector_counters_args *args,
    struct redirector_counters_result *result, struct err *err)
{
	const struct redirector *redirector = self;
	const struct dataplane *dataplane = &redirector->dataplane;
	struct dataplane_counters found;
	uint64_t rid;

	(void)call;
	if (!id_parse(args->rid, &rid, err) ||
	    !dataplane->ops->counters(dataplane->self, rid, &found, err))
		return err_in(err, "link end '%.20s'", args->rid);
	*result = (struct redirector_counters_result){
	    .tx_frames = (int64_t)found.tx_frames,
	    .tx_bytes = (int64_t)found.tx_bytes,
	    .tx_oversize = (int64_t)found.tx_oversize,
	    .tx_dropped = (int64_t)found.tx_dropped,
	    .rx_frames = (int64_t)found.rx_frames,
	    .rx_bytes = (int64_t)found.rx_bytes,
	    .rx_dropped = (int64_t)found.rx_dropped,
	    .queue_drops = (int64_t)queue_drops(redirector, rid),
	};
	return true;
}

/* ---- doctor ---------------------------------------------------------------------------------- */

static void
add_fact(fact_vec *facts, const char *name, bool good, const char *value, const char *hint)
{
	*vec_add(facts) = (struct redirector_fact){
	    .name = name, .good = good, .value = value, .hint = good ? "" : hint};
}

static void
add_port(struct redirector *redirector, const struct underlay *underlay, struct arena *arena,
    fact_vec *facts)
{
	const char *name = arena_format(arena, "port.%s", underlay->name);
	struct device device;
	struct err why = {0};

	if (!port_ensure(redirector, underlay, &device, &why)) {
		add_fact(facts, name, false, arena_text(arena, why.text),
		    "bring the device up, or take it out of [underlay]");
		return;
	}
	add_fact(facts, name, device.is_running,
	    arena_format(arena, "%s, mtu %u, %s", rate_text(underlay->rate_bps).text, device.mtu,
		device.is_running ? "up" : "no carrier"),
	    "is the cable plugged in?");
}

static void
add_strays(const struct dataplane *dataplane, struct arena *arena, fact_vec *facts)
{
	struct dataplane_strays strays;
	struct err why = {0};

	if (!dataplane->ops->strays(dataplane->self, &strays, &why))
		add_fact(
		    facts, "strays", false, arena_text(arena, why.text), "restart redirectord");
	else
		add_fact(facts, "strays", true,
		    arena_format(arena, "%llu frames with an unknown key, %llu malformed",
			(unsigned long long)strays.unknown_key,
			(unsigned long long)strays.malformed),
		    "");
}

static bool
doctor(void *self, const struct rpc_call *call, const struct redirector_doctor_args *args,
    struct redirector_doctor_result *result, struct err *err)
{
	struct redirector *redirector = self;
	bool has_btf = !access("/sys/kernel/btf/vmlinux", R_OK);
	fact_vec facts = {0};

	(void)args, (void)err;
	add_fact(&facts, "driver", true, redirector->dataplane.ops->name, "");
	add_fact(&facts, "btf", has_btf, has_btf ? "/sys/kernel/btf/vmlinux" : "absent",
	    "use a kernel with CONFIG_DEBUG_INFO_BTF");
	for (size_t i = 0; i < redirector->n_underlays; i++)
		add_port(redirector, &redirector->underlays[i], call->arena, &facts);
	add_strays(&redirector->dataplane, call->arena, &facts);
	result->n_facts = facts.n;
	result->facts = (const struct redirector_fact *)(void *)arena_copy(
	    call->arena, facts.items, facts.n * sizeof(*facts.items));
	vec_done(&facts);
	return true;
}

const struct redirector_ops redirector_rpc_ops = {.counters = counters, .doctor = doctor};
