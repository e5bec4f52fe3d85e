/*
 * Events of devices and neighbours, turned into a look at rows: a link end waits for its port's
 * device and for the MAC address of its next hop. A port that appears concerns its own link ends;
 * whatever else happens may concern any.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/id.h"
#include "lib/base/log.h"
#include "lib/net/neigh.h"
#include "redirector/kernel_view.h"
#include "redirector/link_book.h"
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

/* What has come that may concern any row. */
struct news {
	struct watch *watch;
	bool is_there;
};

/* How libvirt calls the inner half of a container's pair until it is inside. */
static bool
is_passing(const char *name)
{
	static const char prefix[] = "vnet";
	size_t len = sizeof(prefix) - 1;

	return !strncmp(name, prefix, len) &&
	       strspn(name + len, "0123456789") == strlen(name + len);
}

/* The link ends at a port, and nobody else, when it comes or changes. */
static void
port_event(struct watch *watch, uint64_t port)
{
	uint64_t rids[LINK_BOOK_AT_PORT];
	size_t n = link_book_at_port(watch->redirector->book, port, rids);

	for (size_t i = 0; i < n; i++)
		manager_wake_row(watch->manager, rids[i]);
}

static void
one_event(void *self, const struct reply *reply)
{
	struct news *news = self;
	struct device device;
	uint64_t port;
	bool is_gone;

	if (!device_of_event(reply, &device, &is_gone)) {
		news->is_there = news->is_there || neigh_is_news(reply);
		return;
	}
	if (is_passing(device.name))
		return;
	kernel_view_device(news->watch->redirector->view, &device, is_gone);
	if (!is_gone && id_of_port_device(device.name, &port))
		port_event(news->watch, port);
	else
		news->is_there = true;
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
	struct news news = {.watch = watch};
	bool is_lost = false;

	while (!watch->is_stopping &&
	       netlink_events_wait(watch->events, LOOK_MS, one_event, &news, &is_lost)) {
		if (is_lost)
			kernel_view_stale(watch->redirector->view);
		if (news.is_there || is_lost)
			manager_wake(watch->manager);
		keep(watch);
		news.is_there = false;
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
