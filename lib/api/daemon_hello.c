/*
 * The word to the controller: at start, in time, and at once when something changed. A thread of
 * its own, so that a controller that does not answer holds nobody up.
 */
#include <string.h>
#include <time.h>

#include "lib/api/controller_api.h"
#include "lib/api/daemon_part.h"
#include "lib/base/clock.h"
#include "lib/base/id.h"
#include "lib/base/log.h"

enum {
	INTERVAL_MS = 10000,
	INTERVAL_MIN_MS = 100,
	INTERVAL_MAX_MS = 60000,
	RETRY_MS = 1000,
	SETTLE_MS = 5, /* objects of a slice appear together: one hello tells of all */
	LOG_EVERY_MS = 60000,
	CHANGED_MAX = 10000
};

static bool find_controller(struct daemon *daemon, struct err *err);
static void *run(void *self);
static bool wait_for_cause(struct hello *hello, bool is_heard, int64_t interval_ms);
static void add_changed(struct hello *hello, uint64_t rid);
static bool say(struct daemon *daemon, int64_t *interval_ms, struct err *err);
static void log_failure(const struct daemon *daemon, const struct err *err, int64_t *logged_ms);

bool
daemon_add_manager(struct daemon *daemon, struct manager *manager,
    void (*capacity)(void *self, struct str *lines), void *self, struct err *err)
{
	daemon->hello.manager = manager;
	daemon->hello.capacity = capacity;
	daemon->hello.capacity_self = self;
	return find_controller(daemon, err) &&
	       rpc_server_add(daemon->rpc, &manager_service, &peer_manager_ops, manager, err);
}

/* controller=ROLE@NAME ADDRESS; without one, nobody is told anything. */
static bool
find_controller(struct daemon *daemon, struct err *err)
{
	const char *text = conf_text(daemon->conf, "daemon", "controller");
	char *name = daemon->hello.controller_name;
	size_t len;

	if (!text)
		return true;
	len = strcspn(text, " \t");
	if (!text[len] || len >= sizeof(daemon->hello.controller_name))
		return err_set(err, ERR_BAD_VALUE,
		    "[daemon] controller=%s: ROLE@NAME ADDRESS is wanted", text);
	memcpy(name, text, len);
	name[len] = '\0';
	daemon->hello.controller =
	    daemon_peer(daemon, name, text + len + strspn(text + len, " \t"), err);
	return daemon->hello.controller || err_in(err, "[daemon] controller");
}

void
daemon_changed(void *self, uint64_t rid)
{
	struct daemon *daemon = self;
	struct hello *hello = &daemon->hello;

	pthread_mutex_lock(&hello->lock);
	add_changed(hello, rid);
	hello->is_due = true;
	pthread_cond_signal(&hello->wake);
	pthread_mutex_unlock(&hello->lock);
}

void
daemon_noted(void *self)
{
	struct daemon *daemon = self;

	pthread_mutex_lock(&daemon->hello.lock);
	daemon->hello.is_due = true;
	pthread_cond_signal(&daemon->hello.wake);
	pthread_mutex_unlock(&daemon->hello.lock);
}

/* Beyond the limit ids are dropped: the controller looks at all rows in time anyway. */
static void
add_changed(struct hello *hello, uint64_t rid)
{
	vec_each (known, &hello->changed)
		if (*known == rid)
			return;
	if (hello->changed.n < CHANGED_MAX)
		vec_push(&hello->changed, rid);
}

void
daemon_hello_start(struct daemon *daemon)
{
	struct hello *hello = &daemon->hello;

	hello->is_running =
	    hello->controller && pthread_create(&hello->thread, NULL, run, daemon) == 0;
}

void
daemon_hello_stop(struct daemon *daemon)
{
	struct hello *hello = &daemon->hello;

	if (!hello->is_running)
		return;
	pthread_mutex_lock(&hello->lock);
	hello->is_ending = true;
	pthread_cond_signal(&hello->wake);
	pthread_mutex_unlock(&hello->lock);
	pthread_join(hello->thread, NULL);
	hello->is_running = false;
}

static void *
run(void *self)
{
	struct daemon *daemon = self;
	int64_t interval_ms = INTERVAL_MS, logged_ms = -LOG_EVERY_MS;
	bool is_heard;

	do {
		struct err err = {0};

		is_heard = say(daemon, &interval_ms, &err);
		if (!is_heard)
			log_failure(daemon, &err, &logged_ms);
	} while (wait_for_cause(&daemon->hello, is_heard, interval_ms));
	return NULL;
}

