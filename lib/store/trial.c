/*
 * The record of what is tried.
 */
#include "lib/store/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/store/store_part.h"

enum { N_ENTRIES = 128, HEAD_SIZE = 120, BOOT_SIZE = 40 };

/* As it lies in the file. */
struct trial_entry {
	char name[TRIAL_NAME_MAX + 1]; /* "" = free */
	int64_t version;
	int32_t deaths, alone;
	atomic_bool is_trying;
};

struct record {
	char head[HEAD_SIZE]; /* of which boot and version it is */
	atomic_bool is_over;  /* deaths do not count any more */
	struct trial_entry entries[N_ENTRIES];
};

struct trial {
	struct store *store;
	struct record *record;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int n_trying, n_waiting; /* n_waiting: to be alone */
	bool is_alone;
};

static struct record *map_record(const char *path);
static struct record *map_file(int fd);
static void read_head(char head[HEAD_SIZE]);
static void count_deaths(struct record *record);
static bool may_go(const struct trial *trial, const struct trial_of *of, bool is_alone);
static struct trial_entry *find(struct trial *trial, const struct trial_of *of);
static struct trial_entry *make(struct trial *trial, const struct trial_of *of);
static bool is_name(const struct trial_entry *entry, const char *name);
static bool refuse(const struct trial_entry *entry, struct err *err);
static void leave_store(struct trial *trial);

struct trial *
trial_open(struct store *store, const char *name)
{
	struct trial *trial = xcalloc(1, sizeof(*trial));
	auto_str struct str path = {0};
	int at = 0;

	str_addf(&path, "%s.%s", store->path, name);
	trial->store = store;
	trial->record = map_record(path.text);
	pthread_mutex_init(&trial->lock, NULL);
	pthread_cond_init(&trial->changed, NULL);
	while (at < STORE_TRIALS_MAX - 1 && store->over[at])
		at++;
	store->over[at] = &trial->record->is_over;
	return trial;
}

void
trial_close(struct trial *trial)
{
	if (!trial)
		return;
	leave_store(trial);
	munmap(trial->record, sizeof(*trial->record));
	pthread_cond_destroy(&trial->changed);
	pthread_mutex_destroy(&trial->lock);
	free(trial);
}

bool
trial_begin(struct trial *trial, struct trial_of *of, struct err *err)
{
	struct trial_entry *entry;
	bool is_alone, is_good;

	pthread_mutex_lock(&trial->lock);
	for (;;) {
		entry = find(trial, of);
		is_alone = entry && entry->deaths >= TRIAL_COMPANY;
		is_good = may_go(trial, of, is_alone);
		if (is_good || of->is_prompt || trial->record->is_over ||
		    (entry && entry->alone >= TRIAL_ALONE))
			break;
		trial->n_waiting += is_alone;
		pthread_cond_wait(&trial->changed, &trial->lock);
		trial->n_waiting -= is_alone;
	}
	is_good = (!entry || entry->alone < TRIAL_ALONE) && is_good;
	if (is_good) {
		of->entry = entry ? entry : make(trial, of);
		if (of->entry)
			of->entry->is_trying = true;
		of->is_alone = is_alone;
		trial->is_alone |= is_alone;
		trial->n_trying++;
	} else {
		(void)refuse(entry, err);
	}
	pthread_mutex_unlock(&trial->lock);
	return is_good;
}

void
trial_end(struct trial *trial, struct trial_of *of, bool is_over)
{
	struct trial_entry *entry = of->entry;

	pthread_mutex_lock(&trial->lock);
	if (entry) {
		entry->is_trying = false;
		if (is_over || !entry->deaths)
			*entry = (struct trial_entry){0};
	}
	trial->n_trying--;
	trial->is_alone &= !of->is_alone;
	pthread_cond_broadcast(&trial->changed);
	pthread_mutex_unlock(&trial->lock);
}

void
trial_stop(struct trial *trial)
{
	pthread_mutex_lock(&trial->lock);
	trial->record->is_over = true;
	pthread_cond_broadcast(&trial->changed);
	pthread_mutex_unlock(&trial->lock);
}

size_t
trial_forget(struct trial *trial)
{
	size_t n = 0;

	pthread_mutex_lock(&trial->lock);
	for (int i = 0; i < N_ENTRIES; i++) {
		struct trial_entry *entry = &trial->record->entries[i];

		if (entry->is_trying)
			continue;
		n += entry->alone >= TRIAL_ALONE;
		*entry = (struct trial_entry){0};
	}
	pthread_mutex_unlock(&trial->lock);
	return n;
}

void
trial_forget_one(struct trial *trial, const char *name)
{
	pthread_mutex_lock(&trial->lock);
	for (int i = 0; i < N_ENTRIES; i++) {
		struct trial_entry *entry = &trial->record->entries[i];

		if (!entry->is_trying && is_name(entry, name))
			*entry = (struct trial_entry){0};
	}
	pthread_mutex_unlock(&trial->lock);
}

