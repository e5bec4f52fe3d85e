/*
 * Each sliver by itself: is its type known and built, are its keys the type's, does its image
 * exist.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/nearest.h"
#include "lib/model/slice_check.h"

#define MEMORY_DEFAULT_BYTES ((int64_t)512 << 20)

static void check_link(
    const struct check *check, const struct scope *scope, struct slice_link *link);
static void check_node(
    const struct check *check, const struct scope *scope, struct slice_node *node);
static void check_vports(
    const struct check *check, const struct slice_vport *vports, size_t n, const char *subject);
static void check_keys(const struct check *check, const struct slice_key *keys,
    const struct slice_pairs *pairs, bool is_param, const char *subject);
static void check_mandatory(const struct check *check, const struct slice_key *keys,
    const struct slice_node *node, const char *subject);
static void refuse_modes(
    const struct check *check, const struct slice_pairs *pairs, const char *subject);
static void check_image(const struct check *check, struct slice_node *node, const char *subject);

void
slice_check_slivers(const struct check *check, const struct scope *scope)
{
	for (size_t i = 0; i < scope->body->n_links; i++)
		check_link(check, scope, &scope->body->links[i]);
	for (size_t i = 0; i < scope->body->n_nodes; i++)
		check_node(check, scope, &scope->body->nodes[i]);
}

/* ---- types ---- */

/* A definition that names plug-ins itself. */
bool
slice_check_experiment(
    const struct check *check, const struct slice_where *where, const char *subject)
{
	if (slice_role_is_operator(check->world->role) || !strcmp(check->world->role, "vendor"))
		return true;
	slice_refuse(check, where, ERR_S06, subject,
	    "an experimental definition (type 'extension') is for operators and vendors");
	return false;
}

static void
refuse_extension(const struct check *check, const struct slice_where *where, const char *subject)
{
	if (slice_check_experiment(check, where, subject))
		slice_refuse_planned(check, where, ERR_S05, subject, "type 'extension' for a node");
}

void
slice_refuse_type(const struct check *check, const struct slice_where *where, const char *subject,
    const struct slice_type *types, const char *type, const char *subtype)
{
	struct nearest nearest = {.word = subtype};
	struct err *entry = slice_refuse(check, where, ERR_S05, subject,
	    "there is no type '%s' with subtype '%s'", type, subtype);

	for (; entry && types->type; types++)
		nearest_offer(&nearest, types->subtype);
	if (nearest.best)
		err_hint(entry, "did you mean '%s'?", nearest.best);
}

static void
check_link(const struct check *check, const struct scope *scope, struct slice_link *link)
{
	struct slice_subject subject = slice_subject_of("link", link->name);
	const struct slice_type *type =
	    slice_type_find(slice_link_types, link->type, link->subtype);
	const struct slice_key *keys = slice_link_keys(link->type, link->subtype);

	check_vports(check, link->vports, link->n_vports, subject.text);
	if (type && type->is_planned && !scope->outer)
		slice_refuse(check, &link->where, ERR_S10, subject.text,
		    "subtype 'internal' stands only inside a hierarchy");
	else if (type && type->is_planned)
		slice_refuse_planned(
		    check, &link->where, ERR_S05, subject.text, "subtype 'internal'");
	if (!type && !slice_check_carrier(check, link, subject.text))
		return;
	check_keys(check, keys, &link->resources, false, subject.text);
	/* The params of an experimental definition are its plug-in's, which reads them itself. */
	if (strcmp(link->type, "extension") != 0)
		check_keys(check, keys, &link->params, true, subject.text);
}

static void
check_instance(const struct check *check, struct slice_node *node, const char *subject)
{
	const struct slice_type *type =
	    slice_type_find(slice_node_types, node->type, node->subtype);
	char what[160];

	if (!strcmp(node->type, "extension")) {
		refuse_extension(check, &node->instance_where, subject);
		return;
	}
	if (!type) {
		slice_refuse_type(check, &node->instance_where, subject, slice_node_types,
		    node->type, node->subtype);
		return;
	}
	if (type->is_planned) {
		snprintf(
		    what, sizeof(what), "type '%s' with subtype '%s'", type->type, type->subtype);
		slice_refuse_planned(check, &node->instance_where, ERR_S05, subject, what);
	}
	check_mandatory(check, type->keys, node, subject);
	check_keys(check, type->keys, &node->resources, false, subject);
	check_keys(check, type->keys, &node->params, true, subject);
	refuse_modes(check, &node->params, subject);
	if (!type->is_planned)
		check_image(check, node, subject);
}

