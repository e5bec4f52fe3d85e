/*
 * Objects in the kernel that carry our prefix, of all kinds of rows: for the engine's sweep
 * (lib/engine/manager.h). `self` is the struct redirector.
 */
#pragma once

#include "redirector/redirector.h"

/* All of them, array in arena. */
bool strays_list(void *self, struct arena *arena, const struct manager_object **objects,
    size_t *n_objects, struct err *err) must_check;

/* Removes one that has no row. */
bool strays_sweep(void *self, const struct manager_object *object, struct err *err) must_check;
