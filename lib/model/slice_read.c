/*
 * Pass 1: guard, tree, grammar, references, model. First step of a slice's way (ARCHITECTURE §4);
 * sncd calls it with what a user sent.
 */
#include "lib/model/slice_read.h"

enum { SLICE_BYTES_MAX = 1 << 20, SLICE_DEPTH_MAX = 32, SLICE_ATTRIBUTES_MAX = 16 };

bool
slice_read(
    const char *bytes, size_t size, struct arena *arena, struct slice **slice, diagnoses *found)
{
	static const struct xml_limits limits = {
	    .bytes = SLICE_BYTES_MAX, .depth = SLICE_DEPTH_MAX, .attributes = SLICE_ATTRIBUTES_MAX};
	size_t before = found->n;
	struct err err = {0};
	struct xml_element *root = xml_read(bytes, size, &limits, arena, &err);

	if (!root) {
		if (err.code == ERR_LIMIT) /* the language has one code for all it will not open */
			err.code = ERR_X19;
		err_subject(&err, "document");
		diagnoses_push(found, &err);
		return false;
	}
	if (!xml_check(root, &slice_grammar, arena, found) && found->items[before].code == ERR_X02)
		return false;
	slice_read_references(root, found);
	diagnoses_sort(found);
	if (diagnoses_errors(found, before))
		return false;
	*slice = slice_read_build(root, arena);
	return true;
}
