/*
 * Structs to XML-RPC text.
 */
#include <inttypes.h>
#include <string.h>

#include "lib/base/xml_guard.h"
#include "lib/rpc/rpc_codec.h"

static bool write_field(
    struct str *out, const struct rpc_field *field, const char *from, struct err *err);
static bool write_list(
    struct str *out, const struct rpc_field *field, const char *from, struct err *err);
static bool is_absent(const struct rpc_field *field, const char *from);
static void write_base64(struct str *out, const struct rpc_blob *blob);

bool
rpc_write_struct(struct str *out, const struct rpc_struct *type, const void *from, struct err *err)
{
	str_add(out, "<struct>");
	for (const struct rpc_field *field = type->fields; field->name; field++) {
		if (is_absent(field, from))
			continue;
		str_addf(out, "<member><name>%s</name><value>", field->name);
		if (!write_field(out, field, from, err))
			return err_in(err, "%s", field->name);
		str_add(out, "</value></member>");
	}
	str_add(out, "</struct>");
	return true;
}

bool
rpc_write_text(struct str *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t left = strlen(text);
	bool is_good = true;

	while (left) {
		size_t plain = strcspn((const char *)at, "<>&"), done = 0, step = 1;

		while (done < plain && (step = xml_character_size(at + done, plain - done)) > 0)
			done += step;
		str_add_bytes(out, at, done);
		at += done;
		left -= done;
		if (!left)
			break;
		if (done < plain)
			str_add(out, "?");
		else
			str_add(out, *at == '<' ? "&lt;" : *at == '>' ? "&gt;" : "&amp;");
		is_good = is_good && done == plain;
		at++;
		left--;
	}
	return is_good;
}

static const void *
member(const struct rpc_field *field, const char *from)
{
	return from + field->offset;
}

static bool
is_absent(const struct rpc_field *field, const char *from)
{
	if (field->type == RPC_OPT_I64)
		return !((const struct rpc_opt_i64 *)member(field, from))->is_set;
	return field->type == RPC_OPT_TEXT && !*(const char *const *)member(field, from);
}

static bool
write_field(struct str *out, const struct rpc_field *field, const char *from, struct err *err)
{
	const void *value = member(field, from);
	const char *text;

	switch (field->type) {
	case RPC_I64:
		str_addf(out, "<i8>%" PRId64 "</i8>", *(const int64_t *)value);
		return true;
	case RPC_OPT_I64:
		str_addf(out, "<i8>%" PRId64 "</i8>", ((const struct rpc_opt_i64 *)value)->value);
		return true;
	case RPC_BOOL:
		str_addf(out, "<boolean>%d</boolean>", *(const bool *)value);
		return true;
	case RPC_TEXT:
	case RPC_OPT_TEXT:
		text = *(const char *const *)value;
		str_add(out, "<string>");
		if (!rpc_write_text(out, text ? text : ""))
			return err_set(err, ERR_BAD_VALUE,
			    "a text with bytes that are no UTF-8 or no characters");
		str_add(out, "</string>");
		return true;
	case RPC_BLOB:
		write_base64(out, value);
		return true;
	case RPC_LIST:
		return write_list(out, field, from, err);
	}
	return err_set(err, ERR_INTERNAL, "a field of unknown type");
}

static bool
write_list(struct str *out, const struct rpc_field *field, const char *from, struct err *err)
{
	const char *items = *(const char *const *)member(field, from);
	size_t n = *(const size_t *)(const void *)(from + field->count_offset);

	str_add(out, "<array><data>");
	for (size_t i = 0; i < n; i++) {
		str_add(out, "<value>");
		if (!rpc_write_struct(out, field->element, items + i * field->element->size, err))
			return err_in(err, "%zu", i);
		str_add(out, "</value>");
	}
	str_add(out, "</data></array>");
	return true;
}

static void
write_base64(struct str *out, const struct rpc_blob *blob)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *bytes = blob->bytes;

	str_add(out, "<base64>");
	for (size_t i = 0; i < blob->size; i += 3) {
		size_t left = blob->size - i;
		unsigned bits = (unsigned)bytes[i] << 16;
		char four[4];

		bits |= left > 1 ? (unsigned)bytes[i + 1] << 8 : 0;
		bits |= left > 2 ? bytes[i + 2] : 0;
		four[0] = digits[bits >> 18];
		four[1] = digits[bits >> 12 & 63];
		four[2] = (char)(left > 1 ? digits[bits >> 6 & 63] : '=');
		four[3] = (char)(left > 2 ? digits[bits & 63] : '=');
		str_add_bytes(out, four, sizeof(four));
	}
	str_add(out, "</base64>");
}
