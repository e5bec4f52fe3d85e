/*
 * xmlrpc-c's values to structs, and the guard in front of its parser.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/base/xml_guard.h"
#include "lib/rpc/rpc_codec.h"

enum { ELEMENTS_MAX = 400000, FIELDS_MAX = 64 };

static void raise_limits(void);
static bool check_i8(const char *xml, size_t size, struct err *err);
static const struct rpc_field *find_field(const struct rpc_struct *type, const char *name);
static bool read_member(const struct rpc_reader *reader, xmlrpc_value *from,
    const struct rpc_field *field, char *to, struct err *err);
static bool read_list(const struct rpc_reader *reader, xmlrpc_value *from,
    const struct rpc_field *field, char *to, struct err *err);
static bool read_i64(xmlrpc_value *from, int64_t *to);
static bool read_bool(xmlrpc_value *from, bool *to);
static bool read_text(struct arena *arena, xmlrpc_value *from, const char **to);
static bool read_blob(struct arena *arena, xmlrpc_value *from, struct rpc_blob *to);

bool
rpc_guard(const char *xml, size_t size, size_t size_max, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct xml_limits limits = {.bytes = size_max, .elements = ELEMENTS_MAX, .attributes = 1};

	pthread_once(&once, raise_limits);
	if (xml_guard(xml, size, &limits, err))
		return check_i8(xml, size, err);
	if (err && err->code != ERR_LIMIT)
		err->code = ERR_BAD_XML;
	return false;
}

static void
raise_limits(void)
{
	xmlrpc_limit_set(XMLRPC_XML_SIZE_LIMIT_ID, RPC_ANSWER_MAX);
}

/* One element, behind its name: no attributes, a number within 64 bits, the end tag. */
static bool
is_good_i8(const char *at, const char *end)
{
	enum { DIGITS_MAX = 20 };

	char number[DIGITS_MAX + 1];
	size_t len = 0;
	long long value;

	if (at == end || *at++ != '>')
		return false;
	while (at < end && len < DIGITS_MAX && *at != '<')
		number[len++] = *at++;
	number[len] = '\0';
	return end - at > 1 && at[0] == '<' && at[1] == '/' &&
	       str_to_i64(number, INT64_MIN, INT64_MAX, &value);
}

/*
 * xmlrpc-c (1.33.14) dies of an <i8> that holds no number, or too large a one. Looks at comments
 * and CDATA sections too: who writes such a thing there is refused as well.
 */
static bool
check_i8(const char *xml, size_t size, struct err *err)
{
	static const char *const names[] = {"<i8", "<ex:i8"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *at = xml, *end = xml + size;
		size_t len = strlen(names[i]);

		while ((at = memmem(at, (size_t)(end - at), names[i], len))) {
			at += len;
			if (at < end && strchr("/> \t\r\n", *at) && !is_good_i8(at, end))
				return err_set(
				    err, ERR_BAD_XML, "an i8 that is no whole number of 64 bits");
		}
	}
	return true;
}

bool
rpc_read_struct(const struct rpc_reader *reader, xmlrpc_value *from, const struct rpc_struct *type,
    void *to, struct err *err)
{
	xmlrpc_env env;
	int n;
	bool is_found[FIELDS_MAX] = {false};

	if (xmlrpc_value_type(from) != XMLRPC_TYPE_STRUCT)
		return err_set(err, ERR_BAD_VALUE, "a struct is wanted");
	xmlrpc_env_init(&env);
	n = xmlrpc_struct_size(&env, from);
	for (int i = 0; i < n; i++) {
		xmlrpc_value *key, *value; /* borrowed */
		const struct rpc_field *field;
		const char *name;

		xmlrpc_struct_get_key_and_value(&env, from, i, &key, &value);
		if (!read_text(reader->arena, key, &name))
			return err_set(err, ERR_BAD_VALUE, "a member whose name is no text");
		field = find_field(type, name);
		if (!field && !reader->is_strict)
			continue;
		if (!field)
			return err_set(err, ERR_BAD_VALUE, "unknown member '%.64s'", name);
		if (!read_member(reader, value, field, to, err))
			return err_in(err, "%s", name);
		is_found[field - type->fields] = true;
	}
	xmlrpc_env_clean(&env);
	for (const struct rpc_field *field = type->fields; field->name; field++)
		if (!is_found[field - type->fields] && field->type != RPC_OPT_I64 &&
		    field->type != RPC_OPT_TEXT)
			return err_set(err, ERR_BAD_VALUE, "member '%s' is missing", field->name);
	return true;
}

