/*
 * What the fake sncd answers of links.
 */
#pragma once

#include "lib/api/snc_api.h"

/* Fills in the handlers of links and captures; they need no self. */
void fake_snc_link(struct snc_ops *ops);
