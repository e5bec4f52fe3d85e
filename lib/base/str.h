/*
 * A growing string: the only way the house builds text of unknown length.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "lib/base/err.h"

struct str {
	char *text; /* NUL-terminated once something was added; NULL while empty */
	size_t len;
	size_t cap;
};

/* Embedded: `struct str s = {0};` is an empty one. str_done frees, str_clear empties and keeps the
 * memory. */
void str_done(struct str *str);
void str_clear(struct str *str);

void str_add(struct str *str, const char *text);
void str_add_bytes(struct str *str, const void *bytes, size_t size);
void str_addf(struct str *str, const char *format, ...) printf_like(2, 3);
void str_addv(struct str *str, const char *format, va_list args) printf_like(2, 0);

/* The text, "" while empty. Borrowed: valid until the next change. */
const char *str_text(const struct str *str);

/* The text, owned by the caller (free); str is empty afterwards. Never NULL. */
char *str_take(struct str *str);

/* Text equality that takes NULL (NULL equals only NULL). */
bool str_equal(const char *a, const char *b);

/* A whole decimal number within [min, max]; no sign but '-', no blanks. */
bool str_to_i64(const char *text, long long min, long long max, long long *value) must_check;

#define auto_str __attribute__((cleanup(str_done)))
