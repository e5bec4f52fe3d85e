/*
 * IPv6 off on ports, as soon as they appear.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/id.h"
#include "lib/base/log.h"
#include "lib/net/device.h"
#include "programmer/port_hygiene.h"

enum { LOOK_MS = 500 };

struct port_watch {
	struct netlink_events *events;
	atomic_bool is_stopping;
	pthread_t thread;
};

static void
one_event(void *self, const struct reply *reply)
{
	struct device device;
	struct err err = {0};
	uint64_t port;
	bool is_gone;

	(void)self;
	if (!device_of_event(reply, &device, &is_gone) || is_gone ||
	    !id_of_port_device(device.name, &port))
		return;
	if (!device_ipv6_off(device.name, &err))
		log_debug(
		    "programmer", "event=ipv6_stays device=%s why=\"%s\"", device.name, err.text);
}

static void *
watch_main(void *self)
{
	struct port_watch *watch = self;
	bool is_lost = false;

	/* What is lost here is made up for by port_host_end. */
	while (!atomic_load(&watch->is_stopping) &&
	       netlink_events_wait(watch->events, LOOK_MS, one_event, NULL, &is_lost))
		;
	return NULL;
}

struct port_watch *
port_watch_new(struct err *err)
{
	static const int groups[] = {NETLINK_OF_LINKS, 0};
	struct netlink_events *events = netlink_events_new(groups, err);
	struct port_watch *watch;

	if (!events)
		return NULL;
	watch = xcalloc(1, sizeof(*watch));
	watch->events = events;
	if (pthread_create(&watch->thread, NULL, watch_main, watch) != 0) {
		netlink_events_free(events);
		free(watch);
		(void)err_set(err, ERR_INTERNAL, "the thread for devices cannot be started");
		return NULL;
	}
	return watch;
}

void
port_watch_free(struct port_watch *watch)
{
	if (!watch)
		return;
	atomic_store(&watch->is_stopping, true);
	pthread_join(watch->thread, NULL);
	netlink_events_free(watch->events);
	free(watch);
}
