/*
 * What people and programs read: tables, JSON, errors.
 */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/api/json_print.h"
#include "lib/base/clock.h"

enum { COLUMNS_MAX = 12 };

struct cli_table {
	size_t n_columns;
	size_t widths[COLUMNS_MAX];
	char **cells;
	size_t n_cells;
};

/* A sentence may begin with its subject; then it is not said twice. */
static void
print_head(const char *severity, const char *subject, const char *text, const char *code)
{
	bool is_said = !strncmp(text, subject, strlen(subject));

	fprintf(stderr, "%s: %s%s%s [%s]\n", severity, is_said ? "" : subject, is_said ? "" : ": ",
	    text, code);
}

int
cli_fail(const struct cli *cli, const struct err *err, const char *file)
{
	if (cli->flags.json) {
		auto_str struct str json = {0};

		json_print_err(err, &json);
		fprintf(stderr, "%s\n", json.text);
		return err_code_exit(err->code);
	}
	print_head("error", err->subject, err->text, err_code_text(err->code));
	if (err->line)
		fprintf(stderr, "  at %s:%u%s%s\n", file ? file : "line", err->line,
		    err->xpath[0] ? " " : "", err->xpath);
	if (err->hint[0])
		fprintf(stderr, "  try: %s\n", err->hint);
	return err_code_exit(err->code);
}

void
cli_diagnosis(const struct snc_diagnosis *diagnosis, const char *file)
{
	print_head(diagnosis->severity, diagnosis->subject, diagnosis->message, diagnosis->code);
	if (diagnosis->line)
		fprintf(stderr, "  at %s:%lld%s%s\n", file ? file : "line",
		    (long long)diagnosis->line, diagnosis->xpath[0] ? " " : "", diagnosis->xpath);
	if (diagnosis->hint[0])
		fprintf(stderr, "  try: %s\n", diagnosis->hint);
}

void
cli_json(const struct rpc_service *service, const char *method, const void *result)
{
	auto_str struct str json = {0};

	json_print_result(service, method, result, &json);
	puts(str_text(&json));
}

void
cli_json_event(const struct snc_event *event, FILE *out)
{
	auto_str struct str json = {0};

	for (size_t i = 0; i < snc_service.n_methods; i++)
		if (!strcmp(snc_service.methods[i].name, "events"))
			json_print_struct(
			    snc_service.methods[i].result->fields[0].element, event, &json);
	fprintf(out, "%s\n", str_text(&json));
}

void
cli_print_event(const struct snc_event *event)
{
	time_t seconds = (time_t)(event->at_ms / 1000);
	struct tm tm;
	char when[32];

	localtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%s  %-24s %-10s %s\n", when, event->subject, event->what, event->text);
}

static void
add_cell(struct cli_table *table, const char *text)
{
	size_t column = table->n_cells % table->n_columns;

	text = text && text[0] ? text : "-";
	if (strlen(text) > table->widths[column])
		table->widths[column] = strlen(text);
	table->cells = xrealloc(table->cells, (table->n_cells + 1) * sizeof(*table->cells));
	table->cells[table->n_cells++] = xstrdup(text);
}

struct cli_table *
cli_table_new(size_t n_columns, ...)
{
	struct cli_table *table = xcalloc(1, sizeof(*table));
	va_list headings;

	table->n_columns = n_columns;
	va_start(headings, n_columns);
	for (size_t i = 0; i < n_columns; i++)
		add_cell(table, va_arg(headings, const char *));
	va_end(headings);
	return table;
}

void
cli_table_row(struct cli_table *table, ...)
{
	va_list cells;

	va_start(cells, table);
	for (size_t i = 0; i < table->n_columns; i++)
		add_cell(table, va_arg(cells, const char *));
	va_end(cells);
}

void
cli_table_print(struct cli_table *table)
{
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t column = i % table->n_columns;
		bool is_last = column + 1 == table->n_columns;

		printf("%-*s%s", is_last ? 0 : (int)table->widths[column], table->cells[i],
		    is_last ? "\n" : "  ");
		free(table->cells[i]);
	}
	free(table->cells);
	free(table);
}

const char *
cli_age(struct cli *cli, int64_t since_ms)
{
	int64_t seconds = (clock_wall_ms(&clock_real) - since_ms) / 1000;

	if (seconds < 60)
		return arena_format(cli->arena, "%llds", (long long)(seconds < 0 ? 0 : seconds));
	if (seconds < 3600)
		return arena_format(
		    cli->arena, "%lldm%llds", (long long)seconds / 60, (long long)seconds % 60);
	return arena_format(
	    cli->arena, "%lldh%lldm", (long long)seconds / 3600, (long long)seconds / 60 % 60);
}