static void
check_node(const struct check *check, const struct scope *scope, struct slice_node *node)
{
	struct slice_subject subject = slice_subject_of("node", node->name);

	check_vports(check, node->vports, node->n_vports, subject.text);
	if (node->has_instance == (node->hierarchy != NULL))
		slice_refuse(check, &node->where, ERR_S01, subject.text,
		    node->hierarchy ? "it has both an instance and a hierarchy"
				    : "it has neither an instance nor a hierarchy");
	if (node->hierarchy && scope->outer)
		slice_refuse(check, &node->where, ERR_S10, subject.text,
		    "a hierarchy inside a hierarchy; one level is all there is");
	else if (node->hierarchy)
		slice_refuse_planned(check, &node->where, ERR_S05, subject.text, "a hierarchy");
	if (node->has_instance)
		check_instance(check, node, subject.text);
}

/* ---- vports ---- */

/* 02:00:00:00:10:01: six bytes, locally administered, one receiver. */
static bool
is_local_mac(const char *text)
{
	for (size_t i = 0; i < 17; i++)
		if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
			return false;
	return !text[17] && strchr("26aAeE", text[1]);
}

static void
check_mac(const struct check *check, const struct slice_pair *pair, const char *subject)
{
	if (!slice_role_is_operator(check->world->role) &&
	    strcmp(check->world->role, "vendor") != 0)
		slice_refuse(check, &pair->where, ERR_S06, subject,
		    "an address of its own for a vport ('mac') is for operators and vendors");
	if (!is_local_mac(pair->value))
		slice_refuse(check, &pair->where, ERR_S15, subject,
		    "mac '%.40s' is not a locally administered unicast address", pair->value);
	else if (map_put(check->macs, pair->value, check->macs))
		slice_refuse(
		    check, &pair->where, ERR_S15, subject, "mac '%s' is given twice", pair->value);
	slice_refuse_planned(check, &pair->where, ERR_S07, subject, "param 'mac'");
}

static void
check_vports(
    const struct check *check, const struct slice_vport *vports, size_t n, const char *subject)
{
	for (size_t i = 0; i < n; i++) {
		const struct slice_pair *mac = slice_pair_find(&vports[i].params, "mac");

		check_keys(check, slice_vport_keys, &vports[i].params, true, subject);
		if (mac)
			check_mac(check, mac, subject);
	}
}

/* ---- keys ---- */

static void
refuse_key(const struct check *check, const struct slice_key *keys, const struct slice_pair *pair,
    bool is_param, const char *subject)
{
	const struct slice_key *other = slice_key_find(keys, pair->key);
	struct nearest nearest = {.word = pair->key};
	struct err *entry = slice_refuse(check, &pair->where, ERR_S07, subject,
	    other ? "'%s' is not a %s here" : "it has no key '%s' as %s", pair->key,
	    is_param ? "param" : "resource");

	if (other) {
		err_hint(entry, "write it as a %s", is_param ? "resource" : "param");
		return;
	}
	for (; entry && keys->key; keys++)
		nearest_offer(&nearest, keys->key);
	if (nearest.best)
		err_hint(entry, "did you mean '%s'?", nearest.best);
}

static void
check_keys(const struct check *check, const struct slice_key *keys, const struct slice_pairs *pairs,
    bool is_param, const char *subject)
{
	char what[100];

	for (size_t i = 0; i < pairs->n; i++) {
		const struct slice_pair *pair = &pairs->items[i];
		const struct slice_key *key = slice_key_find(keys, pair->key);

		snprintf(
		    what, sizeof(what), "%s '%.70s'", is_param ? "param" : "resource", pair->key);
		if (!key || key->is_param != is_param)
			refuse_key(check, keys, pair, is_param, subject);
		else if (key->is_for_operators && !slice_role_is_operator(check->world->role))
			slice_refuse(
			    check, &pair->where, ERR_S07, subject, "%s is for operators", what);
		else if (key->is_planned)
			slice_refuse_planned(check, &pair->where, ERR_S07, subject, what);
	}
}

