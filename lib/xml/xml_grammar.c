/*
 * One walk over the tree beside the tables. What is found is sorted by line at the end, because a
 * missing child is known only when all are seen.
 */
#include "lib/xml/xml_grammar.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/nearest.h"

enum { NAME_MAX_LENGTH = 63, VALUE_MAX_LENGTH = 4096, KINDS_MAX = 8 /* of children */ };

struct walk {
	struct arena *arena;
	diagnoses *found;
};

static void check_element(
    struct walk *walk, struct xml_element *element, const struct xml_rule *rule);
static void check_attributes(
    struct walk *walk, const struct xml_element *element, const struct xml_rule *rule);
static void check_value(struct walk *walk, const struct xml_element *element,
    const struct xml_attribute_rule *rule, const char *value);
static void check_counts(
    struct walk *walk, const struct xml_element *element, const struct xml_rule *rule);
static void check_children(
    struct walk *walk, const struct xml_element *element, const struct xml_rule *rule);
static void check_child(
    struct walk *walk, struct xml_element *child, const struct xml_child_rule *rule);
static void check_twin(struct walk *walk, struct xml_element *child,
    const struct xml_child_rule *rule, struct map *seen);
static const char *xpath_of(
    struct walk *walk, const struct xml_element *element, const struct xml_child_rule *rule);

bool
xml_check(
    struct xml_element *root, const struct xml_rule *rule, struct arena *arena, diagnoses *found)
{
	struct walk walk = {arena, found};
	size_t before = found->n;

	root->xpath = arena_format(arena, "/%s", root->name);
	if (strcmp(root->name, rule->name) != 0)
		xml_diagnose(found, root, ERR_X02, "the root element is '%.100s', '%s' is wanted",
		    root->name, rule->name);
	else
		check_element(&walk, root, rule);
	diagnoses_sort(found);
	return diagnoses_errors(found, before) == 0;
}

struct err *
xml_diagnose(diagnoses *found, const struct xml_element *element, enum err_code code,
    const char *format, ...)
{
	const struct xml_element *named = element;
	struct err *entry;
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	entry = diagnose(found, element->line, element->xpath, code, "%s", text);
	while (named->parent && !xml_value(named, "name"))
		named = named->parent;
	if (xml_value(named, "name"))
		err_subject(entry, "%.60s '%.80s'", named->name, xml_value(named, "name"));
	else
		err_subject(entry, "%.60s", element->name);
	return entry;
}

static void
check_element(struct walk *walk, struct xml_element *element, const struct xml_rule *rule)
{
	check_attributes(walk, element, rule);
	check_counts(walk, element, rule);
	if (element->text_line) {
		struct err *entry = xml_diagnose(
		    walk->found, element, ERR_X05, "text is not allowed inside '%s'", rule->name);

		if (entry)
			entry->line = element->text_line;
	}
	check_children(walk, element, rule);
}

/* ---- attributes ---- */

static const struct xml_attribute_rule *
find_attribute_rule(const struct xml_rule *rule, const char *name)
{
	for (const struct xml_attribute_rule *at = rule->attributes; at && at->name; at++)
		if (!strcmp(at->name, name))
			return at;
	return NULL;
}

static void
refuse_attribute(struct walk *walk, const struct xml_element *element, const struct xml_rule *rule,
    const char *name)
{
	struct err *entry = xml_diagnose(
	    walk->found, element, ERR_X05, "'%s' has no attribute '%.100s'", rule->name, name);
	struct nearest nearest = {.word = name};

	for (const struct xml_attribute_rule *at = rule->attributes; at && at->name; at++)
		nearest_offer(&nearest, at->name);
	if (nearest.best)
		err_hint(entry, "did you mean '%s'?", nearest.best);
}

static void
check_attributes(struct walk *walk, const struct xml_element *element, const struct xml_rule *rule)
{
	for (const struct xml_attribute_rule *at = rule->attributes; at && at->name; at++)
		if (!at->is_optional && !xml_value(element, at->name))
			xml_diagnose(walk->found, element, at->missing ? at->missing : ERR_X04,
			    "'%s' needs the attribute '%s'", rule->name, at->name);
	for (size_t i = 0; i < element->n_attributes; i++) {
		const struct xml_attribute *attribute = &element->attributes[i];
		const struct xml_attribute_rule *wanted =
		    find_attribute_rule(rule, attribute->name);

		if (wanted)
			check_value(walk, element, wanted, attribute->value);
		else
			refuse_attribute(walk, element, rule, attribute->name);
	}
}

