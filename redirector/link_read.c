/*
 * From a row's texts to a link end, with everything checked that the texts alone can tell.
 */
#include <string.h>

#include "lib/base/id.h"
#include "redirector/link.h"
#include "redirector/link_types.h"

enum { MTU_MIN = 68, MTU_MAX = 65000, RATE_MIN_BPS = 8, PRIORITY_MAX = 7 };

static const int64_t rate_max_bps = 1000000000000;

static bool
read_per(const char *text, enum shaper_per *per)
{
	*per = SHAPER_PER_LINK;
	if (str_equal(text, "node"))
		*per = SHAPER_PER_NODE;
	else if (str_equal(text, "slice"))
		*per = SHAPER_PER_SLICE;
	else
		return !text;
	return true;
}

static bool
read_result(const char *result, struct arena *arena, struct link_end *end, struct err *err)
{
	const char *number, *slice_number, *per;
	long long at, slice_at;

	if (!result)
		return true;
	end->is_reserved = true;
	if (end->peer)
		return true;
	number = spec_value(result, "class", arena);
	slice_number = spec_value(result, "slice_class", arena);
	per = spec_value(result, "per", arena);
	if (!number || !str_to_i64(number, SHAPER_FIRST, SHAPER_LAST, &at) || !slice_number ||
	    !str_to_i64(slice_number, SHAPER_PORT, SHAPER_LAST, &slice_at) ||
	    (slice_at != SHAPER_PORT && slice_at < SHAPER_FIRST) || !read_per(per, &end->per))
		return err_set(err, ERR_INTERNAL, "the row has no class of the shaper");
	end->number = (uint32_t)at;
	end->slice_number = (uint32_t)slice_at;
	return true;
}

static bool
check_spec(const struct link_end_spec *spec, struct err *err)
{
	if (!spec->slice)
		return err_set(err, ERR_BAD_VALUE, "slice is missing");
	if (spec->key < 0)
		return err_set(err, ERR_S08, "key=%lld is no id", (long long)spec->key);
	if (spec->mtu < MTU_MIN || spec->mtu > MTU_MAX)
		return err_set(err, ERR_BAD_VALUE, "mtu=%lld is not within %d and %d",
		    (long long)spec->mtu, MTU_MIN, MTU_MAX);
	if (spec->rate_bps < 0 || spec->rate_bps > rate_max_bps)
		return err_set(err, ERR_BAD_VALUE, "rate_bps=%lld cannot be reserved",
		    (long long)spec->rate_bps);
	if (spec->queue && !str_equal(spec->queue, "none"))
		return err_set(err, ERR_BAD_VALUE, "queue=%.20s is not none", spec->queue);
	return true;
}

/* Inside of a host there need not be a ceiling. */
static bool
is_ceiling(const struct link_end *end, int64_t rate_bps, int64_t ceil_bps)
{
	if (end->peer && !ceil_bps)
		return true;
	return ceil_bps >= rate_bps && ceil_bps >= RATE_MIN_BPS && ceil_bps <= rate_max_bps;
}

static bool
check_rates(const struct link_end *end, struct err *err)
{
	const struct link_end_attr_spec *attr = &end->attr;
	const struct link_end_spec *spec = &end->spec;

	if (attr->rate_bps < 0 || !is_ceiling(end, attr->rate_bps, attr->ceil_bps))
		return err_set(err, ERR_BAD_VALUE,
		    "rate_bps=%lld with ceil_bps=%lld: not 0 <= rate <= ceiling",
		    (long long)attr->rate_bps, (long long)attr->ceil_bps);
	if (attr->rate_bps > spec->rate_bps)
		return err_set(err, ERR_BAD_VALUE,
		    "rate_bps=%lld is more than the %lld that are reserved",
		    (long long)attr->rate_bps, (long long)spec->rate_bps);
	if (attr->burst_bytes < 0 || attr->burst_bytes > INT32_MAX)
		return err_set(err, ERR_BAD_VALUE, "burst_bytes=%lld is not acceptable",
		    (long long)attr->burst_bytes);
	if (attr->priority < 0 || attr->priority > PRIORITY_MAX)
		return err_set(err, ERR_BAD_VALUE, "priority=%lld is not within 0 and %d",
		    (long long)attr->priority, PRIORITY_MAX);
	return true;
}

