/*
 * The types of slivers and their keys, as tables (docs/slice-language.md chapter 6). Private to
 * lib/model: what slice_defaults reads and slice_check allows.
 */
#pragma once

#include "lib/model/slice.h"

enum slice_unit {
	SLICE_UNIT_RATE,
	SLICE_UNIT_SIZE,
	SLICE_UNIT_TIME,
	SLICE_UNIT_RATIO, /* parts per million */
	SLICE_UNIT_COUNT,
	SLICE_UNIT_NUMBER, /* a whole number within min and max */
	SLICE_UNIT_WORD,   /* one of words; the value is its position */
	SLICE_UNIT_TEXT,
	SLICE_UNIT_REFERENCE /* words is the prefix: "image:" */
};

struct slice_key {
	const char *key; /* NULL ends the table */
	bool is_param;   /* else a resource */
	bool is_mandatory;
	bool is_for_operators;
	bool is_planned; /* in the language, not built by this version */
	enum slice_unit unit;
	int64_t min, max; /* of a number or count; 0 = no bound */
	const char *words;
};

struct slice_type {
	const char *type, *subtype;
	bool is_planned;
	const struct slice_key *keys;
	struct slice_carrier carrier; /* of a link */
};

/* The types of links and of nodes, ended by a NULL type. */
extern const struct slice_type slice_link_types[], slice_node_types[];

/* Keys of the other places that have some. */
extern const struct slice_key slice_vport_keys[], slice_access_point_keys[];

/* NULL when there is none. Of a type that comes from a plug-in there is none. */
const struct slice_type *slice_type_find(
    const struct slice_type *types, const char *type, const char *subtype);

/* The keys that a link of this type may have: a subtype that the operator has named has those of
 * GRE, an experimental definition (type "extension") its plug-ins beside. */
const struct slice_key *slice_link_keys(const char *type, const char *subtype);

const struct slice_key *slice_key_find(const struct slice_key *keys, const char *key);

/* The value in the key's unit; 0 for texts and references. ERR_S08. */
bool slice_key_value(
    const struct slice_key *key, const char *text, int64_t *value, struct err *err) must_check;

/* The pair of that key; NULL when absent. */
const struct slice_pair *slice_pair_find(const struct slice_pairs *pairs, const char *key);
