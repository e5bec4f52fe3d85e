/*
 * Between the two ends of lib/rpc: structs by their tables to XML-RPC text and back, errors to
 * faults and back. Writing is done by hand; reading by xmlrpc-c, behind the XML guard.
 */
#pragma once

#include <stdlib.h>
#include <xmlrpc-c/base.h>

#include "lib/rpc/rpc.h"

enum { RPC_REQUEST_MAX = 2 << 20, RPC_ANSWER_MAX = 4 << 20 };

/* Guard and limits in front of xmlrpc-c; ERR_BAD_XML, ERR_LIMIT. Call it before any xmlrpc_parse.
 */
bool rpc_guard(const char *xml, size_t size, size_t size_max, struct err *err) must_check;

/*
 * Appends <struct>…</struct>. A text of NULL is written as "", an absent optional not at all.
 * ERR_BAD_VALUE when a text has bytes that XML cannot carry.
 */
bool rpc_write_struct(
    struct str *out, const struct rpc_struct *type, const void *from, struct err *err) must_check;

/* Appends text with markup escaped; what XML cannot carry becomes '?' and the answer false. */
bool rpc_write_text(struct str *out, const char *text);

/* ERR_BAD_VALUE names the member: missing, of another type, or (is_strict) unknown. */
struct rpc_reader {
	struct arena *arena;
	bool is_strict;
};

bool rpc_read_struct(const struct rpc_reader *reader, xmlrpc_value *from,
    const struct rpc_struct *type, void *to, struct err *err) must_check;

/*
 * An error as faultString, made to be read by people and by rpc_fault_read:
 *     CODE: sentence
 *     line: 12
 *     subject: link 'l1'
 *     xpath: /slicespec/…
 *     hint: what to do next
 * The first line is always there, the others when they say something; no value has a line end.
 */
void rpc_fault_write(struct str *text, const struct err *err);
void rpc_fault_read(const char *text, struct err *err);

/* Frees a text that xmlrpc-c has allocated and hands out as const. */
static inline void
rpc_free_text(const void *text)
{
	union {
		const void *handed_out;
		void *ours;
	} pointer = {.handed_out = text};

	free(pointer.ours);
}
