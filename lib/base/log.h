/*
 * Log lines: one line, tagged with the module, `key=value`. stderr, or the sink a test has set.
 * Any thread. Libraries stay silent above debug; a service logs a failed request once.
 */
#pragma once

#include "lib/base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

typedef void log_sink(void *self, enum log_level level, const char *line);

/* The lowest level that is written; info at start. */
void log_set_level(enum log_level level);

/* "error", "warn", "info" or "debug"; ERR_BAD_VALUE otherwise. */
bool log_level_parse(const char *text, enum log_level *level, struct err *err) must_check;

/* Where lines go instead of stderr; NULL restores stderr. For tests, before threads start. */
void log_set_sink(log_sink *sink, void *self);

void log_error(const char *module, const char *format, ...) printf_like(2, 3);
void log_warn(const char *module, const char *format, ...) printf_like(2, 3);
void log_info(const char *module, const char *format, ...) printf_like(2, 3);
void log_debug(const char *module, const char *format, ...) printf_like(2, 3);