static void
check_mandatory(const struct check *check, const struct slice_key *keys,
    const struct slice_node *node, const char *subject)
{
	for (; keys->key; keys++) {
		struct err *entry;

		if (!keys->is_mandatory ||
		    slice_pair_find(keys->is_param ? &node->params : &node->resources, keys->key))
			continue;
		entry = slice_refuse(check, &node->instance_where, ERR_S07, subject,
		    "the %s '%s' is missing", keys->is_param ? "param" : "resource", keys->key);
		err_hint(entry, "add <%s key=\"%s\" value=\"%s…\"/>",
		    keys->is_param ? "param" : "resource", keys->key,
		    keys->words ? keys->words : "");
	}
}

/* Values of known keys that stand for something that is not built. */
static void
refuse_modes(const struct check *check, const struct slice_pairs *pairs, const char *subject)
{
	static const struct {
		const char *key, *value; /* value: as a whole; a prefix when it ends in '.' */
	} planned[] = {{"netio", "onload"}, {"userData", "cred."}};

	for (size_t i = 0; i < sizeof(planned) / sizeof(planned[0]); i++) {
		const struct slice_pair *pair = slice_pair_find(pairs, planned[i].key);
		size_t len = strlen(planned[i].value);
		char what[100];

		if (!pair || strncmp(pair->value, planned[i].value, len) != 0 ||
		    (planned[i].value[len - 1] != '.' && pair->value[len]))
			continue;
		snprintf(what, sizeof(what), "%s '%.60s'", pair->key, pair->value);
		slice_refuse_planned(check, &pair->where, ERR_S07, subject, what);
	}
}

/* ---- images ---- */

static const struct slice_image *
find_image(const struct slice_world *world, const char *name)
{
	for (size_t i = 0; i < world->n_images; i++)
		if (!strcmp(world->images[i].name, name))
			return &world->images[i];
	return NULL;
}

static void
refuse_image(const struct check *check, const struct slice_node *node,
    const struct slice_pair *pair, const char *subject)
{
	struct nearest nearest = {.word = node->image};
	struct err *entry;

	if (strchr(node->image, '@')) {
		slice_refuse_planned(
		    check, &pair->where, ERR_S07, subject, "a version of an image ('@')");
		return;
	}
	entry = slice_refuse(
	    check, &pair->where, ERR_S13, subject, "there is no image '%.100s'", node->image);
	for (size_t i = 0; entry && i < check->world->n_images; i++)
		nearest_offer(&nearest, check->world->images[i].name);
	if (nearest.best)
		err_hint(entry, "did you mean 'image:%s'?", nearest.best);
	else
		err_hint(entry, "'vnode host list' shows the images that there are");
}

/* The image says what it is made for and how much memory it wants, unless the document does. */
static void
check_image(const struct check *check, struct slice_node *node, const char *subject)
{
	const struct slice_pair *pair = slice_pair_find(&node->params, "bootImage");
	const struct slice_image *image =
	    node->image ? find_image(check->world, node->image) : NULL;

	if (!pair || !node->image)
		return;
	if (!image) {
		refuse_image(check, node, pair, subject);
		return;
	}
	if (node->form == SLICE_FORM_IMAGE)
		node->form = image->form;
	else if (node->form != image->form)
		slice_refuse(check, &pair->where, ERR_S13, subject,
		    "image '%s' is one for a %s, virtualization says %s", image->name,
		    image->form == SLICE_FORM_VM ? "vm" : "container",
		    node->form == SLICE_FORM_VM ? "vm" : "container");
	if (!node->memory_bytes)
		node->memory_bytes =
		    image->memory_bytes ? image->memory_bytes : MEMORY_DEFAULT_BYTES;
}
