/*
 * A reading of transport.xml under way: what inventory.c (nodes, links, addresses) and
 * inventory_risk.c (costs, risk groups, maintenance) share.
 */
#pragma once

#include "lib/base/map.h"
#include "lib/xml/xml_grammar.h"
#include "tnc/inventory.h"

struct reading {
	struct inventory *inventory;
	diagnoses *found;
	struct map *nodes;     /* name -> its element */
	struct map *ports;     /* NODE:PORT -> the end's element */
	struct map *addresses; /* IPv4 -> the element that has it */
	struct map *routers;   /* name -> struct inventory_router */
	struct map *links;     /* name -> struct inventory_link */
};

/* Once routers and links are there: what else is said of them. */
void inventory_read_risks(struct reading *reading, const struct xml_element *root);
