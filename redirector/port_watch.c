/*
 * Events of devices and neighbours, turned into a look at all rows: a link end waits for its port's
 * device and for the MAC address of its next hop.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/net/neigh.h"
#include "redirector/redirector.h"

enum { LOOK_MS = 500 };

struct watch {
	struct netlink_events *events;
	struct manager *manager;
	atomic_bool is_stopping;
	pthread_t thread;
};

static void
one_event(void *self, const struct reply *reply)
{
	bool *is_news = self;

	if (device_is_news(reply) || neigh_is_news(reply))
		*is_news = true;
}

static void *
watch_main(void *self)
{
	struct watch *watch = self;
	bool is_lost = false, is_news = false;

	while (!watch->is_stopping &&
	       netlink_events_wait(watch->events, LOOK_MS, one_event, &is_news, &is_lost)) {
		if (is_news || is_lost)
			manager_wake(watch->manager);
		is_news = false;
	}
	if (!watch->is_stopping)
		log_error("redirector", "event=watch_ended the socket for events is broken");
	return NULL;
}

struct watch *
watch_new(struct manager *manager, struct err *err)
{
	static const int groups[] = {NETLINK_OF_LINKS, NETLINK_OF_NEIGHBOURS, 0};
	struct netlink_events *events = netlink_events_new(groups, err);
	struct watch *watch;

	if (!events)
		return NULL;
	watch = xcalloc(1, sizeof(*watch));
	watch->events = events;
	watch->manager = manager;
	if (pthread_create(&watch->thread, NULL, watch_main, watch)) {
		netlink_events_free(events);
		free(watch);
		err_set(err, ERR_INTERNAL, "cannot start the thread for events");
		return NULL;
	}
	return watch;
}

void
watch_free(struct watch *watch)
{
	if (!watch)
		return;
	watch->is_stopping = true;
	pthread_join(watch->thread, NULL);
	netlink_events_free(watch->events);
	free(watch);
}
