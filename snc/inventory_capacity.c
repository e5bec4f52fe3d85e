/*
 * Capacity lines into hosts and images.
 */
#include "snc/inventory_capacity.h"

#include <stdlib.h>
#include <string.h>

#include "lib/model/spec.h"

/* Walks the lines; key and value in arena. */
static bool
next_line(const char **at, struct arena *arena, const char **key, const char **value)
{
	for (;;) {
		size_t len = strcspn(*at, "\n");
		char *line = arena_copy(arena, *at, len);
		char *equals = strchr(line, '=');

		if (!**at)
			return false;
		*at += len + ((*at)[len] == '\n');
		if (!equals)
			continue;
		*equals = '\0';
		*key = line;
		*value = equals + 1;
		return true;
	}
}

static int64_t
number(const char *text)
{
	long long value;

	return str_to_i64(text, 0, INT64_MAX / 4, &value) ? value : 0;
}

/* The NAME of "port.NAME.rate_bps"; NULL for other keys. */
static char *
port_name(const char *key, struct arena *arena)
{
	static const char before[] = "port.", after[] = ".rate_bps";
	size_t len = strlen(key), around = sizeof(before) - 1 + sizeof(after) - 1;

	if (len <= around || strncmp(key, before, sizeof(before) - 1) != 0 ||
	    strcmp(key + len - (sizeof(after) - 1), after) != 0)
		return NULL;
	return arena_copy(arena, key + sizeof(before) - 1, len - around);
}

static void
add_port(struct substrate_host *host, const char *name, int64_t rate_bps, struct arena *arena)
{
	struct substrate_port *ports;

	if (str_equal(name, "loop0") || str_equal(name, "loop1")) { /* alike */
		host->loop_rate_bps = rate_bps;
		host->loop_free_bps[0] = host->loop_free_bps[1] = rate_bps;
		return;
	}
	ports = arena_alloc(arena, (host->n_ports + 1) * sizeof(ports[0]));
	if (host->n_ports)
		memcpy(ports, host->ports, host->n_ports * sizeof(ports[0]));
	ports[host->n_ports] = (struct substrate_port){name, rate_bps, rate_bps, -1};
	host->ports = ports;
	host->n_ports++;
}

static void
add_name(const char ***names, size_t *n, const char *name, struct arena *arena)
{
	const char **longer = arena_alloc(arena, (*n + 1) * sizeof(longer[0]));

	if (*n)
		memcpy(longer, *names, *n * sizeof(longer[0]));
	longer[(*n)++] = name;
	*names = longer;
}

void
capacity_read(const char *lines, struct arena *arena, struct substrate_host *host)
{
	const char *key, *value;

	while (next_line(&lines, arena, &key, &value)) {
		const char *port = port_name(key, arena);

		if (port)
			add_port(host, port, number(value), arena);
		else if (strncmp(key, "image.", 6) == 0)
			add_name(&host->images, &host->n_images, key + 6, arena);
		else if (strncmp(key, "link_type.", 10) == 0)
			add_name(&host->link_types, &host->n_link_types, key + 10, arena);
		else if (strcmp(key, "cpu") == 0)
			host->cpu = host->cpu_free = number(value);
		else if (strcmp(key, "memory_bytes") == 0)
			host->memory_bytes = host->memory_free_bytes = number(value);
		else if (strcmp(key, "disk_bytes") == 0)
			host->disk_bytes = host->disk_free_bytes = number(value);
	}
}

static bool
has_image(const struct capacity_images *images, const char *name)
{
	for (size_t i = 0; i < images->n; i++)
		if (strcmp(images->items[i].name, name) == 0)
			return true;
	return false;
}

void
capacity_images(const char *lines, struct arena *arena, struct capacity_images *images)
{
	const char *key, *value;

	while (next_line(&lines, arena, &key, &value)) {
		const char *colon = strchr(value, ':');
		bool is_container = strncmp(value, "container", 9) == 0;

		if (strncmp(key, "image.", 6) != 0 || has_image(images, key + 6))
			continue;
		vec_push(images, ((struct slice_image){key + 6,
				     is_container ? SLICE_FORM_CONTAINER : SLICE_FORM_VM,
				     colon ? number(colon + 1) : 0}));
	}
}

void
capacity_carriers(const char *lines, struct arena *arena, struct capacity_carriers *carriers)
{
	const char *key, *value;

	while (next_line(&lines, arena, &key, &value)) {
		const char *colon = strchr(value, ':'), *last = strrchr(value, ':');
		struct slice_carrier carrier = {0};
		bool is_known = false;

		if (strncmp(key, "link_type.", 10) != 0 || !colon)
			continue;
		carrier.type = key + 10;
		carrier.overhead = number(arena_copy(arena, value, (size_t)(colon - value)));
		carrier.is_whole = !strcmp(last, ":whole");
		carrier.id_bits = number(arena_copy(arena, colon + 1, strcspn(colon + 1, ":")));
		vec_each (item, carriers)
			is_known = is_known || !strcmp(item->type, carrier.type);
		if (!is_known)
			vec_push(carriers, carrier);
	}
}

const char *
capacity_text(const char *lines, const char *key, struct arena *arena)
{
	return spec_value(lines, key, arena);
}
