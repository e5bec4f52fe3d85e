/*
 * What is in the kernel with our name on it, of every kind: each kind lists and sweeps its own, and
 * its objects are known by how their names begin.
 */
#include "redirector/strays.h"

#include <string.h>

#include "lib/base/vec.h"
#include "redirector/convert.h"
#include "redirector/hub.h"
#include "redirector/link.h"

static bool
conversions_listed(void *self, struct arena *arena, const struct manager_object **objects,
    size_t *n_objects, struct err *err)
{
	struct redirector *redirector = self;

	return conversion_list(&redirector->converter, arena, objects, n_objects, err);
}

static bool
conversions_swept(void *self, const struct manager_object *object, struct err *err)
{
	struct redirector *redirector = self;

	return conversion_sweep(&redirector->converter, object, err);
}

static const struct part {
	const char *prefix; /* of its objects' names; "" = of all that no other has */
	bool (*list)(void *self, struct arena *arena, const struct manager_object **objects,
	    size_t *n_objects, struct err *err);
	bool (*sweep)(void *self, const struct manager_object *object, struct err *err);
} parts[] = {{"hub ", hub_list, hub_sweep}, {"conversion ", conversions_listed, conversions_swept},
    {"", link_list, link_sweep}};

enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

bool
strays_list(void *self, struct arena *arena, const struct manager_object **objects,
    size_t *n_objects, struct err *err)
{
	vec_of(struct manager_object) all = {0};
	bool is_good = true;

	for (size_t i = 0; i < PARTS && is_good; i++) {
		const struct manager_object *found = NULL;
		size_t n_found = 0;

		is_good = parts[i].list(self, arena, &found, &n_found, err);
		for (size_t k = 0; is_good && k < n_found; k++)
			vec_push(&all, found[k]);
	}
	if (is_good) {
		*objects = (const struct manager_object *)(void *)arena_copy(
		    arena, all.items, all.n * sizeof(*all.items));
		*n_objects = all.n;
	}
	vec_done(&all);
	return is_good;
}

bool
strays_sweep(void *self, const struct manager_object *object, struct err *err)
{
	const struct part *part = parts;

	while (strncmp(object->name, part->prefix, strlen(part->prefix)) != 0)
		part++;
	return part->sweep(self, object, err);
}
