/*
 * INI files. A value set twice keeps its first place and its last value, so that a drop-in changes
 * a line of the file in front of it.
 */
#include "lib/base/conf.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/nearest.h"
#include "lib/base/vec.h"

enum { LINE_MAX_SIZE = 4096 };

struct entry {
	char *section;
	char *key;
	char *value;
	char *file;
	unsigned line;
};

struct conf {
	vec_of(struct entry) entries;
};

struct row {
	const char *section;
	const char *key;
	const char *otherwise;
};

static const struct row rows[] = {
#define CONF(section, key, otherwise, doc) {section, key, otherwise},
#include "schemas/conf.def"
#undef CONF
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

/* Where the reader is. */
struct reader {
	struct conf *conf;
	const char *file;
	unsigned line;
	char section[128];
};

static bool read_file(struct conf *conf, const char *file, struct err *err);
static bool read_drop_ins(struct conf *conf, const char *file, struct err *err);
static bool read_line(struct reader *reader, char *line, struct err *err);
static bool read_section(struct reader *reader, char *line, struct err *err);
static void put(struct reader *reader, const char *key, const char *value);
static struct entry *find(const struct conf *conf, const char *section, const char *key);
static const struct row *find_row(const char *section, const char *key);
static void warn_unknown(const struct reader *reader, const char *key);
static char *trim(char *text);

void
conf_free(struct conf *conf)
{
	if (!conf)
		return;
	vec_each (entry, &conf->entries) {
		free(entry->section);
		free(entry->key);
		free(entry->value);
		free(entry->file);
	}
	vec_done(&conf->entries);
	free(conf);
}

struct conf *
conf_read(const char *file, struct err *err)
{
	auto_conf struct conf *conf = xcalloc(1, sizeof(*conf));

	if (!read_file(conf, file, err) || !read_drop_ins(conf, file, err))
		return NULL;
	return take(conf);
}

const char *
conf_text(const struct conf *conf, const char *section, const char *key)
{
	const struct entry *entry = find(conf, section, key);
	const struct row *row = entry ? NULL : find_row(section, key);

	if (entry)
		return entry->value;
	return row ? row->otherwise : NULL;
}

bool
conf_i64(const struct conf *conf, const struct conf_number *number, int64_t *value, struct err *err)
{
	const struct entry *entry = find(conf, number->section, number->key);
	const char *text = conf_text(conf, number->section, number->key);
	long long read;

	if (!text)
		return err_set(
		    err, ERR_NOT_FOUND, "[%s] %s is not set", number->section, number->key);
	if (str_to_i64(text, number->min, number->max, &read)) {
		*value = read;
		return true;
	}
	return err_set(err, ERR_BAD_VALUE,
	    "%s:%u: [%s] %s=%s: a whole number from %lld to %lld is wanted",
	    entry ? entry->file : "default", entry ? entry->line : 0, number->section, number->key,
	    text, (long long)number->min, (long long)number->max);
}

bool
conf_each(
    const struct conf *conf, const char *section, size_t at, const char **key, const char **value)
{
	vec_each (entry, &conf->entries) {
		if (strcmp(entry->section, section) != 0 || at--)
			continue;
		*key = entry->key;
		*value = entry->value;
		return true;
	}
	return false;
}

/* Is it the first entry of its section? */
static bool
is_first(const struct conf *conf, const struct entry *entry)
{
	for (const struct entry *other = conf->entries.items; other < entry; other++)
		if (!strcmp(other->section, entry->section))
			return false;
	return true;
}

bool
conf_section(const struct conf *conf, const char *prefix, size_t at, const char **section)
{
	vec_each (entry, &conf->entries) {
		if (strncmp(entry->section, prefix, strlen(prefix)) != 0 ||
		    !is_first(conf, entry) || at--)
			continue;
		*section = entry->section;
		return true;
	}
	return false;
}

void
conf_print(const struct conf *conf, struct str *out)
{
	const char *section = "";

	vec_each (first, &conf->entries) {
		if (!is_first(conf, first))
			continue;
		section = first->section;
		str_addf(out, "%s[%s]\n", out->len ? "\n" : "", section);
		for (const struct entry *entry = first;
		     entry < conf->entries.items + conf->entries.n; entry++)
			if (!strcmp(entry->section, section))
				str_addf(out, "%s=%s\n", entry->key, entry->value);
		for (size_t i = 0; i < N_ROWS; i++)
			if (!strcmp(rows[i].section, section) && rows[i].otherwise &&
			    !find(conf, section, rows[i].key))
				str_addf(out, "%s=%s\n", rows[i].key, rows[i].otherwise);
	}
}

/* ---- reading ---- */

static bool
read_file(struct conf *conf, const char *file, struct err *err)
{
	struct reader reader = {.conf = conf, .file = file};
	FILE *stream = fopen(file, "re");
	char line[LINE_MAX_SIZE];
	bool is_good = true;

	if (!stream)
		return err_set(
		    err, ERR_NOT_FOUND, "'%s' cannot be read: %s", file, strerror(errno));
	while (is_good && fgets(line, sizeof(line), stream)) {
		reader.line++;
		if (strlen(line) == sizeof(line) - 1 && line[sizeof(line) - 2] != '\n')
			is_good =
			    err_set(err, ERR_LIMIT, "%s:%u: too long a line", file, reader.line);
		else
			is_good = read_line(&reader, line, err);
	}
	fclose(stream);
	return is_good;
}

static int
is_conf_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && entry->d_name[0] != '.' && !strcmp(entry->d_name + len - 5, ".conf");
}