static bool
check_open(const char *open, struct err *err)
{
	return !open || str_equal(open, "on") || str_equal(open, "off") ||
	       str_equal(open, "receive") ||
	       err_set(err, ERR_BAD_VALUE, "open=%.20s is not on, off or receive", open);
}

static bool
read_mode(const struct link_end_attr_spec *attr, enum shaper_mode *mode, struct err *err)
{
	static const char *const words[] = {[SHAPER_SHAPING] = "shaping",
	    [SHAPER_POLICING] = "policing",
	    [SHAPER_BESTEFFORT] = "besteffort"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!str_equal(attr->isolation, words[i]))
			continue;
		if (i == SHAPER_BESTEFFORT && attr->rate_bps)
			return err_set(err, ERR_BAD_VALUE, "best effort with a guaranteed rate");
		*mode = (enum shaper_mode)i;
		return true;
	}
	return err_set(err, ERR_BAD_VALUE, "isolation=%.20s is not shaping, policing or besteffort",
	    attr->isolation ? attr->isolation : "");
}

/* From port to port: nothing between them could have a key, a path or parameters. */
static bool
read_internal(struct link_end *end, struct err *err)
{
	const struct link_end_spec *spec = &end->spec;

	if (spec->underlay || spec->key || spec->config.n)
		return err_set(
		    err, ERR_BAD_VALUE, "type internal has no underlay, key and parameters");
	if (!spec->peer)
		return err_set(err, ERR_BAD_VALUE, "type internal without a peer");
	if (!id_parse(spec->peer, &end->peer, err))
		return false;
	return end->peer != end->port ||
	       err_set(err, ERR_BAD_VALUE, "port %s is its own peer", spec->port);
}

static bool
read_type(
    const struct redirector *redirector, struct arena *arena, struct link_end *end, struct err *err)
{
	const struct link_end_spec *spec = &end->spec;

	if (str_equal(spec->type, "internal"))
		return read_internal(end, err);
	if (!spec->underlay || spec->peer)
		return err_set(
		    err, ERR_BAD_VALUE, "underlay is missing, or peer= is not for this type");
	end->type = link_types_find(redirector->types, spec->type ? spec->type : "gre", err);
	return end->type &&
	       link_type_read(end->type, (uint64_t)spec->key, &spec->config, arena, &end->id, err);
}

/* Before the first commit a row has none. */
static bool
read_attributes(const char *text, struct arena *arena, struct link_end *end, struct err *err)
{
	if (!text || !*text)
		return true;
	if (!spec_parse(&link_end_attr_spec_table, text, arena, &end->attr, err))
		return false;
	if (!check_open(end->attr.open, err) || !check_rates(end, err) ||
	    !read_mode(&end->attr, &end->mode, err))
		return err_in(err, "link_end");
	end->has_attr = true;
	return true;
}

bool
link_read(const struct redirector *redirector, const struct row *row, struct arena *arena,
    struct link_end *end, struct err *err)
{
	struct link_end found = {.rid = row->rid};

	if (!spec_parse(&link_end_spec_table, row->spec, arena, &found.spec, err))
		return false;
	if (!id_parse(found.spec.port, &found.port, err) ||
	    (found.spec.instead && !id_parse(found.spec.instead, &found.instead, err)) ||
	    !check_spec(&found.spec, err) || !read_type(redirector, arena, &found, err))
		return err_in(err, "link_end");
	if (!found.peer)
		found.underlay = redirector_underlay(redirector, found.spec.underlay);
	if (!found.peer && !found.underlay)
		return err_set(err, ERR_NOT_FOUND, "%s has no underlay port '%.20s'",
		    redirector->host, found.spec.underlay);
	if (!read_attributes(row->attr, arena, &found, err) ||
	    !read_result(row->result, arena, &found, err))
		return false;
	*end = found;
	return true;
}
