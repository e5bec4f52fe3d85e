/*
 * A data plane in memory: keeps what it was told, carries nothing.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/vec.h"
#include "redirector/dataplane.h"

enum { TAPS = 8 };

typedef vec_of(struct dataplane_copy) copy_vec;

struct fake {
	vec_of(struct dataplane_link) links;
	pthread_mutex_t lock;            /* of the others */
	struct dataplane_tap taps[TAPS]; /* rid 0 = off */
	copy_vec copies;
	struct dataplane_taker taker;
};

static struct dataplane_link *
find(struct fake *fake, uint64_t rid)
{
	vec_each (link, &fake->links)
		if (link->rid == rid)
			return link;
	return NULL;
}

static bool
fake_watch(void *self, uint32_t underlay, struct err *err)
{
	(void)self, (void)underlay, (void)err;
	return true;
}

static bool
fake_keep(void *self, struct str *found, struct err *err)
{
	(void)self, (void)found, (void)err;
	return true;
}

static bool
fake_put(void *self, const struct dataplane_link *link, struct err *err)
{
	struct fake *fake = self;
	struct dataplane_link *slot = find(fake, link->rid);

	(void)err;
	if (!slot)
		slot = vec_add(&fake->links);
	*slot = *link;
	slot->end.values = NULL; /* the caller's */
	return true;
}

static bool
goes_the_same_way(const struct dataplane_link *a, const struct dataplane_link *b)
{
	return a->port == b->port && a->underlay == b->underlay && a->type == b->type &&
	       a->end.id == b->end.id && a->local == b->local && a->remote == b->remote &&
	       a->next_hop_address == b->next_hop_address && a->is_loop == b->is_loop &&
	       !memcmp(a->next_hop, b->next_hop, sizeof(a->next_hop)) &&
	       !memcmp(a->own, b->own, sizeof(a->own));
}

static bool
is_served_the_same(const struct dataplane_link *a, const struct dataplane_link *b)
{
	return a->mtu == b->mtu && a->is_open == b->is_open && a->is_receiving == b->is_receiving &&
	       a->class_handle == b->class_handle && a->excess_handle == b->excess_handle &&
	       a->first_handle == b->first_handle && a->first_dscp == b->first_dscp &&
	       a->police_bps == b->police_bps && a->police_ceil_bps == b->police_ceil_bps &&
	       a->police_burst_bytes == b->police_burst_bytes;
}

static bool
fake_is_there(void *self, const struct dataplane_link *link, struct err *err)
{
	const struct dataplane_link *found = find(self, link->rid);

	return (found && goes_the_same_way(found, link) && is_served_the_same(found, link)) ||
	       err_set(err, ERR_CONFLICT, "the data plane has other values");
}

static bool
fake_way(void *self, uint64_t rid, uint32_t port, struct dataplane_way *way, struct err *err)
{
	const struct dataplane_link *found = find(self, rid);

	if (!found || found->port != port)
		return err_set(err, ERR_NOT_FOUND, "the port has no entry");
	*way = (struct dataplane_way){
	    .underlay = found->underlay,
	    .remote = found->remote,
	    .is_open = found->is_open,
	};
	memcpy(way->next_hop, found->next_hop, sizeof(way->next_hop));
	return true;
}

static bool
fake_drop(void *self, uint64_t rid, struct err *err)
{
	struct fake *fake = self;
	struct dataplane_link *found = find(fake, rid);

	(void)err;
	if (found)
		*found = fake->links.items[--fake->links.n];
	return true;
}

static bool
fake_counters(void *self, uint64_t rid, struct dataplane_counters *counters, struct err *err)
{
	if (!find(self, rid))
		return err_set(err, ERR_NOT_FOUND, "there are no counters of this link end");
	*counters = (struct dataplane_counters){0};
	return true;
}

static bool
fake_strays(void *self, struct dataplane_strays *strays, struct err *err)
{
	(void)self, (void)err;
	*strays = (struct dataplane_strays){0};
	return true;
}

