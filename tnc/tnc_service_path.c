/*
 * Paths for NOC staff: those there are, and those there could be.
 */
#include <arpa/inet.h>
#include <string.h>

#include "lib/base/nearest.h"
#include "lib/base/str.h"
#include "lib/base/when.h"
#include "tnc/path.h"
#include "tnc/tnc_service.h"

enum { K = 3, K_MAX = 64, HOPS_MAX = 4096 };

static const int64_t RATE_MAX_BPS = 1000000000000000;

static const char *
upper(struct arena *arena, const char *text)
{
	char *out = arena_text(arena, text);

	for (char *at = out; *at; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
	return out;
}

static void
show_path(struct tnc *tnc, struct arena *arena, const struct path *path, struct tnc_path *shown)
{
	struct in_addr a = {htonl(path->address_a)}, b = {htonl(path->address_b)};
	char text_a[INET_ADDRSTRLEN] = "", text_b[INET_ADDRSTRLEN] = "";
	auto_str struct str hops = {0}, links = {0};
	enum group_state state;

	if (!controller_group(tnc->controller, NULL, path->name, &state))
		state = GROUP_PENDING;
	for (size_t i = 1; i < path->n_edges; i++)
		str_addf(&hops, "%s%s", i > 1 ? " " : "", path->vertices[i]);
	for (size_t i = 0; i < path->n_edges; i++)
		str_addf(&links, "%s%s", i ? " " : "", path->edges[i]);
	inet_ntop(AF_INET, &a, text_a, sizeof(text_a));
	inet_ntop(AF_INET, &b, text_b, sizeof(text_b));
	*shown = (struct tnc_path){.name = path->name,
	    .state = upper(arena, group_state_text(state)),
	    .a = path->vertices[0],
	    .b = path->vertices[path->n_edges],
	    .address_a = arena_text(arena, text_a),
	    .address_b = arena_text(arena, text_b),
	    .hops = arena_text(arena, str_text(&hops)),
	    .links = arena_text(arena, str_text(&links)),
	    .rate_ab_bps = path->rate_ab_bps,
	    .rate_ba_bps = path->rate_ba_bps,
	    .latency_us = path->latency_us,
	    .n_shares = path->n_shares};
}

bool
service_paths(struct tnc *tnc, struct arena *arena, struct paths *paths, struct err *err)
{
	auto_txn struct txn *txn = store_begin(tnc->config.store);

	return store_paths(txn, arena, paths, err);
}

bool
service_path_list(void *self, const struct rpc_call *call, const struct tnc_path_list_args *args,
    struct tnc_path_list_result *result, struct err *err)
{
	struct tnc *tnc = self;
	struct tnc_path *shown;
	struct paths paths;
	size_t n = 0;

	if (!service_paths(tnc, call->arena, &paths, err))
		return false;
	shown = arena_alloc(call->arena, paths.n * sizeof(*shown));
	for (size_t i = 0; i < paths.n; i++)
		if (!args->name || !strcmp(args->name, paths.items[i].name))
			show_path(tnc, call->arena, &paths.items[i], &shown[n++]);
	if (args->name && !n)
		return err_set(
		    err, ERR_NOT_FOUND, "there is no transport path '%.60s'", args->name);
	*result = (struct tnc_path_list_result){.paths = shown, .n_paths = n};
	return true;
}

/* ---- candidates ------------------------------------------------------------------------------ */

/* The number of a word among blank-separated ones. */
static bool
read_word(const char *what, const char *words, const char *word, int *number, struct err *err)
{
	size_t length = strlen(word);
	struct nearest nearest = {.word = word};
	int n = 0;

	for (const char *at = words; *at; n++) {
		size_t end = strcspn(at, " ");

		if (end == length && !strncmp(at, word, length)) {
			*number = n;
			return true;
		}
		at += end + (at[end] == ' ');
	}
	err_set(err, ERR_BAD_VALUE, "%s '%.60s' is none of: %s", what, word, words);
	length = nearest_offer_words(&nearest, words);
	if (nearest.best)
		err_hint(err, "%.*s", (int)length, nearest.best);
	return false;
}

static bool
read_number(
    const char *what, struct rpc_opt_i64 wish, int64_t most, int64_t *value, struct err *err)
{
	if (!wish.is_set)
		return true;
	*value = wish.value;
	if (wish.value > 0 && wish.value <= most)
		return true;
	return err_set(err, ERR_BAD_VALUE, "%s %lld is not from 1 to %lld", what,
	    (long long)wish.value, (long long)most);
}

static bool
read_window(struct tnc *tnc, const struct tnc_path_candidates_args *args,
    struct inventory_window *window, struct err *err)
{
	const int64_t most_ms = INT64_MAX / 2;

	*window = path_now(tnc);
	if (args->from_ms.is_set)
		window->from_ms = args->from_ms.value;
	if (args->until_ms.is_set)
		window->until_ms = args->until_ms.value;
	else if (window->from_ms < most_ms)
		window->until_ms = window->from_ms + 1;
	if (window->from_ms >= 0 && window->until_ms > window->from_ms &&
	    window->until_ms <= most_ms)
		return true;
	return err_set(err, ERR_BAD_VALUE, "from %s until %s is no time",
	    when_text(window->from_ms).text, when_text(window->until_ms).text);
}

static bool
read_question(struct tnc *tnc, const struct tnc_path_candidates_args *args,
    struct path_question *question, struct err *err)
{
	int metric = WAYS_DELAY, apart = WAYS_LINK;
	int64_t k = K, hops_max = 0;

	*question = (struct path_question){.a = args->a, .b = args->b, .rate_bps = args->rate_bps};
	if (args->rate_bps < 0 || args->rate_bps > RATE_MAX_BPS)
		return err_set(err, ERR_BAD_VALUE, "the rate is out of range");
	if ((args->metric &&
		!read_word("metric", "delay cost load widest", args->metric, &metric, err)) ||
	    (args->disjoint &&
		!read_word("disjoint", "link node risk", args->disjoint, &apart, err)) ||
	    !read_number("k", args->k, K_MAX, &k, err) ||
	    !read_number("hops", args->hops, HOPS_MAX, &hops_max, err) ||
	    !read_number("latency", args->latency_us, INT32_MAX, &question->latency_max_us, err) ||
	    !read_window(tnc, args, &question->window, err))
		return false;
	if (args->disjoint && args->k.is_set && k != 2)
		return err_set(err, ERR_BAD_VALUE, "disjoint ways are two, not %lld", (long long)k);
	question->k = (size_t)k;
	question->hops_max = (unsigned)hops_max;
	question->metric = (enum ways_metric)metric;
	question->is_pair = args->disjoint != NULL;
	question->apart = (enum ways_apart)apart;
	return true;
}

bool
service_path_candidates(void *self, const struct rpc_call *call,
    const struct tnc_path_candidates_args *args, struct tnc_path_candidates_result *result,
    struct err *err)
{
	struct path_question question;
	struct paths paths;

	return read_question(self, args, &question, err) &&
	       service_paths(self, call->arena, &paths, err) &&
	       path_candidates(self, &paths, &question, call->arena, result, err);
}
