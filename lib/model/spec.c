/*
 * Spec structs to text and back, driven by the rows.
 */
#include "lib/model/spec.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/vec.h"
#include "lib/model/spec_types.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TABLE(kind)                                                                                \
	const struct spec_table kind##_spec_table = {                                              \
	    #kind, sizeof(struct kind##_spec), kind##_fields, COUNT(kind##_fields)}

#define SPEC(key, type, doc) {#key, SPEC_TYPE_##type, offsetof(struct node_spec, key)},
static const struct spec_field node_fields[] = {
#include "schemas/spec/node.def"
};
#undef SPEC
TABLE(node);

#define SPEC(key, type, doc) {#key, SPEC_TYPE_##type, offsetof(struct node_attr_spec, key)},
static const struct spec_field node_attr_fields[] = {
#include "schemas/spec/node_attr.def"
};
#undef SPEC
TABLE(node_attr);

#define SPEC(key, type, doc) {#key, SPEC_TYPE_##type, offsetof(struct link_end_spec, key)},
static const struct spec_field link_end_fields[] = {
#include "schemas/spec/link_end.def"
};
#undef SPEC
TABLE(link_end);

#define SPEC(key, type, doc) {#key, SPEC_TYPE_##type, offsetof(struct link_end_attr_spec, key)},
static const struct spec_field link_end_attr_fields[] = {
#include "schemas/spec/link_end_attr.def"
};
#undef SPEC
TABLE(link_end_attr);

#define SPEC(key, type, doc) {#key, SPEC_TYPE_##type, offsetof(struct hub_spec, key)},
static const struct spec_field hub_fields[] = {
#include "schemas/spec/hub.def"
};
#undef SPEC
TABLE(hub);

#define SPEC(key, type, doc) {#key, SPEC_TYPE_##type, offsetof(struct hub_attr_spec, key)},
static const struct spec_field hub_attr_fields[] = {
#include "schemas/spec/hub_attr.def"
};
#undef SPEC
TABLE(hub_attr);

#define SPEC(key, type, doc) {#key, SPEC_TYPE_##type, offsetof(struct share_spec, key)},
static const struct spec_field share_fields[] = {
#include "schemas/spec/share.def"
};
#undef SPEC
TABLE(share);

#define SPEC(key, type, doc) {#key, SPEC_TYPE_##type, offsetof(struct share_result_spec, key)},
static const struct spec_field share_result_fields[] = {
#include "schemas/spec/share_result.def"
};
#undef SPEC
TABLE(share_result);

#define SPEC(key, type, doc) {#key, SPEC_TYPE_##type, offsetof(struct route_spec, key)},
static const struct spec_field route_fields[] = {
#include "schemas/spec/route.def"
};
#undef SPEC
TABLE(route);

#define SPEC(key, type, doc) {#key, SPEC_TYPE_##type, offsetof(struct route_attr_spec, key)},
static const struct spec_field route_attr_fields[] = {
#include "schemas/spec/route_attr.def"
};
#undef SPEC
TABLE(route_attr);

#define SPEC(key, type, doc) {#key, SPEC_TYPE_##type, offsetof(struct conversion_spec, key)},
static const struct spec_field conversion_fields[] = {
#include "schemas/spec/conversion.def"
};
#undef SPEC
TABLE(conversion);

enum { FIELDS_MAX = 32 };

typedef vec_of(const char *) text_vec;

static void put_line(struct str *out, const char *key, const char *value);
static char *decode(struct arena *arena, const char *text, size_t size);
static const char *next_line(const char **text, const char **value, size_t *key_size, size_t *size);
static bool read_number(
    const struct spec_table *table, const char *key, const char *text, void *slot, struct err *err);
static struct spec_list list_of(struct arena *arena, const text_vec *values);

void
spec_print(const struct spec_table *table, const void *spec, struct str *out)
{
	for (size_t i = 0; i < table->n_fields; i++) {
		const struct spec_field *field = &table->fields[i];
		const void *slot = (const char *)spec + field->offset;

		if (field->type == SPEC_TYPE_number) {
			str_addf(
			    out, "%s=%lld\n", field->key, (long long)*(const spec_c_number *)slot);
		} else if (field->type == SPEC_TYPE_text) {
			if (*(const spec_c_text *)slot)
				put_line(out, field->key, *(const spec_c_text *)slot);
		} else {
			const spec_c_list *list = slot;

			for (size_t k = 0; k < list->n; k++)
				put_line(out, field->key, list->items[k]);
		}
	}
}

static bool
read_field(const struct spec_table *table, const struct spec_field *field, const text_vec *values,
    void *slot, struct err *err)
{
	if (field->type != SPEC_TYPE_list && values->n > 1)
		return err_set(
		    err, ERR_BAD_VALUE, "%s: '%s' is given twice", table->kind, field->key);
	if (field->type == SPEC_TYPE_number) {
		if (!values->n)
			return err_set(
			    err, ERR_BAD_VALUE, "%s: '%s' is missing", table->kind, field->key);
		return read_number(table, field->key, values->items[0], slot, err);
	}
	if (field->type == SPEC_TYPE_text)
		*(spec_c_text *)slot = values->n ? values->items[0] : NULL;
	return true;
}

