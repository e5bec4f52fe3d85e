/*
 * Stop: removes a node and all it may have left. Also: finds and removes what has no row.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "lib/base/vec.h"
#include "programmer/folder.h"
#include "programmer/root.h"
#include "programmer/sliver.h"
#include "programmer/tasks.h"

bool
sliver_stop(void *self, const struct row *row, struct err *err)
{
	return sliver_remove(self, row->rid, err);
}

bool
sliver_remove(struct programmer *programmer, uint64_t rid, struct err *err)
{
	const struct hypervisor *hypervisor = &programmer->hypervisor;
	auto_arena struct arena *arena = arena_new();
	const char *name = sliver_name(programmer, rid, arena);
	const char *folder =
	    arena_format(arena, "%s/%s", programmer->conf.folder, id_text(rid).text);
	struct node_note note;
	bool is_known = note_get(programmer, rid, &note);

	/* The row may be unreadable, and a stray has none: then both forms are looked for. */
	for (int form = NODE_CONTAINER; form <= NODE_VM; form++)
		if ((!is_known || form == (int)note.form) &&
		    !hypervisor->ops->stop(hypervisor->self, (enum node_form)form, name, err))
			return err_in(err, "node %s", name);
	FAULT_POINT("programmer.remove.domain.after");
	console_forget(programmer->consoles, rid);
	note_drop(programmer, rid);
	if (!root_remove(folder, err))
		return err_in(err, "node %s", name);
	FAULT_POINT("programmer.remove.root.after");
	return (folder_remove(folder, err) && tasks_forget(name, err)) ||
	       err_in(err, "node %s", name);
}

/* ---- strays ---------------------------------------------------------------------------------- */

struct listing {
	const struct programmer *programmer;
	vec_of(struct manager_object) objects;
};

static void
add_object(struct listing *listing, uint64_t rid, const char *name)
{
	struct manager_object *object = vec_add(&listing->objects);

	object->rid = rid;
	(void)snprintf(object->name, sizeof(object->name), "%.63s", name);
}

static void
add_domain(void *self, enum node_form form, const char *name)
{
	struct listing *listing = self;
	uint64_t rid;

	(void)form;
	if (sliver_name_rid(listing->programmer, name, &rid))
		add_object(listing, rid, name);
}

static bool
add_folders(struct listing *listing, struct err *err)
{
	const char *path = listing->programmer->conf.folder;
	DIR *folder = opendir(path);
	const struct dirent *member;
	uint64_t rid;

	if (!folder)
		return err_set(err, ERR_INTERNAL, "open '%s': %s", path, strerror(errno));
	while ((member = readdir(folder)))
		if (id_parse(member->d_name, &rid, NULL))
			add_object(listing, rid, member->d_name);
	closedir(folder);
	return true;
}

bool
sliver_list(void *self, struct arena *arena, const struct manager_object **objects,
    size_t *n_objects, struct err *err)
{
	struct programmer *programmer = self;
	const struct hypervisor *hypervisor = &programmer->hypervisor;
	struct listing listing = {.programmer = programmer};
	bool is_good = hypervisor->ops->list(hypervisor->self, add_domain, &listing, err) &&
		       add_folders(&listing, err);

	if (is_good && listing.objects.n) {
		size_t size = listing.objects.n * sizeof(*listing.objects.items);
		struct manager_object *copy = arena_alloc(arena, size);

		memcpy(copy, listing.objects.items, size);
		*objects = copy;
	}
	if (is_good)
		*n_objects = listing.objects.n;
	vec_done(&listing.objects);
	return is_good;
}

bool
sliver_sweep(void *self, const struct manager_object *object, struct err *err)
{
	struct programmer *programmer = self;
	const struct hypervisor *hypervisor = &programmer->hypervisor;

	if (object->rid)
		return sliver_remove(programmer, object->rid, err);
	return hypervisor->ops->stop(hypervisor->self, NODE_CONTAINER, object->name, err) &&
	       hypervisor->ops->stop(hypervisor->self, NODE_VM, object->name, err);
}