static bool
read_drop_ins(struct conf *conf, const char *file, struct err *err)
{
	auto_str struct str dir = {0}, path = {0};
	struct dirent **names;
	bool is_good = true;
	int n;

	str_addf(&dir, "%s.d", file);
	n = scandir(str_text(&dir), &names, is_conf_file, alphasort);
	for (int i = 0; i < n; i++) {
		str_clear(&path);
		str_addf(&path, "%s/%s", str_text(&dir), names[i]->d_name);
		is_good = is_good && read_file(conf, str_text(&path), err);
		free(names[i]);
	}
	if (n >= 0)
		free((void *)names);
	return is_good;
}

static bool
read_line(struct reader *reader, char *line, struct err *err)
{
	char *text = trim(line), *equals;

	if (!text[0] || text[0] == '#' || text[0] == ';')
		return true;
	if (text[0] == '[')
		return read_section(reader, text, err);
	equals = strchr(text, '=');
	if (!equals || equals == text)
		return err_set(err, ERR_BAD_VALUE, "%s:%u: neither [section] nor key=value",
		    reader->file, reader->line);
	if (!reader->section[0])
		return err_set(err, ERR_BAD_VALUE, "%s:%u: a key in front of the first [section]",
		    reader->file, reader->line);
	*equals = '\0';
	put(reader, trim(text), trim(equals + 1));
	return true;
}

static bool
read_section(struct reader *reader, char *line, struct err *err)
{
	size_t len = strlen(line);

	if (line[len - 1] != ']' || len < 3 || len - 2 >= sizeof(reader->section))
		return err_set(err, ERR_BAD_VALUE, "%s:%u: '%s' is no section", reader->file,
		    reader->line, line);
	memcpy(reader->section, line + 1, len - 2);
	reader->section[len - 2] = '\0';
	return true;
}

static void
put(struct reader *reader, const char *key, const char *value)
{
	struct entry *entry = find(reader->conf, reader->section, key);

	if (!find_row(reader->section, key))
		warn_unknown(reader, key);
	if (entry) {
		free(entry->value);
		free(entry->file);
	} else {
		entry = vec_add(&reader->conf->entries);
		entry->section = xstrdup(reader->section);
		entry->key = xstrdup(key);
	}
	entry->value = xstrdup(value);
	entry->file = xstrdup(reader->file);
	entry->line = reader->line;
}

static struct entry *
find(const struct conf *conf, const char *section, const char *key)
{
	vec_each (entry, &conf->entries)
		if (!strcmp(entry->section, section) && !strcmp(entry->key, key))
			return entry;
	return NULL;
}

/* A row's "*" stands for any rest. */
static bool
fits(const char *pattern, const char *text)
{
	size_t len = strlen(pattern);

	if (len && pattern[len - 1] == '*')
		return !strncmp(pattern, text, len - 1);
	return !strcmp(pattern, text);
}

static const struct row *
find_row(const char *section, const char *key)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (fits(rows[i].section, section) && fits(rows[i].key, key))
			return &rows[i];
	return NULL;
}

static void
warn_unknown(const struct reader *reader, const char *key)
{
	struct nearest nearest = {.word = key};
	auto_str struct str hint = {0};

	for (size_t i = 0; i < N_ROWS; i++)
		if (fits(rows[i].section, reader->section))
			nearest_offer(&nearest, rows[i].key);
	if (nearest.best)
		str_addf(&hint, " (did you mean '%s'?)", nearest.best);
	log_warn("conf", "%s:%u: [%s] has no key '%s'%s", reader->file, reader->line,
	    reader->section, key, str_text(&hint));
}

static char *
trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}
