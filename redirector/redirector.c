/*
 * What the configuration says of the underlay, and the loop to ourselves.
 */
#include "redirector/redirector.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/model/units.h"
#include "redirector/link_book.h"
#include "redirector/link_types.h"

/* For links with both ends here; `[underlay] loop=RATE` sets another. */
static const char loop_name[] = "loop";
static const int64_t loop_rate_bps = 10000000000;

static bool
add(struct redirector *redirector, const struct underlay *underlay, struct err *err)
{
	if (redirector->n_underlays == UNDERLAYS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d underlay ports", UNDERLAYS_MAX);
	redirector->underlays[redirector->n_underlays] = *underlay;
	redirector->underlays[redirector->n_underlays].place = redirector->n_underlays;
	redirector->n_underlays++;
	return true;
}

static bool
add_configured(struct redirector *redirector, const char *name, int64_t rate_bps, struct err *err)
{
	struct underlay underlay = {.rate_bps = rate_bps};

	if (strlen(name) >= sizeof(underlay.name))
		return err_set(err, ERR_BAD_NAME, "underlay port '%s': the name is too long", name);
	snprintf(underlay.name, sizeof(underlay.name), "%s", name);
	snprintf(underlay.device, sizeof(underlay.device), "%s", name);
	return add(redirector, &underlay, err);
}

static bool
read_per(const struct conf *conf, enum shaper_per *per, struct err *err)
{
	static const char *const words[] = {
	    [SHAPER_PER_LINK] = "link", [SHAPER_PER_NODE] = "node", [SHAPER_PER_SLICE] = "slice"};
	const char *text = conf_text(conf, "shaper", "per");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		*per = (enum shaper_per)i;
		if (str_equal(text, words[i]))
			return true;
	}
	return err_set(err, ERR_BAD_VALUE, "[shaper] per=%.20s is not link, node or slice", text);
}

static bool
read_shaper(struct redirector *redirector, const struct conf *conf, struct err *err)
{
	enum {
		LEAVES = SHAPER_BLOCK - 1,
		NUMBERS = SHAPER_LAST - SHAPER_FIRST + 1,
		POOLED = NUMBERS / SHAPER_BLOCK * LEAVES
	};
	struct conf_number queues = {"shaper", "queues", 0, NUMBERS};
	struct conf_number pool = {"shaper", "pool", 0, POOLED};
	struct link_book_rules rules = {.host = redirector->host};
	int64_t n_queues, n_pooled;

	if (!read_per(conf, &rules.per, err) || !conf_i64(conf, &queues, &n_queues, err) ||
	    !conf_i64(conf, &pool, &n_pooled, err))
		return false;
	rules.n_queues = (uint32_t)n_queues;
	rules.n_blocks = redirector->n_blocks = (uint32_t)((n_pooled + LEAVES - 1) / LEAVES);
	redirector->book = link_book_new(&rules);
	return true;
}

bool
redirector_init(
    struct redirector *redirector, const struct conf *conf, const char *host, struct err *err)
{
	struct underlay loops[] = {
	    {.name = "loop0", .device = "vnloop0", .peer = "vnloop1"},
	    {.name = "loop1", .device = "vnloop1", .peer = "vnloop0"},
	};
	int64_t loop_bps = loop_rate_bps, rate_bps;
	const char *name, *rate;

	*redirector = (struct redirector){.trees = PTHREAD_MUTEX_INITIALIZER};
	redirector->types = link_types_new(conf_text(conf, "plugin", "links"), &clock_real);
	snprintf(redirector->host, sizeof(redirector->host), "%s", host);
	for (size_t i = 0; conf_each(conf, "underlay", i, &name, &rate); i++) {
		if (!unit_rate(rate, &rate_bps, err))
			return err_in(err, "[underlay] %s", name);
		if (!strcmp(name, loop_name))
			loop_bps = rate_bps;
		else if (!add_configured(redirector, name, rate_bps, err))
			return false;
	}
	for (size_t i = 0; i < 2; i++) {
		loops[i].rate_bps = loop_bps;
		if (!add(redirector, &loops[i], err))
			return false;
	}
	return read_shaper(redirector, conf, err);
}

void
redirector_done(struct redirector *redirector)
{
	taps_free(redirector->taps);
	if (redirector->dataplane.ops)
		redirector->dataplane.ops->free(redirector->dataplane.self);
	kernel_view_free(redirector->view);
	netlink_free(redirector->netlink);
	link_book_free(redirector->book);
	link_types_free(redirector->types);
	pthread_mutex_destroy(&redirector->trees);
}

const struct underlay *
redirector_underlay(const struct redirector *redirector, const char *name)
{
	for (size_t i = 0; i < redirector->n_underlays; i++)
		if (!strcmp(redirector->underlays[i].name, name))
			return &redirector->underlays[i];
	return NULL;
}
