/*
 * Links whose type is not built in. Operational stage: the operator has given a name to a plug-in
 * and fixed parameters, and says who may use it. Experimental stage: the document names the plug-in
 * itself.
 */
#include <string.h>

#include "lib/base/nearest.h"
#include "lib/model/slice_check.h"

/* Is it one of the blank-separated words? */
static bool
has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (; *words; words += strcspn(words, " ")) {
		words += strspn(words, " ");
		if (strcspn(words, " ") == len && !memcmp(words, word, len))
			return true;
	}
	return false;
}

/* Overhead and id from what the hosts say of the type. */
static bool
carry(const struct check *check, struct slice_link *link, const char *type, const char *subject)
{
	const struct slice_world *world = check->world;
	struct nearest nearest = {.word = type};
	struct err *entry;

	for (size_t i = 0; i < world->n_carriers; i++) {
		const struct slice_carrier *known = &world->carriers[i];

		if (!strcmp(known->type, type)) {
			link->carrier.type = known->type;
			link->carrier.overhead = known->overhead;
			link->carrier.id_bits = known->id_bits;
			link->carrier.is_whole = known->is_whole;
			return true;
		}
		nearest_offer(&nearest, known->type);
	}
	entry = slice_refuse(
	    check, &link->where, ERR_S13, subject, "no host has a link type '%.40s'", type);
	if (nearest.best)
		err_hint(entry, "did you mean '%s'?", nearest.best);
	else
		err_hint(entry, "put the plug-in %.40s.so on the hosts that are to have such links",
		    type);
	return false;
}

/* ---- experimental ---------------------------------------------------------------------------- */

static bool
is_own_key(const char *key)
{
	return slice_key_find(slice_link_keys("extension", ""), key) != NULL;
}

/* Params that are no keys of links are parameters of the plug-in. */
static void
take_params(const struct check *check, struct slice_link *link)
{
	const struct slice_pairs *params = &link->params;
	const char **config = arena_alloc(check->world->arena, params->n * sizeof(*config));
	size_t n = 0;

	for (size_t i = 0; i < params->n; i++)
		if (!is_own_key(params->items[i].key))
			config[n++] = arena_format(check->world->arena, "%s %s",
			    params->items[i].key, params->items[i].value);
	link->carrier.config = config;
	link->carrier.n_config = n;
}

static bool
check_experimental(const struct check *check, struct slice_link *link, const char *subject)
{
	const struct slice_pair *plugin = slice_pair_find(&link->params, "dpPlugin");

	if (!slice_check_experiment(check, &link->where, subject))
		return false;
	if (strcmp(link->subtype, "experimental") != 0) {
		slice_refuse_type(check, &link->where, subject,
		    &(struct slice_type[]){
			{.type = "extension", .subtype = "experimental"}, {0}}[0],
		    link->type, link->subtype);
		return false;
	}
	if (!plugin) {
		err_hint(slice_refuse(check, &link->where, ERR_S07, subject,
			     "the param 'dpPlugin' is missing"),
		    "add <param key=\"dpPlugin\" value=\"…\"/>: the name of a link type");
		return false;
	}
	take_params(check, link);
	return carry(check, link, plugin->value, subject);
}

/* ---- operational ------------------------------------------------------------------------------
 */

static const struct slice_link_kind *
find_kind(const struct slice_world *world, const char *subtype)
{
	for (size_t i = 0; i < world->n_kinds; i++)
		if (!strcmp(world->kinds[i].subtype, subtype))
			return &world->kinds[i];
	return NULL;
}

bool
slice_check_carrier(const struct check *check, struct slice_link *link, const char *subject)
{
	const struct slice_link_kind *kind;

	if (!strcmp(link->type, "extension"))
		return check_experimental(check, link, subject);
	kind = strcmp(link->type, "link") != 0 ? NULL : find_kind(check->world, link->subtype);
	if (!kind) {
		slice_refuse_type(
		    check, &link->where, subject, slice_link_types, link->type, link->subtype);
		return false;
	}
	if (!kind->is_enabled || (kind->roles && !has_word(kind->roles, check->world->role))) {
		slice_refuse(check, &link->where, ERR_S05, subject,
		    kind->is_enabled ? "subtype '%s' is not for your role"
				     : "subtype '%s' is switched off at the moment",
		    link->subtype);
		return false;
	}
	link->carrier.config = kind->config;
	link->carrier.n_config = kind->n_config;
	return carry(check, link, kind->plugin, subject);
}
