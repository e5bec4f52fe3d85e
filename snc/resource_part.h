/*
 * What the kinds of resource.h share, and their halves of its tables. Nobody else includes this.
 */
#pragma once

#include "snc/resource.h"

/* A spec struct as text in arena. */
const char *resource_print(const struct spec_table *table, const void *spec, struct arena *arena);

bool resource_node_charge(const char *spec, struct arena *arena, struct resource_charge *charge,
    struct err *err) must_check;
bool resource_node_take(
    struct substrate_host *host, const struct resource_charge *charge, struct err *err) must_check;
bool resource_node_switch(const char *attr, bool is_on, struct arena *arena, const char **switched,
    struct err *err) must_check;

bool resource_link_end_charge(const char *spec, struct arena *arena, struct resource_charge *charge,
    struct err *err) must_check;
bool resource_link_end_take(
    struct substrate_host *host, const struct resource_charge *charge, struct err *err) must_check;
bool resource_link_end_switch(const char *attr, bool is_on, struct arena *arena,
    const char **switched, struct err *err) must_check;

bool resource_share_charge(const char *spec, struct arena *arena, struct resource_charge *charge,
    struct err *err) must_check;
bool resource_share_take(
    struct graph *graph, const struct resource_charge *charge, struct err *err) must_check;
