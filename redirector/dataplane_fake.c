/*
 * A data plane in memory: keeps what it was told, carries nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "redirector/dataplane.h"

struct fake {
	vec_of(struct dataplane_link) links;
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
fake_put(void *self, const struct dataplane_link *link, struct err *err)
{
	struct fake *fake = self;
	struct dataplane_link *slot = find(fake, link->rid);

	(void)err;
	if (!slot)
		slot = vec_add(&fake->links);
	*slot = *link;
	return true;
}

static bool
fake_get(void *self, uint64_t rid, uint32_t port, struct dataplane_link *link, struct err *err)
{
	const struct dataplane_link *found = find(self, rid);

	if (!found || found->port != port)
		return err_set(err, ERR_NOT_FOUND, "the port has no entry");
	*link = *found;
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
fake_list(void *self, struct arena *arena, const struct dataplane_link **links, size_t *n_links,
    struct err *err)
{
	struct fake *fake = self;

	(void)err;
	*n_links = fake->links.n;
	*links = (const struct dataplane_link *)(void *)arena_copy(
	    arena, fake->links.items, fake->links.n * sizeof(*fake->links.items));
	return true;
}

static void
fake_free(void *self)
{
	struct fake *fake = self;

	vec_done(&fake->links);
	free(fake);
}

static const struct dataplane_ops fake_ops = {
    .name = "fake",
    .watch = fake_watch,
    .put = fake_put,
    .get = fake_get,
    .drop = fake_drop,
    .counters = fake_counters,
    .strays = fake_strays,
    .list = fake_list,
    .free = fake_free,
};

void
dataplane_fake_open(struct dataplane *dataplane)
{
	*dataplane = (struct dataplane){.ops = &fake_ops, .self = xcalloc(1, sizeof(struct fake))};
}
