/*
 * Subtypes of links that the operator has named: sections [link-type NAME] of sncd.conf, each with
 * the plug-in, its fixed parameters, and who may use it.
 */
#pragma once

#include "lib/base/conf.h"
#include "lib/model/slice.h"

/* Fills in kinds and n_kinds of the world; texts of conf are borrowed, arrays in arena. conf NULL:
 * there are none. A section without a plug-in names no subtype. */
void link_kinds_read(const struct conf *conf, struct arena *arena, struct slice_world *world);
