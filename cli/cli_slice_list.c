/*
 * vnode slice list
 */
#include "cli/cli.h"
#include "lib/base/clock.h"
#include "lib/base/vec.h"
#include "lib/base/when.h"

static bool
is_to_come(const struct snc_slice *slice)
{
	return slice->from_ms > clock_wall_ms(&clock_real);
}

/* All pages as one. */
static bool
list_all(struct cli *cli, struct snc_slice_list_result *all, struct err *err)
{
	const struct rpc_client *snc = cli_snc(cli, err);
	vec_of(struct snc_slice) slices = {0};
	struct snc_slice_list_args args = {0};
	struct snc_slice_list_result page = {0};
	bool is_good = snc != NULL;

	do {
		is_good = is_good && snc_slice_list_call(snc, cli->arena, &args, &page, err);
		for (size_t i = 0; is_good && i < page.n_slices; i++)
			vec_push(&slices, page.slices[i]);
		args.after = page.next;
	} while (is_good && page.next);
	*all = (struct snc_slice_list_result){.n_slices = slices.n};
	all->slices =
	    (void *)arena_copy(cli->arena, slices.items, slices.n * sizeof(slices.items[0]));
	vec_done(&slices);
	return is_good;
}

int
cli_slice_list(struct cli *cli)
{
	struct snc_slice_list_result result;
	struct cli_table *table;
	struct err err = {0};

	if (!list_all(cli, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json) {
		cli_json(&snc_service, "slice_list", &result);
		return 0;
	}
	table = cli_table_new(7, "NAME", "STATE", "NODES", "LINKS", "AGE", "UNTIL", "OWNER");
	for (size_t i = 0; i < result.n_slices; i++) {
		const struct snc_slice *slice = &result.slices[i];

		cli_table_row(table, slice->name,
		    arena_format(cli->arena, "%s%s%s%s%s%s", slice->state,
			is_to_come(slice) ? " from " : "",
			is_to_come(slice) ? when_text(slice->from_ms).text : "",
			slice->degraded ? " (DEGRADED)" : "",
			slice->progress[0] ? ", under way: " : "", slice->progress),
		    arena_format(cli->arena, "%lld", (long long)slice->n_nodes),
		    arena_format(cli->arena, "%lld", (long long)slice->n_links),
		    cli_age(cli, slice->created_ms),
		    slice->until_ms ? when_text(slice->until_ms).text : "", slice->owner);
	}
	cli_table_print(table);
	return 0;
}
