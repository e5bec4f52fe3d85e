/*
 * JSON text, written piece by piece into a str (RFC 8259). The caller places braces and commas.
 */
#pragma once

#include "lib/base/str.h"

/* Appends the text quoted and escaped. Bytes that are no UTF-8 become U+FFFD. */
void json_write_text(struct str *out, const char *text);

/* Appends "key": value with a comma in front unless it is the first after a brace. */
void json_write_key(struct str *out, const char *key);
