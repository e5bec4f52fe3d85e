/*
 * Structs and errors to JSON, by their tables.
 */
#include "lib/api/json_print.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "lib/json/json_write.h"

static bool is_absent(const struct rpc_field *field, const void *value);
static void print_value(const struct rpc_field *field, const char *from, struct str *out);
static void print_list(const struct rpc_field *field, const char *from, struct str *out);
static void print_blob(const struct rpc_blob *blob, struct str *out);

void
json_print_struct(const struct rpc_struct *type, const void *from, struct str *out)
{
	str_add(out, "{");
	for (const struct rpc_field *field = type->fields; field->name; field++) {
		if (is_absent(field, (const char *)from + field->offset))
			continue;
		json_write_key(out, field->name);
		print_value(field, from, out);
	}
	str_add(out, "}");
}

void
json_print_result(
    const struct rpc_service *service, const char *method, const void *result, struct str *out)
{
	size_t i = 0;

	while (i < service->n_methods && strcmp(service->methods[i].name, method) != 0)
		i++;
	assert(i < service->n_methods);
	json_print_struct(service->methods[i].result, result, out);
}

void
json_print_err(const struct err *err, struct str *out)
{
	const struct {
		const char *key;
		const char *text;
	} texts[] = {{"subject", err->subject}, {"message", err->text}, {"xpath", err->xpath},
	    {"hint", err->hint}};

	str_add(out, "{");
	json_write_key(out, "title");
	json_write_text(out, err_code_sentence(err->code));
	json_write_key(out, "status");
	str_addf(out, "%d", err_code_http(err->code));
	json_write_key(out, "detail");
	json_write_text(out, err->text);
	json_write_key(out, "code");
	json_write_text(out, err_code_text(err->code));
	json_write_key(out, "diagnoses");
	str_add(out, "[{");
	json_write_key(out, "code");
	json_write_text(out, err_code_text(err->code));
	json_write_key(out, "severity");
	json_write_text(out, err->is_warning ? "warning" : "error");
	json_write_key(out, "line");
	str_addf(out, "%u", err->line);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_write_key(out, texts[i].key);
		json_write_text(out, texts[i].text);
	}
	str_add(out, "}]}");
}

static bool
is_absent(const struct rpc_field *field, const void *value)
{
	if (field->type == RPC_OPT_I64)
		return !((const struct rpc_opt_i64 *)value)->is_set;
	return field->type == RPC_OPT_TEXT && !*(const char *const *)value;
}

static void
print_value(const struct rpc_field *field, const char *from, struct str *out)
{
	const void *value = from + field->offset;
	const char *text;

	switch (field->type) {
	case RPC_I64:
		str_addf(out, "%" PRId64, *(const int64_t *)value);
		break;
	case RPC_OPT_I64:
		str_addf(out, "%" PRId64, ((const struct rpc_opt_i64 *)value)->value);
		break;
	case RPC_BOOL:
		str_add(out, *(const bool *)value ? "true" : "false");
		break;
	case RPC_TEXT:
	case RPC_OPT_TEXT:
		text = *(const char *const *)value;
		json_write_text(out, text ? text : "");
		break;
	case RPC_BLOB:
		print_blob(value, out);
		break;
	case RPC_LIST:
		print_list(field, from, out);
		break;
	}
}

static void
print_list(const struct rpc_field *field, const char *from, struct str *out)
{
	const char *items = *(const char *const *)(const void *)(from + field->offset);
	size_t n = *(const size_t *)(const void *)(from + field->count_offset);

	str_add(out, "[");
	for (size_t i = 0; i < n; i++) {
		str_add(out, i ? ", " : "");
		json_print_struct(field->element, items + i * field->element->size, out);
	}
	str_add(out, "]");
}

/* Output of programs and documents: text, as a rule. What is none shows as U+FFFD. */
static void
print_blob(const struct rpc_blob *blob, struct str *out)
{
	auto_str struct str text = {0};

	for (size_t i = 0; i < blob->size; i++)
		str_add_bytes(&text,
		    ((const char *)blob->bytes)[i] ? (const char *)blob->bytes + i : "\xFF", 1);
	json_write_text(out, str_text(&text));
}
