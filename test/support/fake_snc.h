/*
 * An sncd without a network behind it, for tests of its clients: real TLS, real XML-RPC, real
 * checks of documents; slices only change their state. A slice named `doomed` cannot be reserved
 * (R03).
 */
#pragma once

#include "lib/base/arena.h"

struct fake_snc;

/* Listens on the socket FOLDER/snc.sock with the certificates of domain_make. */
struct fake_snc *fake_snc_new(struct arena *arena);
void fake_snc_free(struct fake_snc *fake);

/* What has been typed on the console so far. */
const char *fake_snc_typed(const struct fake_snc *fake);
