/*
 * Errors to faultString texts and back: the code survives the hop.
 */
#include <stdio.h>
#include <string.h>

#include "lib/rpc/rpc_codec.h"

static void add_line(struct str *text, const char *key, const char *value);
static void read_line(struct err *err, const char *line, size_t len);
static const char *value_of(const char *line, size_t len, const char *key, size_t *value_len);
static void put(char *to, size_t size, const char *value, size_t len);

void
rpc_fault_write(struct str *text, const struct err *err)
{
	char number[16];

	add_line(text, err_code_text(err->code), err->text);
	snprintf(number, sizeof(number), "%u", err->line);
	if (err->line)
		add_line(text, "line", number);
	if (err->subject[0])
		add_line(text, "subject", err->subject);
	if (err->xpath[0])
		add_line(text, "xpath", err->xpath);
	if (err->hint[0])
		add_line(text, "hint", err->hint);
}

void
rpc_fault_read(const char *text, struct err *err)
{
	const char *end = text + strcspn(text, "\n");
	const char *colon = strstr(text, ": ");
	char code[32];

	if (!colon || colon > end || (size_t)(colon - text) >= sizeof(code)) {
		err_set(err, ERR_INTERNAL, "%s", text);
		return;
	}
	put(code, sizeof(code), text, (size_t)(colon - text));
	err_set(err, err_code_parse(code), "%.*s", (int)(end - colon - 2), colon + 2);
	while (*end) {
		size_t len = strcspn(end + 1, "\n");

		read_line(err, end + 1, len);
		end += 1 + len;
	}
}

static void
add_line(struct str *text, const char *key, const char *value)
{
	str_addf(text, "%s%s: ", text->len ? "\n" : "", key);
	for (const char *at = value; *at; at++)
		str_add_bytes(text, *at == '\n' ? " " : at, 1);
}

static void
read_line(struct err *err, const char *line, size_t len)
{
	long long number = 0;
	char digits[16];
	const char *value;
	size_t value_len;

	if ((value = value_of(line, len, "line", &value_len))) {
		put(digits, sizeof(digits), value, value_len);
		if (str_to_i64(digits, 0, INT32_MAX, &number))
			err->line = (unsigned)number;
	} else if ((value = value_of(line, len, "subject", &value_len))) {
		put(err->subject, sizeof(err->subject), value, value_len);
	} else if ((value = value_of(line, len, "xpath", &value_len))) {
		put(err->xpath, sizeof(err->xpath), value, value_len);
	} else if ((value = value_of(line, len, "hint", &value_len))) {
		put(err->hint, sizeof(err->hint), value, value_len);
	}
}

static const char *
value_of(const char *line, size_t len, const char *key, size_t *value_len)
{
	size_t key_len = strlen(key);

	if (len < key_len + 2 || memcmp(line, key, key_len) != 0 ||
	    memcmp(line + key_len, ": ", 2) != 0)
		return NULL;
	*value_len = len - key_len - 2;
	return line + key_len + 2;
}

static void
put(char *to, size_t size, const char *value, size_t len)
{
	if (len >= size)
		len = size - 1;
	memcpy(to, value, len);
	to[len] = '\0';
}
