/*
 * Waiting for a slice, with its events as progress.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

enum { POLL_MS = 10000 };

struct wait {
	struct cli *cli;
	const struct rpc_client *snc;
	const char *slice, *state;
	int64_t seq;
	bool is_watch; /* events are the result, not the progress */
	int64_t started_ms, deadline_ms;
};

static bool show_events(struct wait *wait, int64_t wait_ms, struct err *err);
static int verdict(const struct wait *wait, const struct snc_slice *slice);

int64_t
cli_last_event(struct cli *cli, const struct rpc_client *snc)
{
	struct snc_events_args args = {.after = -1};
	struct snc_events_result result;
	struct err err;

	if (!snc_events_call(snc, cli->arena, &args, &result, &err) || !result.n_events)
		return 0;
	return result.events[result.n_events - 1].seq;
}

int
cli_wait_slice(struct cli *cli, const char *slice_id, const char *state, int64_t seq)
{
	struct wait wait = {.cli = cli, .slice = slice_id, .state = state, .seq = seq};
	struct snc_slice_wait_args args = {.slice = slice_id, .state = state};
	struct err err = {0};
	int64_t limit_ms;

	if (!cli_timeout(cli, 300000, &limit_ms, &err))
		return cli_fail(cli, &err, NULL);
	wait.snc = cli_snc(cli, &err);
	wait.started_ms = clock_boot_ms(&clock_real);
	wait.deadline_ms = wait.started_ms + limit_ms;
	for (;;) {
		struct snc_slice_wait_result result;
		int64_t left_ms = wait.deadline_ms - clock_boot_ms(&clock_real);

		if (!snc_slice_wait_call(wait.snc, cli->arena, &args, &result, &err))
			return cli_fail(cli, &err, NULL);
		if (result.done || !result.n_slices) {
			if (!show_events(&wait, 0, &err))
				return cli_fail(cli, &err, NULL);
			return verdict(&wait, result.n_slices ? result.slices : NULL);
		}
		if (left_ms <= 0) {
			err_set(&err, ERR_TIMEOUT, "slice '%s' is %s after %lld s: %s",
			    result.slices->name, result.slices->state, (long long)limit_ms / 1000,
			    result.slices->reason);
			return cli_fail(cli, &err, NULL);
		}
		if (!show_events(&wait, left_ms < POLL_MS ? left_ms : POLL_MS, &err))
			return cli_fail(cli, &err, NULL);
	}
}

int
cli_watch_slice(struct cli *cli, const char *slice_id)
{
	struct wait wait = {.cli = cli, .slice = slice_id, .is_watch = true};
	struct snc_slice_wait_args args = {.slice = slice_id, .state = "GONE"};
	struct snc_slice_wait_result result;
	struct err err = {0};

	wait.snc = cli_snc(cli, &err);
	do {
		if (!wait.snc || !snc_slice_wait_call(wait.snc, cli->arena, &args, &result, &err) ||
		    !show_events(&wait, result.n_slices ? POLL_MS : 0, &err))
			return cli_fail(cli, &err, NULL);
		fflush(stdout);
	} while (result.n_slices);
	return 0;
}

static void
show_event(const struct wait *wait, const struct snc_event *event)
{
	int64_t elapsed_ms = clock_boot_ms(&clock_real) - wait->started_ms;

	if (wait->cli->flags.json)
		cli_json_event(event, wait->is_watch ? stdout : stderr);
	else if (wait->is_watch)
		cli_print_event(event);
	else
		fprintf(stderr, "%4lld.%02lld s  %-24s %-10s %s\n", (long long)elapsed_ms / 1000,
		    (long long)elapsed_ms / 10 % 100, event->subject, event->what, event->text);
}

static bool
show_events(struct wait *wait, int64_t wait_ms, struct err *err)
{
	struct snc_events_args args = {
	    .after = wait->seq, .slice = wait->slice, .wait_ms = wait_ms};
	struct snc_events_result result;

	if (!snc_events_call(wait->snc, wait->cli->arena, &args, &result, err))
		return false;
	for (size_t i = 0; i < result.n_events; i++) {
		show_event(wait, &result.events[i]);
		wait->seq = result.events[i].seq;
	}
	return true;
}

/* Did it become what was wanted? If not, its reason is the error. */
static int
verdict(const struct wait *wait, const struct snc_slice *slice)
{
	struct err err;

	if (!slice)
		return !wait->state || !strcmp(wait->state, "GONE") ? 0
								    : err_code_exit(ERR_NOT_FOUND);
	if (!wait->state ? !slice->reason[0] : !strcmp(wait->state, slice->state))
		return 0;
	if (slice->code[0])
		err_set(&err, err_code_parse(slice->code), "%s", slice->reason);
	else
		err_set(&err, ERR_CONFLICT, "it is %s%s%s", slice->state,
		    slice->reason[0] ? ": " : "", slice->reason);
	err_at(&err, (unsigned)slice->line, NULL);
	err_subject(&err, "slice '%s'", slice->name);
	if (slice->hint[0])
		err_hint(&err, "%s", slice->hint);
	else
		err_hint(&err, "vnode slice show %s; vnode event list --slice %s", slice->name,
		    slice->name);
	return cli_fail(wait->cli, &err, NULL);
}