/* ---- values ---- */

static bool
is_name(const char *text, const char *others)
{
	size_t len = 0;

	if (!isascii(*text) || !isalpha((unsigned char)*text))
		return false;
	for (; text[len]; len++)
		if (!isascii(text[len]) ||
		    (!isalnum((unsigned char)text[len]) && !strchr(others, text[len])))
			return false;
	return len <= NAME_MAX_LENGTH;
}

static size_t
count_characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xC0) != 0x80;
	return n;
}

static bool
is_one_of(const char *words, const char *text, size_t len)
{
	for (size_t step; *words; words += step) {
		words += strspn(words, " ");
		step = strcspn(words, " ");
		if (step == len && len && !memcmp(words, text, len))
			return true;
	}
	return false;
}

static bool
are_all_of(const char *words, const char *text)
{
	for (size_t len; *text; text += len) {
		text += strspn(text, " ");
		len = strcspn(text, " ");
		if (len && !is_one_of(words, text, len))
			return false;
	}
	return true;
}

static bool
has_form(const struct xml_attribute_rule *rule, const char *value)
{
	switch (rule->form) {
	case XML_FORM_TEXT:
		return count_characters(value) <= VALUE_MAX_LENGTH;
	case XML_FORM_NAME:
		return is_name(value, "_-");
	case XML_FORM_REF:
		return is_name(value, "_-") || !strcmp(value, "_parent");
	case XML_FORM_KEY:
		return is_name(value, "_-.");
	case XML_FORM_WORD:
		return is_one_of(rule->words, value, strlen(value));
	case XML_FORM_WORDS:
		return are_all_of(rule->words, value);
	}
	return false;
}

static void
check_value(struct walk *walk, const struct xml_element *element,
    const struct xml_attribute_rule *rule, const char *value)
{
	static const char *const forms[XML_FORM_WORDS + 1] = {
	    [XML_FORM_TEXT] = "at most 4096 characters",
	    [XML_FORM_NAME] = "a letter, then letters, digits, '_' and '-', at most 63",
	    [XML_FORM_REF] = "a letter, then letters, digits, '_' and '-', at most 63; or _parent",
	    [XML_FORM_KEY] = "a letter, then letters, digits, '_', '-' and '.', at most 63",
	    [XML_FORM_WORD] = "a word",
	    [XML_FORM_WORDS] = "words",
	};
	enum err_code code = rule->wrong ? rule->wrong : ERR_X18;
	struct nearest nearest = {.word = value};
	struct err *entry;
	size_t len;

	if (has_form(rule, value))
		return;
	if (!rule->words) {
		xml_diagnose(walk->found, element, code,
		    "%s '%.100s' of '%s' has not the form of one: %s", rule->name, value,
		    element->name, forms[rule->form]);
		return;
	}
	entry = xml_diagnose(walk->found, element, code, "%s '%.100s' of '%s' is not %s: %s",
	    rule->name, value, element->name, rule->form == XML_FORM_WORDS ? "made of" : "one of",
	    rule->words);
	len = nearest_offer_words(&nearest, rule->words);
	if (nearest.best)
		err_hint(entry, "did you mean '%.*s'?", (int)len, nearest.best);
}

/* ---- children ---- */

static const struct xml_child_rule *
child_rule(const struct xml_rule *rule, const char *name)
{
	const struct xml_child_rule *at = rule->children;

	while (at && at->rule && strcmp(at->rule->name, name) != 0)
		at++;
	return at && at->rule ? at : NULL;
}

/* The valid name that an unknown child is nearest to; NULL when none is near. */
static const char *
meant_child(const struct xml_rule *rule, const char *name)
{
	struct nearest nearest = {.word = name};

	for (const struct xml_child_rule *at = rule->children; at && at->rule; at++)
		nearest_offer(&nearest, at->rule->name);
	return nearest.best;
}

