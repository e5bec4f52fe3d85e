/*
 * Slices of several users in several projects, on a fake site: what tests of projects, quotas and
 * usage do.
 */
#pragma once

#include "test/support/fake_site.h"

/* What is made, by whom, where, when. */
struct tenant_wish {
	const struct rpc_client *client;
	const char *document, *project, *goal;
	int64_t from_ms, until_ms;
};

/* sncd's wall clock. */
int64_t tenant_now_ms(struct fake_site *site);

/* A slice of one node with so many CPUs. */
const char *tenant_document(struct fake_site *site, const char *name, int cpu);

/* Two nodes on two hosts, and a link with that rate in both directions between them. */
const char *tenant_pair(struct fake_site *site, const char *name, const char *rate);

/* 0 = not set. */
struct rpc_opt_i64 tenant_instant(int64_t at_ms);

/* Reserves, unless a goal is named. */
bool tenant_make(
    struct fake_site *site, const struct tenant_wish *wish, const char **id, struct err *err);

/* The id; the test fails when it is refused. */
const char *tenant_made(struct fake_site *site, const struct tenant_wish *wish);

/* The test fails when it is not. */
struct err tenant_refused(struct fake_site *site, const struct tenant_wish *wish);

struct snc_slice_check_result tenant_check(struct fake_site *site, const struct tenant_wish *wish);

/* What it offers of that kind and quantity; the test fails when it does not. */
const char *tenant_offered(
    const struct snc_slice_check_result *checked, const char *kind, const char *what);

/* By the developer, who allows a restart: ERR_NONE, or why it was refused. */
enum err_code tenant_modify(struct fake_site *site, const char *slice, const char *document);

/* Made by noc; the owner may be NULL. */
void tenant_project(struct fake_site *site, const char *name, const char *owner);

bool tenant_join(const struct rpc_client *client, struct fake_site *site, const char *name,
    const char *user, const char *role, struct err *err);
/* By noc. */
void tenant_joined(struct fake_site *site, const char *name, const char *user, const char *role);

/* By noc; of the site with NULL. */
void tenant_limit(
    struct fake_site *site, const char *name, const char *scope, const char *what, int64_t amount);

enum err_code tenant_run(
    struct fake_site *site, const struct rpc_client *client, const char *slice);

/* And waits until it is gone. */
void tenant_delete(struct fake_site *site, const char *slice);
