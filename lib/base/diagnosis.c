/*
 * The bounded list of what a check found.
 */
#include "lib/base/diagnosis.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

static struct err *add_entry(diagnoses *found);

struct err *
diagnose(
    diagnoses *found, unsigned line, const char *xpath, enum err_code code, const char *format, ...)
{
	struct err *entry = add_entry(found);
	va_list args;

	if (!entry)
		return NULL;
	*entry = (struct err){.code = code};
	va_start(args, format);
	vsnprintf(entry->text, sizeof(entry->text), format, args);
	va_end(args);
	err_at(entry, line, xpath);
	return entry;
}

void
diagnoses_push(diagnoses *found, const struct err *err)
{
	struct err *entry = add_entry(found);

	if (entry)
		*entry = *err;
}

/* A remark that the list is full stays behind all lines. */
static unsigned
rank(const struct err *entry)
{
	return entry->code == ERR_LIMIT && !entry->line ? UINT32_MAX : entry->line;
}

void
diagnoses_sort(diagnoses *found)
{
	for (size_t i = 1; i < found->n; i++) {
		struct err moved = found->items[i];
		size_t k = i;

		for (; k > 0 && rank(&found->items[k - 1]) > rank(&moved); k--)
			found->items[k] = found->items[k - 1];
		if (k < i)
			found->items[k] = moved;
	}
}

size_t
diagnoses_errors(const diagnoses *found, size_t from)
{
	size_t n = 0;

	for (size_t i = from; i < found->n; i++)
		n += !found->items[i].is_warning;
	return n;
}

static struct err *
add_entry(diagnoses *found)
{
	if (found->n >= DIAGNOSES_MAX)
		return NULL;
	if (found->n < DIAGNOSES_MAX - 1)
		return vec_add(found);
	err_set(
	    vec_add(found), ERR_LIMIT, "there are more faults than these %d", DIAGNOSES_MAX - 1);
	return NULL;
}
