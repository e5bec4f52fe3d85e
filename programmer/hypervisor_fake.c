/*
 * A hypervisor in memory.
 */
#include "programmer/hypervisor_fake.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"

struct entry {
	enum node_form form;
	enum domain_state state;
	char name[DOMAIN_NAME_SIZE];
};

struct hypervisor_fake {
	struct map *entries; /* by name */
	bool is_cut;
	int n_starts;
};

struct hypervisor_fake *
hypervisor_fake_new(void)
{
	struct hypervisor_fake *fake = xcalloc(1, sizeof(*fake));

	fake->entries = map_new();
	return fake;
}

void
hypervisor_fake_free(struct hypervisor_fake *fake)
{
	void *entry;

	if (!fake)
		return;
	for (size_t at = 0; (entry = map_next(fake->entries, &at));)
		free(entry);
	map_free(fake->entries);
	free(fake);
}

void
hypervisor_fake_set(
    struct hypervisor_fake *fake, enum node_form form, const char *name, enum domain_state state)
{
	struct entry *entry;

	free(map_drop(fake->entries, name));
	if (state == DOMAIN_ABSENT)
		return;
	entry = xcalloc(1, sizeof(*entry));
	entry->form = form;
	entry->state = state;
	memcpy(entry->name, name, strnlen(name, sizeof(entry->name) - 1));
	map_put(fake->entries, name, entry);
}

enum domain_state
hypervisor_fake_get(struct hypervisor_fake *fake, const char *name)
{
	const struct entry *entry = map_get(fake->entries, name);

	return entry ? entry->state : DOMAIN_ABSENT;
}

void
hypervisor_fake_cut(struct hypervisor_fake *fake, bool is_cut)
{
	fake->is_cut = is_cut;
}

int
hypervisor_fake_starts(const struct hypervisor_fake *fake)
{
	return fake->n_starts;
}

static bool
is_reached(const struct hypervisor_fake *fake, struct err *err)
{
	return !fake->is_cut || err_set(err, ERR_WAIT, "the hypervisor is out of reach");
}

/* The domain of this form and name; NULL = there is none. */
static struct entry *
find(const struct hypervisor_fake *fake, enum node_form form, const char *name)
{
	struct entry *entry = map_get(fake->entries, name);

	return entry && entry->form == form ? entry : NULL;
}

static bool
fake_start(void *self, const struct domain *domain, struct err *err)
{
	struct hypervisor_fake *fake = self;

	if (!is_reached(fake, err))
		return false;
	if (find(fake, domain->form, domain->name))
		return true;
	fake->n_starts++;
	hypervisor_fake_set(fake, domain->form, domain->name,
	    domain->form == NODE_VM ? DOMAIN_PAUSED : DOMAIN_RUNNING);
	return true;
}

static bool
fake_resume(void *self, enum node_form form, const char *name, struct err *err)
{
	struct entry *entry = find(self, form, name);

	if (!is_reached(self, err))
		return false;
	if (!entry)
		return err_set(err, ERR_INTERNAL, "there is no domain '%s'", name);
	entry->state = DOMAIN_RUNNING;
	return true;
}

static bool
fake_stop(void *self, enum node_form form, const char *name, struct err *err)
{
	struct hypervisor_fake *fake = self;

	if (!is_reached(fake, err))
		return false;
	if (find(fake, form, name))
		hypervisor_fake_set(fake, form, name, DOMAIN_ABSENT);
	return true;
}

static bool
fake_look(
    void *self, enum node_form form, const char *name, struct domain_look *look, struct err *err)
{
	const struct entry *entry = find(self, form, name);

	if (!is_reached(self, err))
		return false;
	*look = (struct domain_look){.state = entry ? entry->state : DOMAIN_ABSENT};
	return true;
}

static bool
fake_list(void *self, hypervisor_each *each, void *each_self, struct err *err)
{
	const struct hypervisor_fake *fake = self;
	const struct entry *entry;

	if (!is_reached(fake, err))
		return false;
	for (size_t at = 0; (entry = map_next(fake->entries, &at));)
		each(each_self, entry->form, entry->name);
	return true;
}

static bool
fake_check(void *self, enum node_form form, struct str *found, struct err *err)
{
	str_addf(found, "a %s in memory", node_form_text(form));
	return is_reached(self, err);
}

struct hypervisor
hypervisor_fake(struct hypervisor_fake *fake)
{
	static const struct hypervisor_ops ops = {.start = fake_start,
	    .resume = fake_resume,
	    .stop = fake_stop,
	    .look = fake_look,
	    .list = fake_list,
	    .check = fake_check};

	return (struct hypervisor){&ops, fake};
}