/* Is a child there whose name is a slip for the given one? It is refused, and explains the lack. */
static bool
is_misspelt(const struct xml_element *element, const struct xml_rule *rule, const char *name)
{
	for (const struct xml_element *child = element->children; child; child = child->next) {
		const char *meant =
		    child_rule(rule, child->name) ? NULL : meant_child(rule, child->name);

		if (meant && !strcmp(meant, name))
			return true;
	}
	return false;
}

static void
check_counts(struct walk *walk, const struct xml_element *element, const struct xml_rule *rule)
{
	for (const struct xml_child_rule *child = rule->children; child && child->rule; child++) {
		size_t n = child->min ? xml_count(element, child->rule->name) : 0;

		if (n < child->min && !is_misspelt(element, rule, child->rule->name))
			xml_diagnose(walk->found, element, child->few ? child->few : ERR_X08,
			    "'%s' needs %s%u '%s', there %s %zu", rule->name,
			    child->min == child->max ? "" : "at least ", child->min,
			    child->rule->name, n == 1 ? "is" : "are", n);
	}
}

static void
refuse_child(struct walk *walk, struct xml_element *child, const struct xml_rule *rule)
{
	const char *meant = meant_child(rule, child->name);
	struct err *entry;

	child->xpath = arena_format(walk->arena, "%s/%s", child->parent->xpath, child->name);
	entry = xml_diagnose(walk->found, child, ERR_X05, "element '%.100s' is not allowed in '%s'",
	    child->name, rule->name);
	if (meant)
		err_hint(entry, "did you mean '%s'?", meant);
}

static void
check_children(struct walk *walk, const struct xml_element *element, const struct xml_rule *rule)
{
	const struct xml_child_rule *reached = rule->children;
	unsigned counts[KINDS_MAX] = {0};
	auto_map struct map *seen = map_new();

	for (struct xml_element *child = element->children; child; child = child->next) {
		const struct xml_child_rule *at = child_rule(rule, child->name);

		if (!at) {
			refuse_child(walk, child, rule);
			continue;
		}
		assert(at - rule->children < KINDS_MAX);
		child->index = ++counts[at - rule->children];
		child->xpath = xpath_of(walk, child, at);
		if (rule->is_ordered && at < reached)
			xml_diagnose(walk->found, child, ERR_X05, "'%s' must stand before '%s'",
			    at->rule->name, reached->rule->name);
		else
			reached = at;
		check_twin(walk, child, at, seen);
		check_child(walk, child, at);
	}
}

static void
check_child(struct walk *walk, struct xml_element *child, const struct xml_child_rule *rule)
{
	if (child->index <= rule->max) {
		check_element(walk, child, rule->rule);
		return;
	}
	if (child->index > rule->max + 1)
		return; /* said once */
	if (rule->max == 1)
		xml_diagnose(walk->found, child, rule->many ? rule->many : ERR_X05,
		    "a second '%s' in '%s'", child->name, child->parent->name);
	else
		xml_diagnose(walk->found, child, rule->many ? rule->many : ERR_X08,
		    "more than %u '%s' in '%s'", rule->max, child->name, child->parent->name);
}

static void
check_twin(struct walk *walk, struct xml_element *child, const struct xml_child_rule *rule,
    struct map *seen)
{
	const char *key = rule->twin ? xml_value(child, rule->key) : NULL;
	const struct xml_element *first = key ? map_get(seen, key) : NULL;

	if (first)
		xml_diagnose(walk->found, child, rule->twin,
		    "%s '%.100s' is given twice, first in line %u", rule->key, key, first->line);
	else if (key)
		map_put(seen, key, child);
}

static const char *
xpath_of(struct walk *walk, const struct xml_element *element, const struct xml_child_rule *rule)
{
	const char *key = rule->key ? xml_value(element, rule->key) : NULL;
	const char *above = element->parent->xpath;

	if (rule->max == 1)
		return arena_format(walk->arena, "%s/%s", above, element->name);
	if (key && is_name(key, "_-."))
		return arena_format(
		    walk->arena, "%s/%s[@%s='%s']", above, element->name, rule->key, key);
	return arena_format(walk->arena, "%s/%s[%u]", above, element->name, element->index);
}
