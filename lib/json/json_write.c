/*
 * Escaping for JSON.
 */
#include "lib/json/json_write.h"

#include <string.h>

#include "lib/base/xml_guard.h"

static size_t plain_size(const char *at, size_t left);

void
json_write_text(struct str *out, const char *text)
{
	size_t left = strlen(text);

	str_add(out, "\"");
	while (left) {
		size_t plain = plain_size(text, left);

		str_add_bytes(out, text, plain);
		text += plain;
		left -= plain;
		if (!left)
			break;
		if (*text == '"' || *text == '\\')
			str_addf(out, "\\%c", *text);
		else if (*text == '\n')
			str_add(out, "\\n");
		else if ((unsigned char)*text < ' ' || *text == 0x7F)
			str_addf(out, "\\u%04x", (unsigned)*text);
		else
			str_add(out, "\\ufffd");
		text++;
		left--;
	}
	str_add(out, "\"");
}

void
json_write_key(struct str *out, const char *key)
{
	if (out->len && out->text[out->len - 1] != '{')
		str_add(out, ", ");
	json_write_text(out, key);
	str_add(out, ": ");
}

/* How many bytes from here on need no escape. */
static size_t
plain_size(const char *at, size_t left)
{
	size_t size = 0;

	while (size < left) {
		unsigned char c = (unsigned char)at[size];
		size_t step =
		    c < ' ' || c == 0x7F || c == '"' || c == '\\'
			? 0
			: xml_character_size((const unsigned char *)at + size, left - size);

		if (!step)
			break;
		size += step;
	}
	return size;
}
