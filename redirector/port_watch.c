/*
 * Events of devices and neighbours, turned into a look at all rows: a link end waits for its port's
 * device and for the MAC address of its next hop.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/net/neigh.h"
#include "redirector/redirector.h"

enum { LOOK_MS = 500, KEEP_MS = 400 };

struct watch {
	struct netlink_events *events;
	struct redirector *redirector;
	struct manager *manager;
	int64_t kept_ms;
	atomic_bool is_stopping;
	pthread_t thread;
};

/* What has come of each kind. */
struct news {
	bool of_devices, of_neighbours;
};

static void
one_event(void *self, const struct reply *reply)
{
	struct news *news = self;

	news->of_devices = news->of_devices || device_is_news(reply);
	news->of_neighbours = news->of_neighbours || neigh_is_news(reply);
}

/* What the data plane keeps for the next run. */
static void
keep(struct watch *watch)
{
	const struct dataplane *dataplane = &watch->redirector->dataplane;
	int64_t now_ms = clock_boot_ms(&clock_real);
	auto_str struct str found = {0}, text = {0};
	struct err err;

	if (now_ms - watch->kept_ms < KEEP_MS)
		return;
	watch->kept_ms = now_ms;
	if (!dataplane->ops->keep(dataplane->self, &found, &err))
		log_warn("redirector", "event=not_kept why=\"%s\"", err.text);
	if (!found.len)
		return;
	str_addf(&text, "the data plane's pins were missing: %s", str_text(&found));
	manager_note(watch->manager, 0, "repaired", str_text(&text));
}

static void *
watch_main(void *self)
{
	struct watch *watch = self;
	struct news news = {0};
	bool is_lost = false;

	while (!watch->is_stopping &&
	       netlink_events_wait(watch->events, LOOK_MS, one_event, &news, &is_lost)) {
		if (news.of_devices || is_lost)
			kernel_view_stale(watch->redirector->view);
		if (news.of_devices || news.of_neighbours || is_lost)
			manager_wake(watch->manager);
		keep(watch);
		news = (struct news){0};
	}
	if (!watch->is_stopping)
		log_error("redirector", "event=watch_ended the socket for events is broken");
	return NULL;
}

struct watch *
watch_new(struct redirector *redirector, struct manager *manager, struct err *err)
{
	static const int groups[] = {NETLINK_OF_LINKS, NETLINK_OF_NEIGHBOURS, 0};
	struct netlink_events *events = netlink_events_new(groups, err);
	struct watch *watch;

	if (!events)
		return NULL;
	watch = xcalloc(1, sizeof(*watch));
	watch->events = events;
	watch->redirector = redirector;
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
