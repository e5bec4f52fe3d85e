/*
 * May a link end be held? Pure but for the book: rates of the port, its keys, its classes.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/model/units.h"
#include "redirector/bpf/redirect_abi.h"
#include "redirector/link.h"

/* What the other rows of the same underlay port have taken. */
struct taken {
	int64_t rate_bps;
	size_t n_links;
	uint32_t slice_class; /* of our slice; 0 = none yet */
	unsigned char classes[SHAPER_LAST + 1];
};

static bool
take_one(struct taken *taken, const struct link_end *end, const char *owner,
    const struct link_end *other, const char *other_owner, struct err *err)
{
	if (other->port == end->port)
		return err_set(
		    err, ERR_CONFLICT, "port %s has another link end already", end->spec.port);
	if (other->underlay != end->underlay)
		return true;
	if (other->spec.key == end->spec.key)
		return err_set(err, ERR_R04, "key %lld is in use on port '%s' of another link end",
		    (long long)end->spec.key, end->underlay->name);
	taken->rate_bps += other->spec.rate_bps;
	taken->classes[other->class] = taken->classes[other->slice_class] = 1;
	if (str_equal(other->spec.slice, end->spec.slice) && str_equal(owner, other_owner))
		taken->slice_class = other->slice_class;
	return true;
}

static bool
take_all(const struct redirector *redirector, const struct row *row, const struct link_end *end,
    const struct manager_book *book, struct taken *taken, struct err *err)
{
	for (size_t i = 0; i < book->n_rows; i++) {
		const struct row *other = &book->rows[i];
		auto_arena struct arena *arena = arena_new();
		struct link_end there;

		if (other->rid == row->rid || strcmp(other->kind, row->kind) != 0)
			continue;
		taken->n_links++;
		/* A port that the configuration has lost is charged nowhere. */
		if (!link_read(redirector, other, arena, &there, NULL) || !there.class)
			continue;
		if (!take_one(taken, end, row->owner, &there, other->owner, err))
			return false;
	}
	return true;
}

static uint32_t
class_free(struct taken *taken)
{
	for (uint32_t minor = SHAPER_FIRST; minor <= SHAPER_LAST; minor++) {
		if (taken->classes[minor])
			continue;
		taken->classes[minor] = 1;
		return minor;
	}
	return 0;
}

static bool
check_rate(const struct redirector *redirector, const struct link_end *end,
    const struct taken *taken, struct err *err)
{
	int64_t free_bps = end->underlay->rate_bps - taken->rate_bps;

	if (end->spec.rate_bps <= free_bps)
		return true;
	err_set(err, ERR_R02, "port '%s' of %s: %s wanted, %s of %s left", end->underlay->name,
	    redirector->host, rate_text(end->spec.rate_bps).text,
	    rate_text(free_bps > 0 ? free_bps : 0).text, rate_text(end->underlay->rate_bps).text);
	return err_hint(err, "ask for less, or for another port");
}

bool
link_admit(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err)
{
	const struct redirector *redirector = self;
	auto_free struct taken *taken = xcalloc(1, sizeof(*taken));
	auto_arena struct arena *arena = arena_new();
	struct link_end end;
	uint32_t class;

	(void)txn;
	if (!link_read(redirector, row, arena, &end, err) ||
	    !take_all(redirector, row, &end, book, taken, err) ||
	    !check_rate(redirector, &end, taken, err))
		return false;
	if (!taken->slice_class)
		taken->slice_class = class_free(taken);
	class = taken->slice_class ? class_free(taken) : 0;
	if (!class || taken->n_links >= REDIRECT_LINKS_MAX)
		return err_set(err, ERR_R04, "port '%s' of %s has no class left for a link end",
		    end.underlay->name, redirector->host);
	str_addf(result, "class=%u\nslice_class=%u\n", class, taken->slice_class);
	return true;
}
