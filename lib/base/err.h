/*
 * The error, which is also the diagnosis: one code, one sentence, where, and what to do next.
 * Fallible functions return bool (or a pointer) and take `struct err *err` last. On failure they
 * fill it and return false (NULL); on success they leave it and all outputs alone until complete.
 * A fixed struct: nothing to free. The same struct is what a check of a document lists.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define must_check __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
#if defined(__clang__)
#define malloc_by(fn)
#else
#define malloc_by(fn) __attribute__((malloc(fn, 1)))
#endif
#define auto_free __attribute__((cleanup(free_pointer)))
/* Hand a local with a cleanup attribute out of its scope. */
#define take(pointer)                                                                              \
	({                                                                                         \
		__typeof__(pointer) taken_ = (pointer);                                            \
		(pointer) = NULL;                                                                  \
		taken_;                                                                            \
	})

enum err_code {

#define ERR(name, code, fault, http, exit, sentence) ERR_##name,
#include "schemas/err.def"
#undef ERR
	ERR_COUNT
};

struct err {
	enum err_code code;
	bool is_warning;   /* a remark of a check, not a refusal */
	unsigned line;     /* of the XML document; 0 = none */
	char subject[160]; /* the thing it is about: "link 'l1'" */
	char xpath[256];   /* where in the document; "" = nowhere */
	char text[640];    /* what was attempted on what, and why not */
	char hint[256];    /* what to do next; "" = nothing to say */
};

/* Fill err (other fields cleared) and return false, so that `return err_set(…)` refuses. err may be
 * NULL. */
bool err_set(struct err *err, enum err_code code, const char *format, ...) printf_like(3, 4);

/* Prefix the sentence ("link 'l1': …") and return false. */
bool err_in(struct err *err, const char *format, ...) printf_like(2, 3);

/* Say where in the document, what it is about, what to do next. Return false, like err_set. */
bool err_at(struct err *err, unsigned line, const char *xpath);
bool err_subject(struct err *err, const char *format, ...) printf_like(2, 3);
bool err_hint(struct err *err, const char *format, ...) printf_like(2, 3);

/* Columns of err.def. */
const char *err_code_text(enum err_code code);     /* "R01" */
const char *err_code_sentence(enum err_code code); /* "node has not enough …" */
int err_code_fault(enum err_code code);            /* XML-RPC fault number */
int err_code_http(enum err_code code);             /* HTTP status */
int err_code_exit(enum err_code code);             /* exit code of `vnode` */

/* The code whose text is given, ERR_INTERNAL when there is none. */
enum err_code err_code_parse(const char *text);

/* Allocation that cannot fail: aborts instead (limits at the borders keep it out of reach). Owned
 * by the caller: free(). */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
void free_pointer(void *pointer_to_pointer);
