/*
 * What the fake sncd answers of projects: there is one, `relay`, whose owner is alice; its audit
 * trail has two records, the second of which does not follow the first when project_delete has been
 * called. And of hosts that are given up: koganei can be.
 */
#pragma once

#include "lib/api/snc_api.h"

/* Fills in the handlers of projects; they need no self. */
void fake_snc_project(struct snc_ops *ops);
