/*
 * What the configuration says of the underlay, and the loop to ourselves.
 */
#include "redirector/redirector.h"

#include <stdio.h>
#include <string.h>

#include "lib/model/units.h"

/* For links with both ends here; `[underlay] loop=RATE` sets another. */
static const char loop_name[] = "loop";
static const int64_t loop_rate_bps = 10000000000;

static bool
add(struct redirector *redirector, const struct underlay *underlay, struct err *err)
{
	if (redirector->n_underlays == UNDERLAYS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d underlay ports", UNDERLAYS_MAX);
	redirector->underlays[redirector->n_underlays++] = *underlay;
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
	return true;
}

void
redirector_done(struct redirector *redirector)
{
	if (redirector->dataplane.ops)
		redirector->dataplane.ops->free(redirector->dataplane.self);
	netlink_free(redirector->netlink);
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
