/*
 * Errors as values: filled where they happen, prefixed on the way up, shown once at the border.
 */
#include "lib/base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct err_row {
	const char *code;
	int fault;
	int http;
	int exit;
	const char *sentence;
};

static const struct err_row rows[ERR_COUNT] = {
#define ERR(name, code, fault, http, exit, sentence) {code, fault, http, exit, sentence},
#include "schemas/err.def"
#undef ERR
};

static void put_prefix(char *text, size_t size, const char *prefix);

bool
err_set(struct err *err, enum err_code code, const char *format, ...)
{
	va_list args;
	char text[sizeof(err->text)];

	if (!err)
		return false;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args); /* may quote err->text itself */
	va_end(args);
	*err = (struct err){.code = code};
	memcpy(err->text, text, sizeof(text));
	return false;
}

bool
err_in(struct err *err, const char *format, ...)
{
	va_list args;
	char prefix[256];

	if (!err)
		return false;
	va_start(args, format);
	vsnprintf(prefix, sizeof(prefix), format, args);
	va_end(args);
	put_prefix(err->text, sizeof(err->text), prefix);
	return false;
}

bool
err_at(struct err *err, unsigned line, const char *xpath)
{
	if (!err)
		return false;
	err->line = line;
	snprintf(err->xpath, sizeof(err->xpath), "%s", xpath ? xpath : "");
	return false;
}

bool
err_subject(struct err *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return false;
	va_start(args, format);
	vsnprintf(err->subject, sizeof(err->subject), format, args);
	va_end(args);
	return false;
}

bool
err_hint(struct err *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return false;
	va_start(args, format);
	vsnprintf(err->hint, sizeof(err->hint), format, args);
	va_end(args);
	return false;
}

const char *
err_code_text(enum err_code code)
{
	return rows[code].code;
}

const char *
err_code_sentence(enum err_code code)
{
	return rows[code].sentence;
}

int
err_code_fault(enum err_code code)
{
	return rows[code].fault;
}

int
err_code_http(enum err_code code)
{
	return rows[code].http;
}

int
err_code_exit(enum err_code code)
{
	return rows[code].exit;
}

enum err_code
err_code_parse(const char *text)
{
	for (int code = 0; code < ERR_COUNT; code++)
		if (!strcmp(rows[code].code, text))
			return (enum err_code)code;
	return ERR_INTERNAL;
}

void *
xmalloc(size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (!memory)
		abort();
	return memory;
}

void *
xcalloc(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);

	if (!memory)
		abort();
	return memory;
}

void *
xrealloc(void *old, size_t size)
{
	void *memory = realloc(old, size ? size : 1);

	if (!memory)
		abort();
	return memory;
}

char *
xstrdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(xmalloc(size), text, size);
}

void
free_pointer(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

static void
put_prefix(char *text, size_t size, const char *prefix)
{
	size_t length = strlen(prefix), kept = strlen(text);

	assert(length + 3 < size);
	if (kept > size - length - 3)
		kept = size - length - 3;
	memmove(text + length + 2, text, kept);
	memcpy(text, prefix, length);
	memcpy(text + length, ": ", 2);
	text[length + 2 + kept] = '\0';
}
