#include "lib/api/audit_chain.h"

#include <stdio.h>
#include <string.h>

struct digest_text
audit_chain_hash(const struct audit_chain *before, const struct snc_audit *record)
{
	char seq[24], at[24];
	const char *texts[] = {before->hash.text, seq, at, record->role, record->name,
	    record->method, record->object, record->result, record->detail};

	enum { N_TEXTS = sizeof(texts) / sizeof(texts[0]) };
	struct digest_part parts[N_TEXTS];

	snprintf(seq, sizeof(seq), "%lld", (long long)record->seq);
	snprintf(at, sizeof(at), "%lld", (long long)record->at_ms);
	for (size_t i = 0; i < N_TEXTS; i++)
		parts[i] = (struct digest_part){texts[i], strlen(texts[i])};
	return digest_parts(parts, N_TEXTS);
}

bool
audit_chain_follow(struct audit_chain *chain, const struct snc_audit *record, struct err *err)
{
	struct digest_text hash = audit_chain_hash(chain, record);

	if (record->seq != chain->seq + 1)
		return err_set(err, ERR_CONFLICT,
		    "the audit trail is broken: record %lld is missing", (long long)chain->seq + 1);
	if (strcmp(hash.text, record->hash) != 0)
		return err_set(err, ERR_CONFLICT,
		    "the audit trail is broken: record %lld, or one before it, was changed",
		    (long long)record->seq);
	*chain = (struct audit_chain){record->seq, hash};
	return true;
}
