/*
 * The one place that writes log lines. A line is built first and written by one call, so lines of
 * threads do not mix; control characters become '?', so a line stays a line.
 */
#include "lib/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static _Atomic(enum log_level) lowest = LOG_LEVEL_INFO;
static log_sink *sink_call;
static void *sink_self;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static void write_line(enum log_level level, const char *module, const char *format, va_list args)
    printf_like(3, 0);

void
log_set_level(enum log_level level)
{
	lowest = level;
}

bool
log_level_parse(const char *text, enum log_level *level, struct err *err)
{
	for (int i = 0; i <= LOG_LEVEL_DEBUG; i++)
		if (!strcmp(text, level_names[i])) {
			*level = (enum log_level)i;
			return true;
		}
	return err_set(err, ERR_BAD_VALUE, "'%s' is no log level (error, warn, info, debug)", text);
}

void
log_set_sink(log_sink *sink, void *self)
{
	sink_call = sink;
	sink_self = self;
}

#define LOG_FUNCTION(name, level)                                                                  \
	void name(const char *module, const char *format, ...)                                     \
	{                                                                                          \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, format);                                                            \
		write_line(level, module, format, args);                                           \
		va_end(args);                                                                      \
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

static void
write_line(enum log_level level, const char *module, const char *format, va_list args)
{
	char line[2048];
	struct timespec now;
	struct tm tm;
	size_t used;

	if (level > lowest)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	used = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
	used += (size_t)snprintf(line + used, sizeof(line) - used,
	    ".%03ldZ %s %s: ", now.tv_nsec / 1000000, level_names[level], module);
	vsnprintf(line + used, sizeof(line) - used - 1, format, args);
	used = strlen(line);
	for (size_t i = 0; i < used; i++)
		if ((unsigned char)line[i] < ' ')
			line[i] = '?';
	if (sink_call) {
		sink_call(sink_self, level, line);
		return;
	}
	line[used++] = '\n';
	if (write(STDERR_FILENO, line, used) < 0)
		return; /* nowhere left to say it */
}