static bool
fake_delays(void *self, uint64_t rid, struct dataplane_delays *delays, struct err *err)
{
	const struct dataplane_link *found = find(self, rid);

	if (!found || !found->type || !(found->type->flags & LINK_STAMP))
		return err_set(err, ERR_NOT_FOUND, "it is no link end with stamps");
	*delays = (struct dataplane_delays){0};
	return true;
}

static bool
fake_list(void *self, struct arena *arena, const struct dataplane_held **held, size_t *n_held,
    struct err *err)
{
	const struct fake *fake = self;
	struct dataplane_held *all = arena_alloc(arena, fake->links.n * sizeof(*all));

	(void)err;
	for (size_t i = 0; i < fake->links.n; i++) {
		const struct dataplane_link *link = &fake->links.items[i];

		all[i] = (struct dataplane_held){
		    link->rid, link->underlay, link->class_handle, link->first_handle};
	}
	*held = all;
	*n_held = fake->links.n;
	return true;
}

static bool
fake_tap(void *self, unsigned nth, const struct dataplane_tap *tap, struct err *err)
{
	struct fake *fake = self;

	if (tap && !find(fake, tap->rid))
		return err_set(err, ERR_NOT_FOUND, "there is no such link end here");
	pthread_mutex_lock(&fake->lock);
	fake->taps[nth] = tap ? *tap : (struct dataplane_tap){0};
	pthread_mutex_unlock(&fake->lock);
	return true;
}

static bool
fake_copies_open(void *self, const struct dataplane_taker *taker, struct err *err)
{
	struct fake *fake = self;

	(void)err;
	fake->taker = *taker;
	return true;
}

/* Hands over what dataplane_fake_copy has left, in one look. */
static void
fake_copies_poll(void *self, int wait_ms)
{
	struct fake *fake = self;
	copy_vec copies;

	usleep((useconds_t)wait_ms * 1000);
	pthread_mutex_lock(&fake->lock);
	copies = fake->copies;
	fake->copies = (copy_vec){0};
	pthread_mutex_unlock(&fake->lock);
	vec_each (copy, &copies)
		fake->taker.copied(fake->taker.self, copy);
	vec_done(&copies);
}

static void
fake_copies_close(void *self)
{
	struct fake *fake = self;

	fake->taker = (struct dataplane_taker){0};
}

bool
dataplane_fake_copy(
    const struct dataplane *dataplane, uint64_t rid, const struct dataplane_copy *copy)
{
	struct fake *fake = dataplane->self;
	bool is_tapped = false;

	pthread_mutex_lock(&fake->lock);
	for (size_t i = 0; i < TAPS; i++) {
		struct dataplane_copy *left;

		if (fake->taps[i].rid != rid)
			continue;
		is_tapped = true;
		left = vec_add(&fake->copies);
		*left = *copy;
		left->serial = fake->taps[i].serial;
	}
	pthread_mutex_unlock(&fake->lock);
	return is_tapped;
}

static void
fake_free(void *self)
{
	struct fake *fake = self;

	vec_done(&fake->links);
	vec_done(&fake->copies);
	pthread_mutex_destroy(&fake->lock);
	free(fake);
}

static const struct dataplane_ops fake_ops = {
    .name = "fake",
    .watch = fake_watch,
    .is_watched = fake_watch,
    .keep = fake_keep,
    .put = fake_put,
    .is_there = fake_is_there,
    .way = fake_way,
    .drop = fake_drop,
    .counters = fake_counters,
    .strays = fake_strays,
    .delays = fake_delays,
    .list = fake_list,
    .tap = fake_tap,
    .copies_open = fake_copies_open,
    .copies_poll = fake_copies_poll,
    .copies_close = fake_copies_close,
    .free = fake_free,
};

void
dataplane_fake_open(struct dataplane *dataplane)
{
	struct fake *fake = xcalloc(1, sizeof(*fake));

	pthread_mutex_init(&fake->lock, NULL);
	*dataplane = (struct dataplane){.ops = &fake_ops, .self = fake};
}

const struct dataplane_link *
dataplane_fake_link(const struct dataplane *dataplane, uint64_t rid)
{
	return find(dataplane->self, rid);
}
