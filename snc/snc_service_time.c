/*
 * Handlers of times: thin.
 */
#include "snc/slice.h"
#include "snc/slice_picture.h"
#include "snc/snc_service.h"

enum { SEARCH_MS = 4000 };

SNC_HANDLER(slice_renew)
{
	struct snc_caller caller = service_caller(call);
	struct lease granted;

	if (!slice_renew(
		self, &caller, args->slice, service_wish_ms(args->until_ms), &granted, err))
		return false;
	result->until_ms = granted.until_ms;
	result->grace_ms = granted.grace_ms;
	return true;
}

static void
show_slot(const struct slice_slot *slot, const struct slice *slice, struct arena *arena,
    struct snc_slice_find_slot_result *result)
{
	struct snc_node *nodes;

	result->found = slot->is_found;
	if (!slot->is_found) {
		result->looked_until_ms =
		    slot->looked_until_ms == CALENDAR_EVER ? 0 : slot->looked_until_ms;
		return;
	}
	result->from_ms = slot->lease.from_ms;
	result->until_ms = slot->lease.until_ms;
	picture_mapping(slice, slot->mapping, arena, &nodes, &result->n_nodes);
	result->nodes = nodes;
}

SNC_HANDLER(slice_find_slot)
{
	struct snc *snc = self;
	struct slice_examination examination = {
	    .role = call->role,
	    .document = {args->document.bytes, args->document.size},
	};
	struct slice_slot slot = {
	    .length_ms = service_wish_ms(args->duration_ms),
	    .after_ms = service_wish_ms(args->after_ms),
	    .before_ms = service_wish_ms(args->before_ms),
	    .deadline_ms = clock_boot_ms(snc->clock) + SEARCH_MS,
	};
	diagnoses found = {0};

	if (!service_tenant(snc, call, args->project, &slot.tenant, err))
		return false;
	if (slice_examine(snc, &examination, call->arena, &found)) {
		slot.expanded = slice_expand(examination.slice, call->arena);
		if (slice_find_slot(snc, &slot, call->arena, &found))
			show_slot(&slot, examination.slice, call->arena, result);
	}
	result->diagnoses = service_diagnoses(&found, call->arena);
	result->n_diagnoses = found.n;
	vec_done(&found);
	return true;
}
