/*
 * Handlers of captures: sncd checks whose link it is and where it ends, the host does the work.
 */
#include "lib/api/redirector_api.h"
#include "snc/link_ends.h"
#include "snc/peers.h"
#include "snc/snc_service.h"

enum { WAIT_MAX_MS = 30000, ANSWER_MS = 5000 };

/* Which end of which link. */
struct wanted {
	const char *slice, *link, *end; /* NULL = the first */
};

static bool
is_end(const struct link_end_place *place, const char *end)
{
	return !end || str_equal(place->name, end) || str_equal(place->spec.node, end);
}

static bool
refuse_end(const struct wanted *wanted, const struct link_end_places *places, struct err *err)
{
	err_set(err, ERR_NOT_FOUND, "link '%s' does not end at '%s'", wanted->link, wanted->end);
	return err_hint(err, "its ends are %s and %s", places->items[0].name,
	    places->items[places->n - 1].name);
}

static bool
find(struct snc *snc, const struct rpc_call *call, const struct wanted *wanted,
    struct link_end_place *place, struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	struct link_end_places places = {.link = wanted->link};
	struct snc_caller caller = service_caller(call);
	struct slice_record record;

	if (!snc_find_slice(&caller, txn, wanted->slice, call->arena, &record, err) ||
	    !link_ends_find(snc, txn, &record, call->arena, &places, err))
		return false;
	for (size_t i = 0; i < places.n; i++)
		if (is_end(&places.items[i], wanted->end)) {
			*place = places.items[i];
			return true;
		}
	return refuse_end(wanted, &places, err);
}

static bool
done(struct snc *snc, const struct link_end_place *place, bool is_good, struct err *err)
{
	if (peers_note(snc, place->manager, is_good, err))
		return true;
	return err->code == ERR_BAD_VALUE ? false : err_in(err, "%s", place->manager);
}

SNC_HANDLER(capture_start)
{
	struct snc *snc = self;
	struct wanted wanted = {args->slice, args->link, args->end};
	struct snc_caller caller = service_caller(call);
	struct redirector_capture_start_result got;
	struct redirector_capture_start_args to = {
	    .interface = args->interface,
	    .filter = args->filter,
	    .snaplen = args->snaplen,
	    .frames = args->frames,
	    .bytes = args->bytes,
	    .ms = args->ms,
	    .device = args->device,
	    .by = caller.name,
	};
	struct link_end_place place = {0};
	struct rpc_client client;

	if (args->device && !snc_is_operator(&caller))
		return err_set(
		    err, ERR_FORBIDDEN, "copies to a device of the host are for noc and admin");
	if (!find(snc, call, &wanted, &place, err) ||
	    !peers_client(snc, place.manager, ANSWER_MS, &client, err))
		return false;
	to.rid = place.rid_text;
	to.name = place.name;
	to.comment = arena_format(
	    call->arena, "link %s at %s on %s", place.spec.link, place.name, place.host);
	if (!done(snc, &place, redirector_capture_start_call(&client, call->arena, &to, &got, err),
		err))
		return false;
	*result = (struct snc_capture_start_result){place.name, place.host, got.capture, got.head};
	return true;
}

SNC_HANDLER(capture_read)
{
	struct snc *snc = self;
	struct wanted wanted = {args->slice, args->link, args->end};
	int64_t least_ms = args->wait_ms > 0 ? args->wait_ms : 0;
	int64_t wait_ms = least_ms < WAIT_MAX_MS ? least_ms : WAIT_MAX_MS;
	struct redirector_capture_read_result got;
	struct link_end_place place = {0};
	struct rpc_client client;

	if (!find(snc, call, &wanted, &place, err) ||
	    !peers_client(snc, place.manager, (int)wait_ms + ANSWER_MS, &client, err) ||
	    !done(snc, &place,
		redirector_capture_read_call(&client, call->arena,
		    &(struct redirector_capture_read_args){
			place.rid_text, args->capture, args->cursor, wait_ms},
		    &got, err),
		err))
		return false;
	*result = (struct snc_capture_read_result){
	    got.bytes, got.cursor, got.ended, got.why, got.seen, got.dropped};
	return true;
}

SNC_HANDLER(capture_stop)
{
	struct snc *snc = self;
	struct wanted wanted = {args->slice, args->link, args->end};
	struct redirector_capture_stop_result got;
	struct link_end_place place = {0};
	struct rpc_client client;

	(void)result;
	return find(snc, call, &wanted, &place, err) &&
	       peers_client(snc, place.manager, ANSWER_MS, &client, err) &&
	       done(snc, &place,
		   redirector_capture_stop_call(&client, call->arena,
		       &(struct redirector_capture_stop_args){place.rid_text, args->capture}, &got,
		       err),
		   err);
}
