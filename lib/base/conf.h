/*
 * Configuration files: INI with sections, hash comments, drop-ins FILE.d (all .conf) in lexical
 * order. Known keys and their defaults are rows of schemas/conf.def: CONF(section, key, default,
 * doc).
 */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

struct conf;

void conf_free(struct conf *conf);

/* Reads file and drop-ins. Errors name file and line; unknown keys are warnings in the log with the
 * nearest spelling. */
struct conf *conf_read(const char *file, struct err *err) malloc_by(conf_free) must_check;

/* The value, its default from conf.def, or NULL. Borrowed. */
const char *conf_text(const struct conf *conf, const char *section, const char *key);

/* A key whose value is a whole number within [min, max]. */
struct conf_number {
	const char *section;
	const char *key;
	int64_t min, max;
};

/* Its value, or the default of conf.def. ERR_BAD_VALUE names file, line and key; a key that is
 * neither set nor has a default is ERR_NOT_FOUND. */
bool conf_i64(const struct conf *conf, const struct conf_number *number, int64_t *value,
    struct err *err) must_check;

/* All keys of a section in file order: at = 0, 1, …; false at the end. For sections whose keys are
 * names ([underlay] u0=1Gbps). */
bool conf_each(
    const struct conf *conf, const char *section, size_t at, const char **key, const char **value);

/* The sections whose names begin so, each once, in file order: at = 0, 1, …; false at the end. */
bool conf_section(const struct conf *conf, const char *prefix, size_t at, const char **section);

/* The effective configuration, as --print-config shows it: what is set, and all defaults of the
 * sections that are used. */
void conf_print(const struct conf *conf, struct str *out);

static inline void
conf_cleanup(struct conf **conf)
{
	conf_free(*conf);
}

#define auto_conf __attribute__((cleanup(conf_cleanup)))
