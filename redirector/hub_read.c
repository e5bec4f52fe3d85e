/*
 * From a row's texts to a hub; and may it be held?
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/id.h"
#include "redirector/hub.h"

enum { MTU_MIN = 68, MTU_MAX = 65000, SEGMENTS_MAX = 65535 };

/* The id that begins a line "ID …". */
static bool
read_id(const char *line, struct arena *arena, uint64_t *id, struct err *err)
{
	return id_parse(arena_copy(arena, line, strcspn(line, " ")), id, err);
}

static struct hub_port *
find_port(const struct hub *hub, uint64_t id)
{
	for (size_t i = 0; i < hub->n_ports; i++)
		if (hub->ports[i].id == id)
			return &hub->ports[i];
	return NULL;
}

static bool
read_ports(struct hub *hub, struct arena *arena, struct err *err)
{
	const struct spec_list *lines = &hub->spec.port;

	if (!lines->n || lines->n > HUB_PORTS_MAX)
		return err_set(
		    err, ERR_BAD_VALUE, "hub: 1 to %d ports, not %zu", HUB_PORTS_MAX, lines->n);
	hub->ports = arena_alloc(arena, lines->n * sizeof(hub->ports[0]));
	for (size_t i = 0; i < lines->n; i++) {
		struct hub_port *port = &hub->ports[i];

		if (!read_id(lines->items[i], arena, &port->id, err))
			return err_in(err, "hub: port");
		if (find_port(hub, port->id))
			return err_set(
			    err, ERR_BAD_VALUE, "hub: port '%s' is given twice", lines->items[i]);
		hub->n_ports = i + 1;
		(void)snprintf(
		    port->device, sizeof(port->device), "%s", id_port_device(port->id).name);
		(void)snprintf(port->inside, sizeof(port->inside), "vp%s", id_text(port->id).text);
	}
	return true;
}

static bool
read_attributes(const char *text, struct hub *hub, struct arena *arena, struct err *err)
{
	struct hub_attr_spec attr;

	if (!spec_parse(&hub_attr_spec_table, text, arena, &attr, err))
		return false;
	for (size_t i = 0; i < attr.gso.n; i++) {
		const char *segments = strchr(attr.gso.items[i], ' ');
		struct hub_port *port;
		long long number;
		uint64_t id;

		if (!read_id(attr.gso.items[i], arena, &id, err))
			return err_in(err, "hub: gso");
		port = find_port(hub, id);
		if (!port || !segments || !str_to_i64(segments + 1, 1, SEGMENTS_MAX, &number))
			return err_set(err, ERR_BAD_VALUE, "hub: gso=%.60s is not acceptable",
			    attr.gso.items[i]);
		port->gso_max_segs = number;
	}
	return true;
}

bool
hub_read(const struct row *row, struct arena *arena, struct hub *hub, struct err *err)
{
	struct hub found = {.rid = row->rid};

	if (!spec_parse(&hub_spec_table, row->spec, arena, &found.spec, err))
		return false;
	if (!found.spec.slice || !found.spec.link)
		return err_set(err, ERR_BAD_VALUE, "hub: slice or link is missing");
	if (found.spec.mtu < MTU_MIN || found.spec.mtu > MTU_MAX)
		return err_set(err, ERR_BAD_VALUE, "hub: mtu=%lld is not within %d and %d",
		    (long long)found.spec.mtu, MTU_MIN, MTU_MAX);
	(void)snprintf(found.device, sizeof(found.device), "vb%s", id_text(row->rid).text);
	if (!read_ports(&found, arena, err) ||
	    !read_attributes(row->attr ? row->attr : "", &found, arena, err))
		return false;
	*hub = found;
	return true;
}

bool
hub_admit(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct hub hub = {0};

	(void)self, (void)txn, (void)result;
	if (!hub_read(row, arena, &hub, err))
		return false;
	for (size_t i = 0; i < book->n_rows; i++) {
		const struct row *other = &book->rows[i];
		struct hub there = {0};

		if (other->rid == row->rid || strcmp(other->kind, row->kind) != 0 ||
		    !hub_read(other, arena, &there, NULL))
			continue;
		for (size_t k = 0; k < there.n_ports; k++)
			if (find_port(&hub, there.ports[k].id))
				return err_set(err, ERR_CONFLICT, "port %s is that of another hub",
				    id_text(there.ports[k].id).text);
	}
	return true;
}
