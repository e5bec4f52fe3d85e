/*
 * Specs, attributes and results of rows: one string of `key=value` lines, keys and order from
 * schemas/spec/KIND.def. Plain text, so that engine, plan, hash and golden files need not know the
 * kind. Values are percent-encoded: '%', control characters and newlines as %XX.
 * spec_types.h makes `struct KIND_spec` and its table from the rows, e.g. struct node_spec.
 */
#pragma once

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/str.h"

enum spec_type { SPEC_TYPE_text, SPEC_TYPE_number, SPEC_TYPE_list };

/* A repeated key. */
struct spec_list {
	const char *const *items;
	size_t n;
};

typedef const char *spec_c_text; /* NULL = absent; "" is written */
typedef int64_t spec_c_number;   /* always written */
typedef struct spec_list spec_c_list;

struct spec_field {
	const char *key;
	enum spec_type type;
	size_t offset;
};

struct spec_table {
	const char *kind;
	size_t size;
	const struct spec_field *fields;
	size_t n_fields;
};

extern const struct spec_table node_spec_table, node_attr_spec_table, link_end_spec_table,
    link_end_attr_spec_table, hub_spec_table, hub_attr_spec_table, share_spec_table,
    share_result_spec_table, route_spec_table, route_attr_spec_table, conversion_spec_table;

/* Appends the lines of a spec struct. */
void spec_print(const struct spec_table *table, const void *spec, struct str *out);

/* Reads lines into a spec struct (texts in arena). Unknown keys, repeated keys that are no list,
 * and bad numbers: ERR_BAD_VALUE naming kind and key. */
bool spec_parse(const struct spec_table *table, const char *text, struct arena *arena, void *spec,
    struct err *err) must_check;

/* The value of one key in any such text, decoded, in arena; NULL when absent. */
const char *spec_value(const char *text, const char *key, struct arena *arena);