/* Until time has passed or, when the controller listens, something changed. false: to end. */
static bool
wait_for_cause(struct hello *hello, bool is_heard, int64_t interval_ms)
{
	struct timespec until, settle = {.tv_nsec = SETTLE_MS * 1000000L};
	int64_t ms = is_heard ? interval_ms : RETRY_MS;
	bool is_ending, is_due;
	int code = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	ms += until.tv_nsec / 1000000;
	until.tv_sec += ms / 1000;
	until.tv_nsec = ms % 1000 * 1000000L;
	pthread_mutex_lock(&hello->lock);
	while (!hello->is_ending && !(hello->is_due && is_heard) && code == 0)
		code = pthread_cond_timedwait(&hello->wake, &hello->lock, &until);
	is_ending = hello->is_ending;
	is_due = hello->is_due;
	pthread_mutex_unlock(&hello->lock);
	if (is_due && !is_ending)
		nanosleep(&settle, NULL);
	return !is_ending;
}

/* What has changed is taken out before it is told: an object that changes meanwhile is told again.
 */
static struct rids
take_changed(struct hello *hello)
{
	struct rids taken;

	pthread_mutex_lock(&hello->lock);
	taken = hello->changed;
	hello->changed = (struct rids){0};
	hello->is_due = false;
	pthread_mutex_unlock(&hello->lock);
	return taken;
}

static void
put_back(struct hello *hello, const struct rids *taken)
{
	pthread_mutex_lock(&hello->lock);
	for (size_t i = 0; i < taken->n; i++)
		add_changed(hello, taken->items[i]);
	pthread_mutex_unlock(&hello->lock);
}

/* The notes that the controller has not heard; the seq of the last one of them. */
static int64_t
add_notes(struct hello *hello, struct arena *arena, struct controller_hello_args *args)
{
	const struct manager_note *notes;
	size_t n = manager_notes(hello->manager, hello->noted, NOTES_AT_ONCE, arena, &notes);
	struct controller_note *told = arena_alloc(arena, (n + 1) * sizeof(*told));

	for (size_t i = 0; i < n; i++)
		told[i] =
		    (struct controller_note){.rid = arena_text(arena, id_text(notes[i].rid).text),
			.what = notes[i].what,
			.text = notes[i].text};
	args->notes = told;
	args->n_notes = n;
	return n ? notes[n - 1].seq : hello->noted;
}

/* Heard: more than fitted go with the next hello, at once. */
static void
notes_heard(struct hello *hello, const struct controller_hello_args *args, int64_t noted)
{
	hello->noted = noted;
	if (args->n_notes < NOTES_AT_ONCE)
		return;
	pthread_mutex_lock(&hello->lock);
	hello->is_due = true;
	pthread_mutex_unlock(&hello->lock);
}

static bool
say(struct daemon *daemon, int64_t *interval_ms, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str capacity = {0};
	struct rids taken = take_changed(&daemon->hello);
	struct controller_rid *rids = arena_alloc(arena, (taken.n + 1) * sizeof(*rids));
	struct controller_hello_args args = {.manager = daemon->full_name,
	    .version = VNODE_VERSION,
	    .db_uuid = store_uuid(daemon->store),
	    .change = manager_told(daemon->hello.manager, daemon->hello.controller_name),
	    .changed = rids,
	    .n_changed = taken.n};
	struct controller_hello_result result = {0};
	int64_t noted = add_notes(&daemon->hello, arena, &args);
	bool is_heard;

	for (size_t i = 0; i < taken.n; i++)
		rids[i].rid = arena_text(arena, id_text(taken.items[i]).text);
	if (daemon->hello.capacity)
		daemon->hello.capacity(daemon->hello.capacity_self, &capacity);
	args.capacity = str_text(&capacity);
	is_heard = controller_hello_call(daemon->hello.controller, arena, &args, &result, err);
	if (is_heard)
		notes_heard(&daemon->hello, &args, noted);
	if (is_heard)
		*interval_ms = result.interval_ms < INTERVAL_MIN_MS   ? INTERVAL_MIN_MS
			       : result.interval_ms > INTERVAL_MAX_MS ? INTERVAL_MAX_MS
								      : result.interval_ms;
	else
		put_back(&daemon->hello, &taken);
	vec_done(&taken);
	return is_heard;
}

static void
log_failure(const struct daemon *daemon, const struct err *err, int64_t *logged_ms)
{
	int64_t now_ms = clock_boot_ms(&clock_real);

	if (now_ms - *logged_ms < LOG_EVERY_MS)
		return;
	*logged_ms = now_ms;
	log_warn(daemon->config.program, "the controller does not hear: %s", err->text);
}
