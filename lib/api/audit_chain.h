/*
 * The chain of the audit trail: each record's hash is of the record and of the hash before, so that
 * nothing can be changed, taken out or put in without all hashes after it changing. sncd makes it,
 * whoever reads the trail can test it. What has been cut off at the end shows against a head that
 * was kept elsewhere. Pure.
 */
#pragma once

#include "lib/api/snc_api.h"
#include "lib/crypto/digest.h"

/* How far the chain was followed; all zero before the first record. */
struct audit_chain {
	int64_t seq;
	struct digest_text hash;
};

/* The hash of a record that follows. */
struct digest_text audit_chain_hash(
    const struct audit_chain *before, const struct snc_audit *record);

/* The next record, as it was read. ERR_CONFLICT: it is not the one that was written there. */
bool audit_chain_follow(
    struct audit_chain *chain, const struct snc_audit *record, struct err *err) must_check;
