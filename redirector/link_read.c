/*
 * From a row's texts to a link end, with everything checked that the texts alone can tell.
 */
#include <string.h>

#include "lib/base/id.h"
#include "redirector/link.h"

enum { MTU_MIN = 68, MTU_MAX = 65000 };

static const int64_t rate_max_bps = 1000000000000;

static bool
read_result(const char *result, struct arena *arena, struct link_end *end, struct err *err)
{
	const char *class = result ? spec_value(result, "class", arena) : NULL;
	const char *slice_class = result ? spec_value(result, "slice_class", arena) : NULL;
	long long minor, slice_minor;

	if (!result)
		return true;
	if (!str_to_i64(class, SHAPER_FIRST, SHAPER_LAST, &minor) ||
	    !str_to_i64(slice_class, SHAPER_FIRST, SHAPER_LAST, &slice_minor))
		return err_set(err, ERR_INTERNAL, "the row has no class of the shaper");
	end->class = (uint32_t)minor;
	end->slice_class = (uint32_t)slice_minor;
	return true;
}

static bool
check_numbers(const struct link_end_spec *spec, struct err *err)
{
	if (spec->key < 0 || spec->key > UINT32_MAX)
		return err_set(err, ERR_BAD_VALUE, "key=%lld is no GRE key", (long long)spec->key);
	if (spec->mtu < MTU_MIN || spec->mtu > MTU_MAX)
		return err_set(err, ERR_BAD_VALUE, "mtu=%lld is not within %d and %d",
		    (long long)spec->mtu, MTU_MIN, MTU_MAX);
	if (spec->rate_bps < 0 || spec->ceil_bps < spec->rate_bps || spec->ceil_bps < 8 ||
	    spec->ceil_bps > rate_max_bps)
		return err_set(err, ERR_BAD_VALUE,
		    "rate_bps=%lld with ceil_bps=%lld: not 0 <= rate <= ceiling",
		    (long long)spec->rate_bps, (long long)spec->ceil_bps);
	if (spec->burst_bytes < 0 || spec->burst_bytes > INT32_MAX)
		return err_set(err, ERR_BAD_VALUE, "burst_bytes=%lld is not acceptable",
		    (long long)spec->burst_bytes);
	return true;
}

static bool
check_isolation(const struct link_end_spec *spec, struct err *err)
{
	bool is_best_effort = str_equal(spec->isolation, "besteffort");

	if (!is_best_effort && !str_equal(spec->isolation, "shaping"))
		return err_set(err, ERR_BAD_VALUE, "isolation=%.20s is not shaping or besteffort",
		    spec->isolation ? spec->isolation : "");
	if (is_best_effort && spec->rate_bps)
		return err_set(err, ERR_BAD_VALUE, "best effort with a guaranteed rate");
	return true;
}

bool
link_read(const struct redirector *redirector, const struct row *row, struct arena *arena,
    struct link_end *end, struct err *err)
{
	struct link_end found = {.rid = row->rid};

	if (!spec_parse(&link_end_spec_table, row->spec, arena, &found.spec, err))
		return false;
	if (!found.spec.slice || !found.spec.underlay)
		return err_set(err, ERR_BAD_VALUE, "link_end: slice or underlay is missing");
	if (!id_parse(found.spec.port, &found.port, err) || !check_numbers(&found.spec, err) ||
	    !check_isolation(&found.spec, err))
		return err_in(err, "link_end");
	found.underlay = redirector_underlay(redirector, found.spec.underlay);
	if (!found.underlay)
		return err_set(err, ERR_NOT_FOUND, "%s has no underlay port '%.20s'",
		    redirector->host, found.spec.underlay);
	if (!spec_parse(
		&link_end_attr_spec_table, row->attr ? row->attr : "", arena, &found.attr, err) ||
	    !read_result(row->result, arena, &found, err))
		return false;
	*end = found;
	return true;
}
