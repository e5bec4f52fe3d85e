/*
 * Sections [link-type NAME].
 */
#include "snc/link_kinds.h"

#include <string.h>

#include "lib/base/vec.h"

static const char before[] = "link-type ";

/* Keys that are ours; all others are parameters of the plug-in. */
static bool
is_ours(const char *key)
{
	return !strcmp(key, "plugin") || !strcmp(key, "roles") || !strcmp(key, "enabled");
}

static struct slice_link_kind
read_kind(const struct conf *conf, const char *section, struct arena *arena)
{
	const char *enabled = conf_text(conf, section, "enabled");
	struct slice_link_kind kind = {
	    .subtype = section + strlen(before),
	    .plugin = conf_text(conf, section, "plugin"),
	    .roles = conf_text(conf, section, "roles"),
	    .is_enabled = !enabled || !strcmp(enabled, "yes"),
	};
	vec_of(const char *) config = {0};
	const char *key, *value;

	for (size_t i = 0; conf_each(conf, section, i, &key, &value); i++)
		if (!is_ours(key))
			vec_push(&config, arena_format(arena, "%s %s", key, value));
	kind.n_config = config.n;
	kind.config = (const char *const *)(void *)arena_copy(
	    arena, config.items, config.n * sizeof(config.items[0]));
	vec_done(&config);
	return kind;
}

void
link_kinds_read(const struct conf *conf, struct arena *arena, struct slice_world *world)
{
	vec_of(struct slice_link_kind) kinds = {0};
	const char *section;

	for (size_t i = 0; conf && conf_section(conf, before, i, &section); i++) {
		struct slice_link_kind kind = read_kind(conf, section, arena);

		if (kind.plugin)
			vec_push(&kinds, kind);
	}
	world->n_kinds = kinds.n;
	world->kinds = (const struct slice_link_kind *)(void *)arena_copy(
	    arena, kinds.items, kinds.n * sizeof(kinds.items[0]));
	vec_done(&kinds);
}
