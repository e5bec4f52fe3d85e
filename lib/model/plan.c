/*
 * The plan as text: ids as <0>, <1>, … in order of appearance, so that golden files stay put.
 */
#include "lib/model/plan.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/id.h"
#include "lib/base/vec.h"

struct ids {
	uint32_t epoch; /* of the plan: other words that read as ids are left alone */
	vec_of(uint64_t) seen;
};

static void
add_id(struct ids *ids, uint64_t id, struct str *out)
{
	size_t at = 0;

	while (at < ids->seen.n && ids->seen.items[at] != id)
		at++;
	if (at == ids->seen.n)
		vec_push(&ids->seen, id);
	str_addf(out, "<%zu>", at);
}

static size_t
word_length(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]))
		n++;
	return n;
}

/* A word of 13 characters that reads as an id of the plan's epoch. */
static bool
is_id(const struct ids *ids, const char *word, size_t length, uint64_t *id)
{
	char text[ID_TEXT_SIZE];
	struct err err;

	if (length != ID_TEXT_SIZE - 1)
		return false;
	memcpy(text, word, length);
	text[length] = '\0';
	return id_parse(text, id, &err) && id_epoch(*id) == ids->epoch;
}

static void
add_lines(struct ids *ids, const char *label, const char *text, struct str *out)
{
	while (*text) {
		size_t line = strcspn(text, "\n");

		str_addf(out, "  %s ", label);
		for (const char *at = text; at < text + line;) {
			size_t length = word_length(at);
			uint64_t id;

			if (is_id(ids, at, length, &id))
				add_id(ids, id, out);
			else
				str_add_bytes(out, at, length ? length : 1);
			at += length ? length : 1;
		}
		str_add(out, "\n");
		text += line + (text[line] == '\n');
	}
}

void
plan_print(const struct plan *plan, struct str *out)
{
	struct ids ids = {0};

	for (size_t i = 0; i < plan->n_rows; i++) {
		const struct plan_row *row = &plan->rows[i];

		ids.epoch = id_epoch(row->rid);
		add_id(&ids, row->rid, out);
		str_addf(out, " %s %s: %s\n", row->manager, row->kind, row->subject);
		add_lines(&ids, "spec", row->spec, out);
		add_lines(&ids, "attr", row->attr, out);
	}
	vec_done(&ids.seen);
}
