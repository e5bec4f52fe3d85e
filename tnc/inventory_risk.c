/*
 * What transport.xml says of links and routers besides where they lead: cost, the risk groups that
 * they fail with, when they are under maintenance.
 */
#include <string.h>

#include "lib/base/str.h"
#include "lib/base/vec.h"
#include "lib/base/when.h"
#include "tnc/inventory_part.h"

enum { COST_MAX = 1000000, NAME_MAX_LENGTH = 63, RISKS_OF_ONE_MAX = 64 };

/* Of each thing in turn its groups, as they are read. */
struct grouping {
	struct reading *reading;
	struct map *numbers; /* name of a group -> its number + 1 */
	vec_of(const char *) names;
	vec_of(unsigned) first, items;
};

static struct inventory_windows read_windows(
    struct reading *reading, const struct xml_element *element);
static void read_risk(struct grouping *grouping, const struct xml_element *element);
static struct ways_groups close_groups(struct grouping *grouping, size_t n_things);

static int64_t
read_cost(struct reading *reading, const struct xml_element *element)
{
	const char *text = xml_value(element, "cost");
	long long cost = 1;

	if (text && !str_to_i64(text, 1, COST_MAX, &cost))
		err_hint(xml_diagnose(reading->found, element, ERR_BAD_VALUE,
			     "cost '%.60s' is no whole number from 1 to %d", text, COST_MAX),
		    "cost=\"1\", as without it");
	return cost;
}

void
inventory_read_risks(struct reading *reading, const struct xml_element *root)
{
	struct inventory *inventory = reading->inventory;
	auto_map struct map *numbers = map_new();
	struct grouping grouping = {.reading = reading, .numbers = numbers};
	size_t n = 0;

	inventory->costs =
	    arena_alloc(inventory->arena, inventory->n_links * sizeof(inventory->costs[0]));
	xml_each (link, root, "link") {
		inventory->costs[n] = read_cost(reading, link);
		inventory->links[n++].maintenance = read_windows(reading, link);
		read_risk(&grouping, link);
	}
	inventory->link_risks = close_groups(&grouping, inventory->n_links);
	n = 0;
	xml_each (router, root, "router") {
		inventory->routers[n++].maintenance = read_windows(reading, router);
		read_risk(&grouping, router);
	}
	inventory->vertex_risks = close_groups(&grouping, inventory->graph.n_vertices);
	inventory->n_risks = grouping.names.n;
	inventory->risks = (void *)arena_copy(inventory->arena, grouping.names.items,
	    grouping.names.n * sizeof(grouping.names.items[0]));
	vec_done(&grouping.names);
}

/* ---- risk groups ----------------------------------------------------------------------------- */

static bool
is_name(const char *word)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t length = strlen(word);

	return length <= NAME_MAX_LENGTH && strspn(word, letters) && strspn(word, others) == length;
}

static unsigned
number_of(struct grouping *grouping, const char *name)
{
	uintptr_t number = (uintptr_t)map_get(grouping->numbers, name);

	if (!number) {
		vec_push(&grouping->names, name);
		number = grouping->names.n;
		map_put(grouping->numbers, name, (void *)number);
	}
	return (unsigned)number - 1;
}

static void
read_group(struct grouping *grouping, const struct xml_element *element, const char *name)
{
	diagnoses *found = grouping->reading->found;
	unsigned first = grouping->first.items[grouping->first.n - 1], number;

	if (!is_name(name)) {
		err_hint(xml_diagnose(found, element, ERR_X18, "risk '%.60s' is no name", name),
		    "a letter, then letters, digits, _ and -; several with a blank between");
		return;
	}
	number = number_of(grouping, name);
	for (size_t i = first; i < grouping->items.n; i++) {
		if (grouping->items.items[i] != number)
			continue;
		err_hint(xml_diagnose(found, element, ERR_X12, "risk '%s' is there twice", name),
		    "say it once");
		return;
	}
	vec_push(&grouping->items, number);
}

/* The groups of the next thing. */
static void
read_risk(struct grouping *grouping, const struct xml_element *element)
{
	const char *text = xml_value(element, "risk");
	char *rest = arena_text(grouping->reading->inventory->arena, text ? text : ""), *word;
	size_t n = 0;

	vec_push(&grouping->first, (unsigned)grouping->items.n);
	while ((word = strsep(&rest, " ")) && (text || *word)) {
		if (++n > RISKS_OF_ONE_MAX) {
			err_hint(xml_diagnose(grouping->reading->found, element, ERR_LIMIT,
				     "more than %d risks", RISKS_OF_ONE_MAX),
			    "one name for those that always fail together");
			return;
		}
		read_group(grouping, element, word);
	}
}

/* What has been read becomes the groups of n_things, the last of which may have none. */
static struct ways_groups
close_groups(struct grouping *grouping, size_t n_things)
{
	struct arena *arena = grouping->reading->inventory->arena;
	unsigned *first;

	while (grouping->first.n <= n_things)
		vec_push(&grouping->first, (unsigned)grouping->items.n);
	first =
	    (void *)arena_copy(arena, grouping->first.items, grouping->first.n * sizeof(first[0]));
	grouping->first.n = 0;
	struct ways_groups groups = {
	    first, (void *)arena_copy(arena, grouping->items.items,
		       grouping->items.n * sizeof(grouping->items.items[0]))};

	vec_done(&grouping->first);
	vec_done(&grouping->items);
	return groups;
}

/* ---- maintenance ----------------------------------------------------------------------------- */

static bool
read_instant(struct reading *reading, const struct xml_element *element, const char *attribute,
    int64_t *at_ms)
{
	const char *text = xml_value(element, attribute);
	struct err err = {0};

	if (text[0] != '+' && when_parse(text, 0, at_ms, &err))
		return true;
	if (text[0] == '+')
		err_set(&err, ERR_BAD_VALUE, "'%.60s' counts from nothing", text);
	err_hint(
	    xml_diagnose(reading->found, element, ERR_BAD_VALUE, "%s: %s", attribute, err.text),
	    "a day, a time and its zone: 2026-11-22T08:00Z");
	return false;
}

static struct inventory_windows
read_windows(struct reading *reading, const struct xml_element *element)
{
	struct arena *arena = reading->inventory->arena;
	size_t n = xml_count(element, "maintenance");
	struct inventory_window *windows = arena_alloc(arena, n * sizeof(windows[0])), *window;

	window = windows;
	xml_each (child, element, "maintenance") {
		bool has_start = read_instant(reading, child, "from", &window->from_ms);
		bool has_end = read_instant(reading, child, "until", &window->until_ms);

		if (has_start && has_end && window->until_ms <= window->from_ms)
			err_hint(xml_diagnose(reading->found, child, ERR_BAD_VALUE,
				     "it ends before it has begun"),
			    "from=\"%s\" until=\"%s\"", when_text(window->until_ms).text,
			    when_text(window->from_ms).text);
		window++;
	}
	return (struct inventory_windows){windows, n};
}
