/*
 * Pass 2a: keys with units become typed values, and what was left out gets its default. Keys that a
 * type does not have are slice_check's to refuse.
 */
#include <string.h>

#include "lib/model/slice_keys.h"

enum { MTU_DEFAULT = 1500 };

static void fill_link(struct slice_link *link, diagnoses *found);
static void fill_node(struct slice_node *node, struct arena *arena, diagnoses *found);

static void
fill_body(struct slice_body *body, struct arena *arena, diagnoses *found)
{
	for (size_t i = 0; i < body->n_links; i++)
		fill_link(&body->links[i], found);
	for (size_t i = 0; i < body->n_nodes; i++)
		fill_node(&body->nodes[i], arena, found);
}

bool
slice_defaults(struct slice *slice, struct arena *arena, diagnoses *found)
{
	size_t before = found->n;

	fill_body(&slice->body, arena, found);
	diagnoses_sort(found);
	return diagnoses_errors(found, before) == 0;
}

/* What is being read: the sliver's values, and how to speak of it. */
struct reading {
	const char *kind, *name;
	const struct slice_key *keys;
	diagnoses *found;
};

static void
refuse(const struct reading *reading, const struct slice_pair *pair, const char *text)
{
	struct err *entry = diagnose(reading->found, pair->where.line, pair->where.xpath, ERR_S08,
	    "%s '%s': %s: %s", reading->kind, reading->name, pair->key, text);

	err_subject(entry, "%s '%s'", reading->kind, reading->name);
}

/* The value of a key, when it is there and good. */
static bool
read_value(
    const struct reading *reading, const struct slice_pairs *pairs, const char *key, int64_t *value)
{
	const struct slice_pair *pair = slice_pair_find(pairs, key);
	const struct slice_key *row = slice_key_find(reading->keys, key);
	struct err err;
	int64_t number;

	if (!pair || !row)
		return false;
	if (!slice_key_value(row, pair->value, &number, &err)) {
		refuse(reading, pair, err.text);
		return false;
	}
	*value = number;
	return true;
}

/* Values that nothing is made of yet are held to their form all the same. */
static void
check_rest(const struct reading *reading, const struct slice_pairs *pairs, const char *const *read)
{
	for (size_t i = 0; i < pairs->n; i++) {
		const char *const *known = read;
		int64_t ignored;

		while (*known && strcmp(*known, pairs->items[i].key) != 0)
			known++;
		if (!*known)
			(void)read_value(reading, pairs, pairs->items[i].key, &ignored);
	}
}

/* ---- links ---- */

static void
fill_rates(struct slice_link *link, const struct reading *reading)
{
	const struct slice_pairs *pairs = &link->resources;
	bool has_up = slice_pair_find(pairs, "bandwidthUp");
	bool has_down = slice_pair_find(pairs, "bandwidthDown");
	const struct slice_pair *both = slice_pair_find(pairs, "bandwidth");
	const struct slice_pair *most = slice_pair_find(pairs, "maxBandwidth");

	if (read_value(reading, pairs, "bandwidth", &link->rate_up_bps))
		link->rate_down_bps = link->rate_up_bps;
	if (both && (has_up || has_down))
		refuse(reading, both, "not together with bandwidthUp or bandwidthDown");
	else if (has_up != has_down)
		refuse(reading, slice_pair_find(pairs, has_up ? "bandwidthUp" : "bandwidthDown"),
		    "bandwidthUp and bandwidthDown go together");
	(void)read_value(reading, pairs, "bandwidthUp", &link->rate_up_bps);
	(void)read_value(reading, pairs, "bandwidthDown", &link->rate_down_bps);
	link->ceil_up_bps = link->rate_up_bps;
	link->ceil_down_bps = link->rate_down_bps;
	if (!most || !read_value(reading, pairs, "maxBandwidth", &link->ceil_up_bps))
		return;
	link->ceil_down_bps = link->ceil_up_bps;
	if (link->ceil_up_bps < link->rate_up_bps || link->ceil_up_bps < link->rate_down_bps)
		refuse(reading, most, "below the guaranteed rate");
}

