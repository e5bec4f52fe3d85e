/*
 * Looking around in a slice.
 */
#include "lib/model/slice.h"

#include <string.h>

const struct slice_node *
slice_find_node(const struct slice *slice, const char *name)
{
	for (size_t i = 0; i < slice->body.n_nodes; i++)
		if (!strcmp(slice->body.nodes[i].name, name))
			return &slice->body.nodes[i];
	return NULL;
}

static bool
is_end(const struct slice_bind_end *end, const char *sliver, const char *port)
{
	return !strcmp(end->sliver, sliver) && !strcmp(end->port, port);
}

/* What the port of a sliver is bound to. */
static const struct slice_bind_end *
other_end(const struct slice_body *body, const char *sliver, const char *port)
{
	for (size_t i = 0; i < body->n_binds; i++) {
		const struct slice_bind *bind = &body->binds[i];

		if (bind->n_ends != 2)
			continue;
		if (is_end(&bind->ends[0], sliver, port))
			return &bind->ends[1];
		if (is_end(&bind->ends[1], sliver, port))
			return &bind->ends[0];
	}
	return NULL;
}

const struct slice_bind_end *
slice_link_end(const struct slice *slice, const struct slice_link *link, unsigned which)
{
	return which < link->n_vports
		   ? other_end(&slice->body, link->name, link->vports[which].name)
		   : NULL;
}

const struct slice_link *
slice_port_link(
    const struct slice *slice, const struct slice_node *node, const char *vport, unsigned *which)
{
	const struct slice_bind_end *end = other_end(&slice->body, node->name, vport);

	for (size_t i = 0; end && i < slice->body.n_links; i++) {
		const struct slice_link *link = &slice->body.links[i];

		if (strcmp(link->name, end->sliver) != 0)
			continue;
		for (unsigned k = 0; k < link->n_vports; k++) {
			if (strcmp(link->vports[k].name, end->port) != 0)
				continue;
			*which = k;
			return link;
		}
	}
	return NULL;
}
