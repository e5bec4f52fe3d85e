/*
 * vnode link capture: streams of one end, or of both as two interfaces, into one pcapng file.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

enum { ENDS_MAX = 2, WAIT_MS = 1000 };

/* One end under way. */
struct stream {
	const char *end;     /* as sncd told it */
	const char *capture; /* its id; NULL = not begun */
	int64_t cursor;
	bool is_ended;
	const char *why;
	int64_t seen, dropped;
};

struct work {
	struct cli *cli;
	const struct rpc_client *snc;
	const char *slice, *link;
	FILE *out;
	struct stream streams[ENDS_MAX];
	size_t n_streams;
};

static volatile sig_atomic_t is_interrupted;

static void
interrupt(int number)
{
	(void)number;
	is_interrupted = 1;
}

static bool
read_count(const char *flag, const char *text, int64_t *value, struct err *err)
{
	long long number = 0;

	if (text && !str_to_i64(text, 1, INT32_MAX, &number))
		return err_set(err, ERR_USAGE, "--%s '%s': a number was expected", flag, text);
	*value = number;
	return true;
}

static bool
read_wish(struct work *work, struct snc_capture_start_args *wish, struct err *err)
{
	const struct cli_flags *flags = &work->cli->flags;

	*wish = (struct snc_capture_start_args){
	    .slice = work->slice,
	    .link = work->link,
	    .filter = flags->filter ? flags->filter : "",
	    .device = flags->device,
	};
	return read_count("snaplen", flags->snaplen, &wish->snaplen, err) &&
	       read_count("count", flags->count, &wish->frames, err) &&
	       (!flags->duration || cli_time("for", flags->duration, &wish->ms, err));
}

/* A pipe that nobody reads any more ends the command, quietly. */
static bool
put(struct work *work, const struct rpc_blob *bytes)
{
	return fwrite(bytes->bytes, 1, bytes->size, work->out) == bytes->size &&
	       fflush(work->out) == 0;
}

static bool
start(struct work *work, const struct snc_capture_start_args *wish, struct err *err)
{
	struct stream *stream = &work->streams[work->n_streams];
	struct snc_capture_start_args args = *wish;
	struct snc_capture_start_result result;

	args.interface = (int64_t)work->n_streams;
	if (!snc_capture_start_call(work->snc, work->cli->arena, &args, &result, err))
		return false;
	*stream = (struct stream){.end = result.end, .capture = result.capture, .why = ""};
	work->n_streams++;
	if (work->n_streams == 1)
		fprintf(stderr, "capturing %s/%s at %s on %s\n", work->slice, work->link,
		    result.end, result.host);
	if (!put(work, &result.head))
		return err_set(err, ERR_INTERNAL, "the file cannot be written");
	return true;
}

/* --end all: both, by the names that the link has. */
static bool
start_all(struct work *work, struct snc_capture_start_args *wish, struct err *err)
{
	struct snc_link_list_args args = {.slice = work->slice};
	struct snc_link_list_result result;

	if (!snc_link_list_call(work->snc, work->cli->arena, &args, &result, err))
		return false;
	for (size_t i = 0; i < result.n_links; i++) {
		if (!str_equal(result.links[i].name, work->link))
			continue;
		wish->end = result.links[i].a;
		if (!start(work, wish, err))
			return false;
		wish->end = result.links[i].b;
		return start(work, wish, err);
	}
	return err_set(err, ERR_NOT_FOUND, "slice '%s' has no link '%s'", work->slice, work->link);
}

static bool
begin(struct work *work, struct err *err)
{
	const char *end = work->cli->flags.end;
	struct snc_capture_start_args wish;

	if (!read_wish(work, &wish, err))
		return false;
	if (str_equal(end, "all"))
		return start_all(work, &wish, err);
	wish.end = end;
	return start(work, &wish, err);
}

static bool
read_on(struct work *work, struct stream *stream, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct snc_capture_read_args args = {work->slice, work->link, stream->end, stream->capture,
	    stream->cursor, WAIT_MS / (int64_t)work->n_streams};
	struct snc_capture_read_result result;

	if (!snc_capture_read_call(work->snc, arena, &args, &result, err))
		return false;
	stream->cursor = result.cursor;
	stream->is_ended = result.ended;
	stream->why = arena_text(work->cli->arena, result.why);
	stream->seen = result.seen;
	stream->dropped = result.dropped;
	if (!put(work, &result.bytes))
		is_interrupted = 1;
	return true;
}

static bool
is_over(const struct work *work)
{
	for (size_t i = 0; i < work->n_streams; i++)
		if (!work->streams[i].is_ended)
			return false;
	return true;
}

static bool
copy(struct work *work, struct err *err)
{
	while (!is_over(work) && !is_interrupted)
		for (size_t i = 0; i < work->n_streams; i++)
			if (!work->streams[i].is_ended && !is_interrupted &&
			    !read_on(work, &work->streams[i], err))
				return false;
	return true;
}

static void
finish(struct work *work)
{
	for (size_t i = 0; i < work->n_streams; i++) {
		struct stream *stream = &work->streams[i];
		struct snc_capture_stop_args args = {
		    work->slice, work->link, stream->end, stream->capture};
		struct snc_capture_stop_result result;
		struct err ignored;

		if (!snc_capture_stop_call(work->snc, work->cli->arena, &args, &result, &ignored) &&
		    !stream->is_ended)
			stream->why = "it ends by itself within 10 s";
		fprintf(stderr, "%s: %lld frames, %lld of them dropped%s%s\n", stream->end,
		    (long long)stream->seen, (long long)stream->dropped, stream->why[0] ? "; " : "",
		    stream->why);
	}
}

static bool
run(struct work *work, struct err *err)
{
	bool is_good = begin(work, err) && copy(work, err);

	finish(work);
	return is_good;
}

static bool
open_output(struct work *work, struct err *err)
{
	const char *path = work->cli->flags.output;

	work->out = stdout;
	if (!path && isatty(STDOUT_FILENO) && !work->cli->flags.device) {
		err_set(err, ERR_USAGE, "a capture is no text for a terminal");
		return err_hint(err, "-o FILE, or | tshark -r -");
	}
	if (!path || !strcmp(path, "-"))
		return true;
	work->out = fopen(path, "we");
	return work->out || err_set(err, ERR_USAGE, "'%s' cannot be written", path);
}

int
cli_link_capture(struct cli *cli)
{
	struct sigaction action = {.sa_handler = interrupt};
	struct work work = {.cli = cli};
	const char *word;
	struct err err = {0};
	bool is_good;

	if (!cli_word(cli, "SLICE/LINK", &word, &err) ||
	    !cli_split(cli, word, &work.slice, &work.link, &err) ||
	    !(work.snc = cli_snc(cli, &err)) || !open_output(&work, &err))
		return cli_fail(cli, &err, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	is_good = run(&work, &err);
	if (work.out != stdout && fclose(work.out) && is_good)
		is_good = err_set(&err, ERR_INTERNAL, "'%s' cannot be written", cli->flags.output);
	return is_good ? 0 : cli_fail(cli, &err, NULL);
}
