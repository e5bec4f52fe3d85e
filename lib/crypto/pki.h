/*
 * The private CA of a domain (OpenSSL): P-384 root, P-256 leaves. A leaf's identity is its SAN URI
 * urn:vnode:role:ROLE:NAME. Daemon roles (snc tnc redirector programmer agw router portal sep) get
 * the DNS name ROLE.NAME.vnode, IP names and both extended key usages; user roles (viewer developer
 * vendor noc admin peer) clientAuth alone.
 */
#pragma once

#include "lib/base/err.h"
#include "lib/base/str.h"

enum pki_usage { PKI_USAGE_ROLE, PKI_USAGE_SERVER, PKI_USAGE_NONE };

struct pki_leaf {
	const char *role;
	const char *name; /* [a-z][a-z0-9-]{0,31} */
	const char *const *ips;
	size_t n_ips;
	const char *const *dns; /* further DNS names, besides ROLE.NAME.vnode */
	size_t n_dns;
	int days;             /* 0 = 90; negative: already expired, for tests */
	enum pki_usage usage; /* other than as the role wants: for tests of those who verify */
};

/* Makes DIR (0755 when absent), DIR/ca.crt and DIR/ca.key (0600). ERR_CONFLICT when there is one
 * already. */
bool pki_init(const char *dir, struct err *err) must_check;

/* Makes PREFIX.crt and PREFIX.key (0600), signed by the CA in dir. Replaces both atomically. */
bool pki_issue(
    const char *dir, const struct pki_leaf *leaf, const char *prefix, struct err *err) must_check;

/* Appends what a certificate file says, lines key=value: subject, issuer, role, name, dns, ip,
 * usage, from, until, serial. */
bool pki_show(const char *file, struct str *out, struct err *err) must_check;

bool pki_is_daemon_role(const char *role);
bool pki_is_user_role(const char *role);
