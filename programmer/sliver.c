/*
 * Reads the row of a node, and knows its names.
 */
#include "programmer/sliver.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/id.h"

const char sliver_kind[] = "node";

enum { MTU_MIN = 68, MTU_MAX = 65535, CPU_MAX = 1024, PORTS_MAX = 256, NAME_MAX_LEN = 64 };

static bool read_ports(struct arena *arena, struct sliver *sliver, struct err *err);
static bool check_numbers(const struct node_spec *spec, struct err *err);

bool
sliver_read(const struct programmer *programmer, const struct row *row, struct arena *arena,
    struct sliver *sliver, struct err *err)
{
	struct sliver found = {.rid = row->rid, .is_on = true};

	if (!spec_parse(&node_spec_table, row->spec, arena, &found.spec, err) ||
	    !spec_parse(
		&node_attr_spec_table, row->attr ? row->attr : "", arena, &found.attr, err) ||
	    !node_form_parse(found.spec.form, &found.form, err) ||
	    !check_numbers(&found.spec, err) || !read_ports(arena, &found, err))
		return false;
	if (!found.spec.image || !found.spec.name)
		return err_set(err, ERR_BAD_VALUE, "node: image and name must be given");
	if (found.attr.power)
		found.is_on = str_equal(found.attr.power, "on");
	if (!found.is_on && !str_equal(found.attr.power, "off"))
		return err_set(err, ERR_BAD_VALUE, "node: power='%.20s' is neither on nor off",
		    found.attr.power);
	found.name = sliver_name(programmer, row->rid, arena);
	found.folder =
	    arena_format(arena, "%s/%s", programmer->conf.folder, id_text(row->rid).text);
	*sliver = found;
	return true;
}

const char *
sliver_name(const struct programmer *programmer, uint64_t rid, struct arena *arena)
{
	return arena_format(arena, "%s-%s", programmer->conf.instance, id_text(rid).text);
}

bool
sliver_name_rid(const struct programmer *programmer, const char *name, uint64_t *rid)
{
	size_t len = strlen(programmer->conf.instance);

	*rid = 0;
	if (strncmp(name, programmer->conf.instance, len) != 0 || name[len] != '-')
		return false;
	if (!id_parse(name + len + 1, rid, NULL))
		*rid = 0;
	return true;
}

static bool
check_number(const char *key, int64_t value, int64_t min, int64_t max, struct err *err)
{
	return (value >= min && value <= max) ||
	       err_set(err, ERR_BAD_VALUE, "node: %s=%lld is not within %lld and %lld", key,
		   (long long)value, (long long)min, (long long)max);
}

static bool
check_numbers(const struct node_spec *spec, struct err *err)
{
	const int64_t bytes_max = INT64_MAX / 1024;

	return check_number("cpu", spec->cpu, 1, CPU_MAX, err) &&
	       check_number("cpu_share", spec->cpu_share, 0, 1000, err) &&
	       check_number("memory_bytes", spec->memory_bytes, 1, bytes_max, err) &&
	       check_number("disk_bytes", spec->disk_bytes, 0, bytes_max, err) &&
	       check_number("iops", spec->iops, 0, INT32_MAX, err);
}

/* A name stands in a line of the guest's /vnode/ports: no blank, nothing that ends the line. */
static bool
is_port_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f || name[i] == '/')
			return false;
	return len && len <= NAME_MAX_LEN;
}

static bool
read_port(const char *text, struct arena *arena, struct sliver_port *port, struct err *err)
{
	char *words = arena_text(arena, text), *rest = NULL;
	const char *id = strtok_r(words, " ", &rest), *name = strtok_r(NULL, " ", &rest);
	const char *mtu = strtok_r(NULL, "", &rest);
	long long number;

	if (!id || !id_parse(id, &port->id, NULL) || !name || !is_port_name(name) || !mtu ||
	    !str_to_i64(mtu, MTU_MIN, MTU_MAX, &number))
		return err_set(err, ERR_BAD_VALUE, "node: port='%.80s' is not 'ID NAME MTU'", text);
	port->name = name;
	port->mtu = number;
	return true;
}

static bool
read_ports(struct arena *arena, struct sliver *sliver, struct err *err)
{
	const struct spec_list *list = &sliver->spec.port;
	struct sliver_port *ports = arena_alloc(arena, (list->n + 1) * sizeof(*ports));

	if (list->n > PORTS_MAX)
		return err_set(
		    err, ERR_LIMIT, "node: %zu ports, at most %d are possible", list->n, PORTS_MAX);
	for (size_t i = 0; i < list->n; i++)
		if (!read_port(list->items[i], arena, &ports[i], err))
			return false;
	sliver->ports = ports;
	sliver->n_ports = list->n;
	return true;
}
