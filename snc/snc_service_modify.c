/*
 * Handlers of the verbs that change a slice that is there: thin.
 */
#include "snc/optimise.h"
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

SNC_HANDLER(slice_optimise)
{
	struct slice_optimisation optimisation = {
	    .caller = service_caller(call),
	    .slice = args->slice,
	    .is_plan = args->plan,
	    .with_nodes = args->nodes,
	};
	struct snc_move *moves;

	if (!slice_optimise(self, &optimisation, call->arena, err))
		return false;
	moves = arena_alloc(call->arena, optimisation.n_moves * sizeof(moves[0]));
	for (size_t i = 0; i < optimisation.n_moves; i++) {
		const struct optimise_move *move = &optimisation.moves[i];

		moves[i] = (struct snc_move){
		    .slice_id = move->slice_id,
		    .slice = move->slice,
		    .owner = move->owner,
		    .kind = move->is_node ? "node" : "link",
		    .name = move->name,
		    .way = slice_way_text(move->way),
		    .from = move->from,
		    .to = move->to,
		    .gain_bps = move->gain_bps,
		    .gain_room = move->gain_room,
		    .under_way = move->is_under_way,
		    .reason = move->reason,
		};
	}
	result->moves = moves;
	result->n_moves = optimisation.n_moves;
	result->whole = optimisation.is_whole;
	return true;
}
