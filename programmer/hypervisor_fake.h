/*
 * A hypervisor in memory, for tests: domains are entries of a table, and tests can let them die,
 * appear, or the whole thing be out of reach.
 */
#pragma once

#include "programmer/hypervisor.h"

struct hypervisor_fake;

void hypervisor_fake_free(struct hypervisor_fake *fake);
struct hypervisor_fake *hypervisor_fake_new(void) malloc_by(hypervisor_fake_free);
struct hypervisor hypervisor_fake(struct hypervisor_fake *fake);

/* A domain appears, or gets another state; DOMAIN_ABSENT: it is gone. */
void hypervisor_fake_set(
    struct hypervisor_fake *fake, enum node_form form, const char *name, enum domain_state state);

/* The state of a domain; DOMAIN_ABSENT when there is none. */
enum domain_state hypervisor_fake_get(struct hypervisor_fake *fake, const char *name);

/* Out of reach: every function fails with ERR_WAIT. */
void hypervisor_fake_cut(struct hypervisor_fake *fake, bool is_cut);

/* How often start has made a domain. */
int hypervisor_fake_starts(const struct hypervisor_fake *fake);
