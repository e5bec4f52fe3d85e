/*
 * The service `redirector`: its table, and what this host can do.
 */
#include "redirector/redirector_service.h"

#include <sys/timex.h>
#include <unistd.h>

#include "lib/base/id.h"
#include "lib/base/vec.h"
#include "lib/model/units.h"
#include "redirector/link_types.h"
#include "redirector/shaper.h"

typedef vec_of(struct redirector_fact) fact_vec;

/* ---- delays ---------------------------------------------------------------------------------- */

/* What the kernel's clock discipline (NTP, PTP) says; -1: nothing holds the clock. */
static int64_t
clock_error_ns(void)
{
	struct timex clock = {0};

	if (adjtimex(&clock) < 0 || clock.status & STA_UNSYNC)
		return -1;
	return (int64_t)clock.esterror * 1000;
}

static bool
delays(void *self, const struct rpc_call *call, const struct redirector_delays_args *args,
    struct redirector_delays_result *result, struct err *err)
{
	const struct redirector *redirector = self;
	const struct dataplane *dataplane = &redirector->dataplane;
	const struct dataplane_held *links;
	struct redirector_delay *list;
	size_t n_links, n = 0;

	(void)args;
	if (!dataplane->ops->list(dataplane->self, call->arena, &links, &n_links, err))
		return false;
	list = arena_alloc(call->arena, n_links * sizeof(*list));
	for (size_t i = 0; i < n_links; i++) {
		struct dataplane_delays found;
		struct err why;

		if (!dataplane->ops->delays(dataplane->self, links[i].rid, &found, &why) ||
		    !found.packets)
			continue;
		list[n++] = (struct redirector_delay){
		    .rid = arena_text(call->arena, id_text(links[i].rid).text),
		    .received = (int64_t)found.received,
		    .lost = (int64_t)found.lost,
		    .min_ns = found.min_ns,
		    .avg_ns = found.avg_ns,
		    .p50_ns = found.p50_ns,
		    .p99_ns = found.p99_ns,
		    .max_ns = found.max_ns,
		    .jitter_ns = found.jitter_ns,
		};
	}
	result->clock_error_ns = clock_error_ns();
	result->delays = list;
	result->n_delays = n;
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

static void
add_types(const struct redirector *redirector, struct arena *arena, fact_vec *facts)
{
	const struct link_type_refused *refused;
	const struct link_type *types;
	auto_str struct str names = {0};
	size_t n = link_types_list(redirector->types, arena, &types);

	for (size_t i = 0; i < n; i++)
		str_addf(&names, "%s%s", i ? ", " : "", types[i].name);
	add_fact(facts, "link types", true, arena_text(arena, str_text(&names)), "");
	n = link_types_refused(redirector->types, arena, &refused);
	for (size_t i = 0; i < n; i++)
		add_fact(facts, arena_format(arena, "plug-in %s", refused[i].file), false,
		    refused[i].why, "replace the file, or take it away");
}

static bool
doctor(void *self, const struct rpc_call *call, const struct redirector_doctor_args *args,
    struct redirector_doctor_result *result, struct err *err)
{
	struct redirector *redirector = self;
	bool has_btf = !access("/sys/kernel/btf/vmlinux", R_OK);
	fact_vec facts = {0};

	(void)args, (void)err;
	add_fact(&facts, "driver", true,
	    arena_format(
		call->arena, "%s: %s", redirector->dataplane.ops->name, redirector->dataplane.why),
	    "");
	add_fact(&facts, "btf", has_btf, has_btf ? "/sys/kernel/btf/vmlinux" : "absent",
	    "use a kernel with CONFIG_DEBUG_INFO_BTF");
	for (size_t i = 0; i < redirector->n_underlays; i++)
		add_port(redirector, &redirector->underlays[i], call->arena, &facts);
	add_types(redirector, call->arena, &facts);
	for (size_t i = 0; i < redirector->converter.n_devices; i++)
		*vec_add(&facts) = converter_fact(
		    &redirector->converter, &redirector->converter.devices[i], call->arena);
	add_strays(&redirector->dataplane, call->arena, &facts);
	result->n_facts = facts.n;
	result->facts = (const struct redirector_fact *)(void *)arena_copy(
	    call->arena, facts.items, facts.n * sizeof(*facts.items));
	vec_done(&facts);
	return true;
}

const struct redirector_ops redirector_rpc_ops = {
    .counters = service_counters,
    .capture_start = service_capture_start,
    .capture_read = service_capture_read,
    .capture_stop = service_capture_stop,
    .conversions = conversions_rpc,
    .delays = delays,
    .doctor = doctor,
};
