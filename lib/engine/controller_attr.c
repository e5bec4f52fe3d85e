/*
 * References in attributes: `${RID.KEY}` stands for the value of KEY in what the reserve of row
 * RID answered.
 */
#include <string.h>

#include "lib/base/id.h"
#include "lib/base/str.h"
#include "lib/engine/controller_part.h"

static bool resolve_one(
    struct txn *txn, const struct known *known, char *rid_text, struct str *out, struct err *err);
static const char *find_value(const char *lines, const char *key, size_t *len);

bool
attr_resolve(struct txn *txn, const struct known *known, const char *attr, struct arena *arena,
    const char **resolved, struct err *err)
{
	auto_str struct str out = {0};
	const char *at = attr, *open;

	if (!strstr(attr, "${")) {
		*resolved = arena_text(arena, attr);
		return true;
	}
	while ((open = strstr(at, "${"))) {
		const char *close = strchr(open, '}');

		if (!close)
			return err_set(
			    err, ERR_BAD_VALUE, "a reference without its end in '%s'", open);
		str_add_bytes(&out, at, (size_t)(open - at));
		if (!resolve_one(txn, known,
			arena_copy(arena, open + 2, (size_t)(close - open) - 2), &out, err))
			return false;
		at = close + 1;
	}
	str_add(&out, at);
	*resolved = arena_text(arena, out.text);
	return true;
}

static bool
resolve_one(
    struct txn *txn, const struct known *known, char *rid_text, struct str *out, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	char *key = strchr(rid_text, '.');
	const struct stored_row *row;
	const char *value;
	struct stored_row read;
	size_t value_len;
	uint64_t rid;

	if (!key)
		return err_set(err, ERR_BAD_VALUE, "reference '%s' has no key", rid_text);
	*key++ = '\0';
	row = id_parse(rid_text, &rid, NULL) && known ? known_row(known, rid) : NULL;
	if (!row && id_parse(rid_text, &rid, NULL) && stored_row(txn, rid, arena, &read, NULL))
		row = &read;
	if (!row)
		return err_set(err, ERR_BAD_VALUE, "reference to '%s', which is no row", rid_text);
	value = find_value(row->state.result ? row->state.result : "", key, &value_len);
	if (!value)
		return err_set(
		    err, ERR_BAD_VALUE, "%s has not answered '%s'", row->state.row.subject, key);
	str_add_bytes(out, value, value_len);
	return true;
}

static const char *
find_value(const char *lines, const char *key, size_t *len)
{
	size_t key_len = strlen(key);

	for (const char *line = lines; *line;) {
		size_t line_len = strcspn(line, "\n");

		if (line_len > key_len && !strncmp(line, key, key_len) && line[key_len] == '=') {
			*len = line_len - key_len - 1;
			return line + key_len + 1;
		}
		line += line_len + (line[line_len] == '\n');
	}
	return NULL;
}