static const struct rpc_field *
find_field(const struct rpc_struct *type, const char *name)
{
	for (const struct rpc_field *field = type->fields; field->name; field++)
		if (!strcmp(field->name, name) && field - type->fields < FIELDS_MAX)
			return field;
	return NULL;
}

static bool
read_member(const struct rpc_reader *reader, xmlrpc_value *from, const struct rpc_field *field,
    char *to, struct err *err)
{
	void *member = to + field->offset;
	struct rpc_opt_i64 *optional = member;

	switch (field->type) {
	case RPC_I64:
		return read_i64(from, member) ||
		       err_set(err, ERR_BAD_VALUE, "a whole number is wanted");
	case RPC_OPT_I64:
		optional->is_set = read_i64(from, &optional->value);
		return optional->is_set || err_set(err, ERR_BAD_VALUE, "a whole number is wanted");
	case RPC_BOOL:
		return read_bool(from, member) ||
		       err_set(err, ERR_BAD_VALUE, "a boolean is wanted");
	case RPC_TEXT:
	case RPC_OPT_TEXT:
		return read_text(reader->arena, from, member) ||
		       err_set(err, ERR_BAD_VALUE, "a string is wanted");
	case RPC_BLOB:
		return read_blob(reader->arena, from, member) ||
		       err_set(err, ERR_BAD_VALUE, "base64 is wanted");
	case RPC_LIST:
		return read_list(reader, from, field, to, err);
	}
	return err_set(err, ERR_INTERNAL, "a field of unknown type");
}

static bool
read_list(const struct rpc_reader *reader, xmlrpc_value *from, const struct rpc_field *field,
    char *to, struct err *err)
{
	xmlrpc_env env;
	char *items;
	size_t n;

	if (xmlrpc_value_type(from) != XMLRPC_TYPE_ARRAY)
		return err_set(err, ERR_BAD_VALUE, "an array is wanted");
	xmlrpc_env_init(&env);
	n = (size_t)xmlrpc_array_size(&env, from);
	items = arena_alloc(reader->arena, n * field->element->size);
	for (size_t i = 0; i < n; i++) {
		xmlrpc_value *item;
		bool is_good;

		xmlrpc_array_read_item(&env, from, (unsigned)i, &item);
		is_good = rpc_read_struct(
		    reader, item, field->element, items + i * field->element->size, err);
		xmlrpc_DECREF(item);
		if (!is_good)
			return err_in(err, "%zu", i);
	}
	xmlrpc_env_clean(&env);
	*(const void **)(void *)(to + field->offset) = items;
	*(size_t *)(void *)(to + field->count_offset) = n;
	return true;
}

static bool
read_i64(xmlrpc_value *from, int64_t *to)
{
	xmlrpc_env env;
	xmlrpc_int64 large = 0;
	xmlrpc_int32 small = 0;
	bool is_good;

	xmlrpc_env_init(&env);
	if (xmlrpc_value_type(from) == XMLRPC_TYPE_INT) {
		xmlrpc_read_int(&env, from, &small);
		large = small;
	} else {
		xmlrpc_read_i8(&env, from, &large);
	}
	is_good = !env.fault_occurred;
	xmlrpc_env_clean(&env);
	if (is_good)
		*to = large;
	return is_good;
}

static bool
read_bool(xmlrpc_value *from, bool *to)
{
	xmlrpc_env env;
	xmlrpc_bool value = 0;
	bool is_good;

	xmlrpc_env_init(&env);
	xmlrpc_read_bool(&env, from, &value);
	is_good = !env.fault_occurred;
	xmlrpc_env_clean(&env);
	if (is_good)
		*to = value != 0;
	return is_good;
}

static bool
read_text(struct arena *arena, xmlrpc_value *from, const char **to)
{
	xmlrpc_env env;
	const char *text = NULL;
	size_t len = 0;
	bool is_good;

	xmlrpc_env_init(&env);
	xmlrpc_read_string_lp(&env, from, &len, &text);
	is_good = !env.fault_occurred && text;
	xmlrpc_env_clean(&env);
	if (!is_good)
		return false;
	*to = arena_copy(arena, text, len);
	rpc_free_text(text);
	return true;
}

static bool
read_blob(struct arena *arena, xmlrpc_value *from, struct rpc_blob *to)
{
	xmlrpc_env env;
	const unsigned char *bytes = NULL;
	size_t size = 0;
	bool is_good;

	xmlrpc_env_init(&env);
	xmlrpc_read_base64(&env, from, &size, &bytes);
	is_good = !env.fault_occurred;
	xmlrpc_env_clean(&env);
	if (!is_good)
		return false;
	*to = (struct rpc_blob){.bytes = arena_copy(arena, bytes, size), .size = size};
	rpc_free_text(bytes);
	return true;
}
