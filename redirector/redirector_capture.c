/*
 * Handlers of captures.
 */
#include <string.h>

#include "lib/base/id.h"
#include "lib/base/log.h"
#include "redirector/redirector_service.h"

enum { WAIT_MAX_MS = 30000 };

static bool
read_rid(const char *text, uint64_t *rid, struct err *err)
{
	return id_parse(text, rid, err) || err_in(err, "link end '%.20s'", text);
}

static bool
find_device(struct redirector *redirector, const char *name, uint32_t *index, struct err *err)
{
	struct device device;

	*index = 0;
	if (!name)
		return true;
	if (!device_find(redirector->netlink, name, &device, err))
		return err_in(err, "device '%.20s'", name);
	*index = device.index;
	return true;
}

static struct rpc_blob
blob_of(const struct str *from, struct arena *arena)
{
	return (struct rpc_blob){arena_copy(arena, str_text(from), from->len), from->len};
}

bool
service_capture_start(void *self, const struct rpc_call *call,
    const struct redirector_capture_start_args *args,
    struct redirector_capture_start_result *result, struct err *err)
{
	struct redirector *redirector = self;
	auto_str struct str head = {0};
	char id[TAP_ID_SIZE];
	struct tap_wish wish = {
	    .by = args->by ? args->by : call->name,
	    .filter = args->filter,
	    .name = args->name,
	    .comment = args->comment,
	    .interface = (uint32_t)args->interface,
	    .snaplen = args->snaplen,
	    .frames = args->frames,
	    .bytes = args->bytes,
	    .ms = args->ms,
	};

	if (args->interface < 0 || args->interface > UINT16_MAX)
		return err_set(err, ERR_BAD_VALUE, "interface is 0 to %d", UINT16_MAX);
	if (!read_rid(args->rid, &wish.rid, err) ||
	    !find_device(redirector, args->device, &wish.device, err) ||
	    !tap_start(redirector->taps, &wish, id, &head, err))
		return false;
	log_info("redirector", "event=capture rid=%s capture=%s by=%s@%s filter=\"%s\" device=%s",
	    args->rid, id, call->role, wish.by, args->filter, args->device ? args->device : "-");
	result->capture = arena_text(call->arena, id);
	result->head = blob_of(&head, call->arena);
	return true;
}

bool
service_capture_read(void *self, const struct rpc_call *call,
    const struct redirector_capture_read_args *args, struct redirector_capture_read_result *result,
    struct err *err)
{
	struct redirector *redirector = self;
	int64_t least_ms = args->wait_ms > 0 ? args->wait_ms : 0;
	struct tap_reading reading = {
	    .cursor = args->cursor,
	    .wait_ms = least_ms < WAIT_MAX_MS ? least_ms : WAIT_MAX_MS,
	};

	if (!read_rid(args->rid, &reading.rid, err) ||
	    !tap_read(redirector->taps, args->capture, &reading, err))
		return false;
	result->bytes = blob_of(&reading.bytes, call->arena);
	str_done(&reading.bytes);
	result->cursor = reading.cursor;
	result->ended = reading.is_ended;
	result->why = arena_text(call->arena, reading.why);
	result->seen = reading.n_seen;
	result->dropped = reading.n_dropped;
	return true;
}

bool
service_capture_stop(void *self, const struct rpc_call *call,
    const struct redirector_capture_stop_args *args, struct redirector_capture_stop_result *result,
    struct err *err)
{
	struct redirector *redirector = self;
	uint64_t rid;

	(void)call, (void)result;
	if (!read_rid(args->rid, &rid, err))
		return false;
	tap_stop(redirector->taps, rid, args->capture);
	return true;
}