const char **
trial_names(struct trial *trial, int64_t version, struct arena *arena, size_t *n_names)
{
	const char **names = arena_alloc(arena, N_ENTRIES * sizeof(*names));

	*n_names = 0;
	pthread_mutex_lock(&trial->lock);
	for (int i = 0; i < N_ENTRIES; i++) {
		const struct trial_entry *entry = &trial->record->entries[i];

		if (entry->alone >= TRIAL_ALONE && entry->version == version)
			names[(*n_names)++] = arena_text(arena, entry->name);
	}
	pthread_mutex_unlock(&trial->lock);
	return names;
}

void
trials_pardon(struct store *store)
{
	for (int i = 0; i < STORE_TRIALS_MAX; i++)
		if (store->over[i])
			*store->over[i] = true;
}

/* What the life before has left, or nothing; in a file, or, without one, in memory. */
static struct record *
map_record(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), code = errno;
	struct record *record = MAP_FAILED;
	char head[HEAD_SIZE];

	if (fd >= 0) {
		/* A write into a page for which there is no room would kill. */
		code = posix_fallocate(fd, 0, sizeof(*record));
		if (!code)
			record = map_file(fd);
		close(fd);
	}
	if (record == MAP_FAILED) {
		log_warn("store", "event=no_record path=%s why=\"%s\"", path, strerror(code));
		record = map_file(-1);
	}
	if (record == MAP_FAILED)
		abort(); /* of memory */
	read_head(head);
	if (memcmp(record->head, head, sizeof(head)) != 0) {
		memset(record, 0, sizeof(*record));
		memcpy(record->head, head, sizeof(head));
	}
	count_deaths(record);
	return record;
}

static struct record *
map_file(int fd)
{
	return mmap(NULL, sizeof(struct record), PROT_READ | PROT_WRITE,
	    fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
}

/* Of what a boot before has left nothing counts: its power may have failed, and some of it with
 * that. */
static void
read_head(char head[HEAD_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	char boot[BOOT_SIZE] = "";

	if (fd < 0 || read(fd, boot, sizeof(boot) - 1) < 0)
		log_warn("store", "event=no_boot_id why=\"%s\"", strerror(errno));
	if (fd >= 0)
		close(fd);
	memset(head, 0, HEAD_SIZE);
	snprintf(head, HEAD_SIZE, "trials 1 %s %s", VNODE_VERSION, boot);
}

static void
count_deaths(struct record *record)
{
	int n_trying = 0;

	for (int i = 0; i < N_ENTRIES; i++)
		n_trying += record->entries[i].is_trying;
	for (int i = 0; i < N_ENTRIES; i++) {
		struct trial_entry *entry = &record->entries[i];

		entry->name[TRIAL_NAME_MAX] = '\0';
		if (entry->is_trying && !record->is_over) {
			entry->deaths++;
			entry->alone += n_trying == 1;
			log_warn("store", "event=died_of name=\"%s\" times=%d alone=%d%s",
			    entry->name, entry->deaths, entry->alone,
			    entry->alone >= TRIAL_ALONE ? " it is set aside" : "");
		}
		entry->is_trying = false;
		if (!entry->deaths)
			*entry = (struct trial_entry){0};
	}
	record->is_over = false;
}

/* One that is prompt and unsuspected may be there as well: it takes no time. */
static bool
may_go(const struct trial *trial, const struct trial_of *of, bool is_alone)
{
	if (is_alone)
		return !trial->n_trying;
	return of->is_prompt || (!trial->is_alone && !trial->n_waiting);
}

static struct trial_entry *
find(struct trial *trial, const struct trial_of *of)
{
	for (int i = 0; i < N_ENTRIES; i++) {
		struct trial_entry *entry = &trial->record->entries[i];

		if (entry->version == of->version && is_name(entry, of->name))
			return entry;
	}
	return NULL;
}

/* In the place of the one with the fewest deaths, when there is no other; NULL: all are tried just
 * now. */
static struct trial_entry *
make(struct trial *trial, const struct trial_of *of)
{
	struct trial_entry *best = NULL;

	for (int i = 0; i < N_ENTRIES; i++) {
		struct trial_entry *entry = &trial->record->entries[i];

		if (!entry->is_trying && (!best || entry->deaths < best->deaths))
			best = entry;
	}
	if (!best)
		return NULL;
	*best = (struct trial_entry){.version = of->version};
	strncpy(best->name, of->name, TRIAL_NAME_MAX);
	return best;
}

static bool
is_name(const struct trial_entry *entry, const char *name)
{
	return entry->name[0] && !strncmp(entry->name, name, TRIAL_NAME_MAX);
}

static bool
refuse(const struct trial_entry *entry, struct err *err)
{
	if (!entry || entry->alone < TRIAL_ALONE)
		return err_set(
		    err, ERR_WAIT, "it is looked at alone, when nothing else is under way");
	return err_set(err, ERR_O07,
	    "the daemon died %d times of it and leaves it alone; NOC staff have it tried again: "
	    "`vnode host retry`",
	    entry->deaths);
}

static void
leave_store(struct trial *trial)
{
	for (int i = 0; i < STORE_TRIALS_MAX; i++)
		if (trial->store->over[i] == &trial->record->is_over)
			trial->store->over[i] = NULL;
}