static void
fill_isolation(struct slice_link *link, const struct reading *reading)
{
	const struct slice_pair *pair = slice_pair_find(&link->resources, "isolation");
	int64_t isolation =
	    link->rate_up_bps || link->rate_down_bps ? SLICE_SHAPING : SLICE_BESTEFFORT;

	if (pair && read_value(reading, &link->resources, "isolation", &isolation)) {
		bool has_rate = slice_pair_find(&link->resources, "bandwidth") ||
				slice_pair_find(&link->resources, "bandwidthUp");

		if (isolation == SLICE_BESTEFFORT && has_rate)
			refuse(reading, pair, "best effort guarantees no rate; take the rate away");
		else if (isolation != SLICE_BESTEFFORT && !has_rate)
			refuse(reading, pair, "a guaranteed rate is wanted for this");
	}
	link->isolation = (enum slice_isolation)isolation;
}

static void
fill_link(struct slice_link *link, diagnoses *found)
{
	static const char *const read[] = {"bandwidth", "bandwidthUp", "bandwidthDown",
	    "maxBandwidth", "burst", "latency", "isolation", "priority", "mtu", NULL};
	const struct slice_type *type =
	    slice_type_find(slice_link_types, link->type, link->subtype);
	const struct slice_key *keys = slice_link_keys(link->type, link->subtype);
	struct reading reading = {"link", link->name, keys, found};

	link->mtu = MTU_DEFAULT;
	if (type)
		link->carrier = type->carrier;
	fill_rates(link, &reading);
	fill_isolation(link, &reading);
	(void)read_value(&reading, &link->resources, "latency", &link->latency_us);
	(void)read_value(&reading, &link->resources, "priority", &link->priority);
	(void)read_value(&reading, &link->params, "mtu", &link->mtu);
	if (read_value(&reading, &link->resources, "burst", &link->burst_bytes) &&
	    link->burst_bytes < link->mtu)
		refuse(&reading, slice_pair_find(&link->resources, "burst"), "less than one MTU");
	check_rest(&reading, &link->resources, read);
	check_rest(&reading, &link->params, read);
}

/* ---- nodes ---- */

static const char *
text_of(const struct slice_node *node, const char *key, const char *fallback)
{
	const struct slice_pair *pair = slice_pair_find(&node->params, key);

	return pair ? pair->value : fallback;
}

static void
fill_slow_path(struct slice_node *node, const struct reading *reading, struct arena *arena)
{
	static const char *const read[] = {
	    "cpu", "memory", "disk", "cpuShare", "iops", "virtualization", NULL};
	const char *image = text_of(node, "bootImage", NULL);
	int64_t ppm = 0, form = 0;

	(void)read_value(reading, &node->resources, "cpu", &node->cpu);
	(void)read_value(reading, &node->resources, "memory", &node->memory_bytes);
	(void)read_value(reading, &node->resources, "disk", &node->disk_bytes);
	(void)read_value(reading, &node->resources, "iops", &node->iops);
	if (read_value(reading, &node->resources, "cpuShare", &ppm)) {
		node->cpu_share = ppm / 1000;
		if (!node->cpu_share)
			refuse(reading, slice_pair_find(&node->resources, "cpuShare"),
			    "less than 0.1%");
	}
	if (read_value(reading, &node->params, "virtualization", &form))
		node->form = form == 0 ? SLICE_FORM_VM : SLICE_FORM_CONTAINER;
	node->kernel_args = text_of(node, "kernelArgs", "");
	node->user_data = text_of(node, "userData", "");
	if (image && !strncmp(image, "image:", 6))
		node->image = arena_text(arena, image + 6);
	check_rest(reading, &node->resources, read);
	check_rest(reading, &node->params, read);
}

static void
fill_node(struct slice_node *node, struct arena *arena, diagnoses *found)
{
	const struct slice_type *type =
	    node->has_instance ? slice_type_find(slice_node_types, node->type, node->subtype)
			       : NULL;
	struct reading reading = {"node", node->name, type ? type->keys : NULL, found};
	static const char *const nothing[] = {NULL};

	node->cpu = 1;
	node->kernel_args = node->user_data = "";
	node->form = SLICE_FORM_IMAGE;
	if (node->hierarchy)
		fill_body(node->hierarchy, arena, found);
	if (type && !strcmp(type->subtype, "SlowPath_VM")) {
		fill_slow_path(node, &reading, arena);
	} else if (type) {
		check_rest(&reading, &node->resources, nothing);
		check_rest(&reading, &node->params, nothing);
	}
	reading.keys = slice_access_point_keys;
	for (size_t i = 0; i < node->n_access_points; i++)
		check_rest(&reading, &node->access_points[i].params, nothing);
}
