/*
 * Underlay ports: what has to be there before a link end can use one. Called for each link end, so
 * that whatever somebody removed by hand is back at the next look.
 */
#include <string.h>

#include "redirector/redirector.h"
#include "redirector/shaper.h"

/* Room for any frame the loop may carry; it is memory alone. */
enum { LOOP_MTU = 65535 };

bool
port_loop_ensure(struct redirector *redirector, struct err *err)
{
	static const char *const names[] = {"vnloop0", "vnloop1"};
	struct device device;

	if (!device_make_pair(redirector->netlink, names[0], names[1], err))
		return err_in(err, "loop");
	for (size_t i = 0; i < 2; i++)
		if (!device_find(redirector->netlink, names[i], &device, err) ||
		    (!device.is_up && !device_up(redirector->netlink, &device, LOOP_MTU, err)))
			return err_in(err, "loop");
	return true;
}

bool
port_ensure(struct redirector *redirector, const struct underlay *underlay, struct device *device,
    struct err *err)
{
	const struct dataplane *dataplane = &redirector->dataplane;
	struct device found;
	struct err why = {0};
	bool is_good;

	if (underlay->peer[0] && !port_loop_ensure(redirector, err))
		return false;
	if (!device_find(redirector->netlink, underlay->device, &found, &why))
		return err_set(err, why.code == ERR_NOT_FOUND ? ERR_WAIT : why.code,
		    "underlay port '%s': %s", underlay->name, why.text);
	if (!found.is_up)
		return err_set(err, ERR_WAIT, "underlay port '%s' is down", underlay->name);
	pthread_mutex_lock(&redirector->trees);
	is_good = shaper_root_ensure(redirector->netlink, found.index, underlay->rate_bps, err);
	pthread_mutex_unlock(&redirector->trees);
	if (!is_good || !dataplane->ops->watch(dataplane->self, found.index, err))
		return err_in(err, "underlay port '%s'", underlay->name);
	*device = found;
	return true;
}

void
port_capacity(void *self, struct str *lines)
{
	const struct redirector *redirector = self;

	for (size_t i = 0; i < redirector->n_underlays; i++) {
		const struct underlay *underlay = &redirector->underlays[i];

		str_addf(lines, "port.%s.rate_bps=%lld\n", underlay->name,
		    (long long)underlay->rate_bps);
	}
}