/* The row of a key; they are written in the order of the rows, so it is mostly the next one. */
static size_t
find_row(const struct spec_table *table, const char *key, size_t size, size_t guess)
{
	for (size_t i = 0; i < table->n_fields; i++) {
		size_t at = (guess + i) % table->n_fields;

		if (!strncmp(table->fields[at].key, key, size) && !table->fields[at].key[size])
			return at;
	}
	return table->n_fields;
}

/* The values of each key in the order of the rows, decoded. */
static bool
read_lines(const struct spec_table *table, const char *text, struct arena *arena, text_vec *values,
    struct err *err)
{
	const char *key, *value;
	size_t key_size, size, at = 0;

	while ((key = next_line(&text, &value, &key_size, &size))) {
		at = find_row(table, key, key_size, at);
		if (!value || at == table->n_fields)
			return err_set(err, ERR_BAD_VALUE, "%s: unknown key '%.*s'", table->kind,
			    (int)(key_size < 64 ? key_size : 64), key);
		vec_push(&values[at], decode(arena, value, size));
	}
	return true;
}

static bool
read_fields(const struct spec_table *table, const text_vec *values, struct arena *arena, void *spec,
    struct err *err)
{
	memset(spec, 0, table->size);
	for (size_t i = 0; i < table->n_fields; i++) {
		const struct spec_field *field = &table->fields[i];
		void *slot = (char *)spec + field->offset;

		if (!read_field(table, field, &values[i], slot, err))
			return false;
		if (field->type == SPEC_TYPE_list)
			*(spec_c_list *)slot = list_of(arena, &values[i]);
	}
	return true;
}

bool
spec_parse(const struct spec_table *table, const char *text, struct arena *arena, void *spec,
    struct err *err)
{
	text_vec values[FIELDS_MAX] = {0};
	bool is_good = table->n_fields <= FIELDS_MAX ||
		       err_set(err, ERR_INTERNAL, "%s: too many keys", table->kind);

	is_good = is_good && read_lines(table, text, arena, values, err) &&
		  read_fields(table, values, arena, spec, err);
	for (size_t i = 0; i < FIELDS_MAX; i++)
		vec_done(&values[i]);
	return is_good;
}

const char *
spec_value(const char *text, const char *key, struct arena *arena)
{
	const char *found, *value;
	size_t key_size, size, wanted = strlen(key);

	while ((found = next_line(&text, &value, &key_size, &size)))
		if (value && key_size == wanted && !memcmp(found, key, wanted))
			return decode(arena, value, size);
	return NULL;
}

static void
put_line(struct str *out, const char *key, const char *value)
{
	str_addf(out, "%s=", key);
	for (; *value; value++) {
		unsigned char byte = (unsigned char)*value;

		if (byte < ' ' || byte == '%' || byte == 0x7f)
			str_addf(out, "%%%02X", byte);
		else
			str_add_bytes(out, value, 1);
	}
	str_add(out, "\n");
}

static int
hex_digit(char digit)
{
	const char *digits = "0123456789ABCDEF", *at = digit ? strchr(digits, digit) : NULL;

	return at ? (int)(at - digits) : -1;
}

static char *
decode(struct arena *arena, const char *text, size_t size)
{
	char *out = arena_alloc(arena, size + 1), *end = out;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '%' && i + 2 < size && hex_digit(text[i + 1]) >= 0 &&
		    hex_digit(text[i + 2]) >= 0) {
			*end++ = (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
			i += 2;
		} else {
			*end++ = text[i];
		}
	}
	return out;
}

/* The next line's key, NULL at the end; value is NULL when the line has no '='. */
static const char *
next_line(const char **text, const char **value, size_t *key_size, size_t *size)
{
	const char *line = *text, *end, *equals;

	if (!*line)
		return NULL;
	end = strchrnul(line, '\n');
	equals = memchr(line, '=', (size_t)(end - line));
	*value = equals ? equals + 1 : NULL;
	*key_size = (size_t)((equals ? equals : end) - line);
	*size = equals ? (size_t)(end - equals - 1) : 0;
	*text = *end ? end + 1 : end;
	return line;
}

static bool
read_number(
    const struct spec_table *table, const char *key, const char *text, void *slot, struct err *err)
{
	long long number;

	if (!str_to_i64(text, INT64_MIN, INT64_MAX, &number))
		return err_set(
		    err, ERR_BAD_VALUE, "%s: %s='%.40s' is no number", table->kind, key, text);
	*(spec_c_number *)slot = number;
	return true;
}

static struct spec_list
list_of(struct arena *arena, const text_vec *values)
{
	const char **items = arena_alloc(arena, values->n * sizeof(*items));

	for (size_t i = 0; i < values->n; i++)
		items[i] = values->items[i];
	return (struct spec_list){items, values->n};
}
