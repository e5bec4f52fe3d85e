/*
 * Growing strings, and the checked number parser.
 */
#include "lib/base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void str_reserve(struct str *str, size_t more);

void
str_done(struct str *str)
{
	free(str->text);
	*str = (struct str){0};
}

void
str_clear(struct str *str)
{
	str->len = 0;
	if (str->text)
		str->text[0] = '\0';
}

void
str_add(struct str *str, const char *text)
{
	str_add_bytes(str, text, strlen(text));
}

void
str_add_bytes(struct str *str, const void *bytes, size_t size)
{
	str_reserve(str, size);
	if (size)
		memcpy(str->text + str->len, bytes, size);
	str->len += size;
	str->text[str->len] = '\0';
}

void
str_addf(struct str *str, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	str_addv(str, format, args);
	va_end(args);
}

void
str_addv(struct str *str, const char *format, va_list args)
{
	size_t room = str->cap - str->len;
	va_list again;
	int length;

	/* Mostly there is room. */
	va_copy(again, args);
	length = vsnprintf(room ? str->text + str->len : NULL, room, format, again);
	va_end(again);
	if (length < 0)
		abort();
	if ((size_t)length >= room) {
		str_reserve(str, (size_t)length);
		vsnprintf(str->text + str->len, (size_t)length + 1, format, args);
	}
	str->len += (size_t)length;
}

const char *
str_text(const struct str *str)
{
	return str->text ? str->text : "";
}

char *
str_take(struct str *str)
{
	char *text = str->text ? str->text : xstrdup("");

	*str = (struct str){0};
	return text;
}

bool
str_equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool
str_to_i64(const char *text, long long min, long long max, long long *value)
{
	char *end;
	long long number;

	if (!text || !((text[0] >= '0' && text[0] <= '9') ||
			 (text[0] == '-' && text[1] >= '0' && text[1] <= '9')))
		return false;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno || *end || number < min || number > max)
		return false;
	*value = number;
	return true;
}

static void
str_reserve(struct str *str, size_t more)
{
	size_t need = str->len + more + 1;

	if (need <= str->cap)
		return;
	str->cap = need > 2 * str->cap ? need : 2 * str->cap;
	str->text = xrealloc(str->text, str->cap);
}
