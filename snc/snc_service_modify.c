/*
 * Handlers of the verbs that change a slice that is there: thin.
 */
#include "snc/slice.h"
#include "snc/snc_service.h"

SNC_HANDLER(slice_reserve)
{
	struct snc_caller caller = service_caller(call);

	(void)result;
	return slice_reserve(self, &caller, args->slice, err);
}

SNC_HANDLER(slice_modify)
{
	struct slice_modification modification = {
	    .caller = service_caller(call),
	    .slice = args->slice,
	    .document = {args->document.bytes, args->document.size},
	    .is_plan = args->plan,
	    .may_restart = args->restart,
	};
	struct snc_change *changes;

	if (!slice_modify(self, &modification, call->arena, err))
		return false;
	changes = arena_alloc(call->arena, modification.diff.n * sizeof(changes[0]));
	for (size_t i = 0; i < modification.diff.n; i++) {
		const struct slice_change *change = &modification.diff.items[i];

		changes[i] = (struct snc_change){
		    .kind = change->is_link ? "link" : "node",
		    .name = change->name,
		    .way = slice_way_text(change->way),
		    .rebuilt = change->is_rebuilt,
		    .text = change->text,
		    .line = change->line,
		};
	}
	result->id = modification.id;
	result->name = modification.name;
	result->way = slice_way_text(slice_diff_way(&modification.diff));
	result->changes = changes;
	result->n_changes = modification.diff.n;
	result->under_way = modification.is_under_way && !modification.is_plan;
	return true;
}
