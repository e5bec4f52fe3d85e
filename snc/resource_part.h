/*
 * What the kinds of resource.h share, and their halves of its tables. Nobody else includes this.
 */
#pragma once

#include "snc/resource.h"

/* A spec struct as text in arena. */
const char *resource_print(const struct spec_table *table, const void *spec, struct arena *arena);

/* A resource_part_fn: takes it; self is not used. */
void resource_part_take(void *self, int64_t *free, int64_t amount);

/* "ID SEGMENTS" of each port of a node or hub whose link has a ceiling, in arena. */
struct spec_list resource_gso(
    const struct resource_context *context, const struct slice_node *node);

const char *resource_isolation(enum slice_isolation isolation);

bool resource_node_charge(const char *spec, struct arena *arena, struct resource_charge *charge,
    struct err *err) must_check;
void resource_node_parts(struct substrate_host *host, const struct resource_charge *charge,
    resource_part_fn *part, void *self);
bool resource_node_take(
    struct substrate_host *host, const struct resource_charge *charge, struct err *err) must_check;
bool resource_node_switch(const char *attr, bool is_on, struct arena *arena, const char **switched,
    struct err *err) must_check;

bool resource_link_end_charge(const char *spec, struct arena *arena, struct resource_charge *charge,
    struct err *err) must_check;
void resource_link_end_parts(struct substrate_host *host, const struct resource_charge *charge,
    resource_part_fn *part, void *self);
bool resource_link_end_take(
    struct substrate_host *host, const struct resource_charge *charge, struct err *err) must_check;
bool resource_link_end_switch(const char *attr, bool is_on, struct arena *arena,
    const char **switched, struct err *err) must_check;

bool resource_share_charge(const char *spec, struct arena *arena, struct resource_charge *charge,
    struct err *err) must_check;
void resource_share_parts(
    struct graph *graph, const struct resource_charge *charge, resource_part_fn *part, void *self);
bool resource_share_take(
    struct graph *graph, const struct resource_charge *charge, struct err *err) must_check;
