/*
 * The disk: a VFS of SQLite whose files lie in memory. A file remembers what was written since its
 * last sync, so that a power failure can lose any part of it. A sync that fails is worse: the next
 * one reports success and writes nothing of what the first has lost, as kernels do.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "test/support/sim.h"

enum { SHARED_BYTES = 32 * 1024, SHARED_MAX = 32, SECTOR = 512, SYNC_MS = 10, SLOW_SYNC_MS = 1000 };

struct bytes {
	unsigned char *at;
	size_t size, cap;
};

/* Something done since the last sync. */
struct deed {
	size_t offset, size;
	unsigned char *bytes; /* NULL: the file was cut to `offset` */
};

struct sim_file {
	int node;
	bool is_there;
	bool is_torn; /* a sync has failed: what it had to write will not be read again */
	bool is_backed_up;
	struct bytes backup;
	struct bytes now, safe; /* as programs see it; as it is after a power failure */
	vec_of(struct deed) deeds;
	unsigned char *shared[SHARED_MAX]; /* the index of a write-ahead log */
};

struct handle {
	sqlite3_file base;
	struct sim_file *file;
};

static struct map *files;

static struct {
	const char *name;
	int node;
} owners[SIM_NODES];

static size_t n_owners;

void
sim_disk_owner(const char *name, int node)
{
	owners[n_owners].name = name;
	owners[n_owners++].node = node;
}

static int
owner_of(const char *path)
{
	for (size_t i = 0; i < n_owners; i++)
		if (strstr(path, owners[i].name))
			return owners[i].node;
	return SIM_USER;
}

static void
bytes_put(struct bytes *bytes, size_t offset, const void *from, size_t size)
{
	if (offset + size > bytes->cap) {
		bytes->cap = 2 * (offset + size);
		bytes->at = xrealloc(bytes->at, bytes->cap);
	}
	if (offset > bytes->size)
		memset(bytes->at + bytes->size, 0, offset - bytes->size);
	memcpy(bytes->at + offset, from, size);
	if (offset + size > bytes->size)
		bytes->size = offset + size;
}

static void
deed_do(struct bytes *bytes, const struct deed *deed, size_t size)
{
	if (deed->bytes)
		bytes_put(bytes, deed->offset, deed->bytes, size);
	else if (deed->offset < bytes->size)
		bytes->size = deed->offset;
}

/* The first n. */
static void
forget_deeds(struct sim_file *file, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(file->deeds.items[i].bytes);
	for (size_t i = n; i < file->deeds.n; i++)
		file->deeds.items[i - n] = file->deeds.items[i];
	file->deeds.n -= n;
}

static struct sim_file *
file_get(const char *path)
{
	struct sim_file *file = map_get(files, path);

	if (file)
		return file;
	file = xcalloc(1, sizeof(*file));
	file->node = owner_of(path);
	map_put(files, path, file);
	return file;
}

/* Of what was not synced each write is there, or not, or its beginning. */
static void
lose_power(struct sim_file *file)
{
	vec_each (deed, &file->deeds) {
		unsigned fate = sim_dice(4);

		if (fate < 2)
			deed_do(&file->safe, deed, deed->size);
		else if (fate == 2)
			deed_do(&file->safe, deed, deed->size / 2 / SECTOR * SECTOR);
	}
	forget_deeds(file, file->deeds.n);
	file->is_torn = false;
	file->now.size = 0;
	if (file->safe.size)
		bytes_put(&file->now, 0, file->safe.at, file->safe.size);
}

void
sim_disk_crash(int node, bool is_power)
{
	struct sim_file *file;

	for (size_t at = 0; (file = map_next(files, &at));) {
		if (file->node != node)
			continue;
		for (int i = 0; i < SHARED_MAX; i++) {
			file->shared[i] = NULL; /* who is dead may still have it mapped */
		}
		if (is_power || file->is_torn)
			lose_power(file);
	}
}

void
sim_disk_lose(int node)
{
	struct sim_file *file;

	for (size_t at = 0; (file = map_next(files, &at));)
		if (file->node == node) {
			file->is_there = false;
			file->now.size = file->safe.size = 0;
		}
}

/* Copies of a node's files, which may be written to just now. */
static void
bytes_copy(struct bytes *to, const struct bytes *from)
{
	to->size = 0;
	if (from->size)
		bytes_put(to, 0, from->at, from->size);
}

void
sim_disk_back_up(int node)
{
	struct sim_file *file;

	for (size_t at = 0; (file = map_next(files, &at));)
		if (file->node == node) {
			bytes_copy(&file->backup, &file->now);
			file->is_backed_up = file->is_there;
		}
}

void
sim_disk_restore(int node)
{
	struct sim_file *file;

	for (size_t at = 0; (file = map_next(files, &at));)
		if (file->node == node) {
			bytes_copy(&file->now, &file->backup);
			bytes_copy(&file->safe, &file->backup);
			forget_deeds(file, file->deeds.n);
			file->is_there = file->is_backed_up;
		}
}

/* Does this call of the disk fail? */
static bool
fails(const struct sim_file *file)
{
	struct sim_faults *faults = sim_faults_of(file->node);

	sim_counts.io_calls++;
	if (faults->is_disk_frozen)
		return true;
	if (!faults->io_error_at || --faults->io_error_at)
		return false;
	sim_counts.io_errors++;
	faults->is_disk_frozen = faults->is_hard;
	return true;
}

static int
file_close(sqlite3_file *base)
{
	(void)base;
	return SQLITE_OK;
}

static int
file_read(sqlite3_file *base, void *into, int size, sqlite3_int64 offset)
{
	struct sim_file *file = ((struct handle *)base)->file;
	size_t at = (size_t)offset, there;

	if (fails(file))
		return SQLITE_IOERR_READ;
	there = at < file->now.size ? file->now.size - at : 0;
	if (there > (size_t)size)
		there = (size_t)size;
	if (there)
		memcpy(into, file->now.at + at, there);
	memset((char *)into + there, 0, (size_t)size - there);
	return there == (size_t)size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int
file_write(sqlite3_file *base, const void *from, int size, sqlite3_int64 offset)
{
	struct sim_file *file = ((struct handle *)base)->file;
	struct deed deed = {.offset = (size_t)offset, .size = (size_t)size};

	if (fails(file))
		return SQLITE_IOERR_WRITE;
	if (sim_faults_of(file->node)->is_disk_full && deed.offset + deed.size > file->now.size) {
		sim_counts.full_disks++;
		return SQLITE_FULL;
	}
	deed.bytes = xmalloc(deed.size);
	memcpy(deed.bytes, from, deed.size);
	bytes_put(&file->now, deed.offset, from, deed.size);
	vec_push(&file->deeds, deed);
	return SQLITE_OK;
}

static int
file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	struct sim_file *file = ((struct handle *)base)->file;
	struct deed deed = {.offset = (size_t)size};

	if (fails(file))
		return SQLITE_IOERR_TRUNCATE;
	deed_do(&file->now, &deed, 0);
	vec_push(&file->deeds, deed);
	return SQLITE_OK;
}

/*
 * Takes its time, now and then a lot; what is written meanwhile is none of its business. When it
 * fails, the system forgets what it could not write: no later one brings it to the disk.
 */
static int
file_sync(sqlite3_file *base, int flags)
{
	struct sim_file *file = ((struct handle *)base)->file;
	size_t n = file->deeds.n;

	(void)flags;
	if (fails(file)) {
		forget_deeds(file, n);
		file->is_torn = true;
		return SQLITE_IOERR_FSYNC;
	}
	sim_sleep_ms((int64_t)sim_dice(sim_dice(8) ? SYNC_MS : SLOW_SYNC_MS));
	if (n > file->deeds.n) /* another one was faster */
		n = file->deeds.n;
	for (size_t i = 0; i < n; i++)
		deed_do(&file->safe, &file->deeds.items[i], file->deeds.items[i].size);
	forget_deeds(file, n);
	return SQLITE_OK;
}

static int
file_size(sqlite3_file *base, sqlite3_int64 *size)
{
	*size = (sqlite3_int64)((struct handle *)base)->file->now.size;
	return SQLITE_OK;
}

static int
file_lock(sqlite3_file *base, int level)
{
	(void)base, (void)level;
	return SQLITE_OK;
}

static int
file_is_locked(sqlite3_file *base, int *is_locked)
{
	(void)base;
	*is_locked = 0;
	return SQLITE_OK;
}

static int
file_control(sqlite3_file *base, int what, void *self)
{
	(void)base, (void)what, (void)self;
	return SQLITE_NOTFOUND;
}

static int
file_sector(sqlite3_file *base)
{
	(void)base;
	return 4096;
}

static int
file_traits(sqlite3_file *base)
{
	(void)base;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int
file_shared(sqlite3_file *base, int page, int size, int is_wanted, void volatile **at)
{
	struct sim_file *file = ((struct handle *)base)->file;

	*at = NULL;
	if (page >= SHARED_MAX || size != SHARED_BYTES)
		return SQLITE_IOERR_SHMSIZE;
	if (!file->shared[page] && is_wanted)
		file->shared[page] = xcalloc(1, SHARED_BYTES);
	*at = file->shared[page];
	return SQLITE_OK;
}

static int
file_shared_lock(sqlite3_file *base, int offset, int n, int flags)
{
	(void)base, (void)offset, (void)n, (void)flags;
	return SQLITE_OK;
}

static void
file_shared_barrier(sqlite3_file *base)
{
	(void)base;
}

static int
file_unshare(sqlite3_file *base, int is_deleted)
{
	struct sim_file *file = ((struct handle *)base)->file;

	for (int i = 0; i < SHARED_MAX && is_deleted; i++) {
		free(file->shared[i]);
		file->shared[i] = NULL;
	}
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {.iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_is_locked,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = file_shared,
    .xShmLock = file_shared_lock,
    .xShmBarrier = file_shared_barrier,
    .xShmUnmap = file_unshare};

static int
disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *out_flags)
{
	struct handle *handle = (struct handle *)base;

	(void)vfs;
	*handle = (struct handle){.base.pMethods = NULL};
	handle->file = file_get(path ? path : "temporary");
	if (fails(handle->file))
		return SQLITE_CANTOPEN;
	handle->file->is_there = true;
	handle->base.pMethods = &methods;
	if (out_flags)
		*out_flags = flags;
	return SQLITE_OK;
}

static int
disk_delete(sqlite3_vfs *vfs, const char *path, int is_synced)
{
	struct sim_file *file = file_get(path);

	(void)vfs, (void)is_synced;
	if (fails(file))
		return SQLITE_IOERR_DELETE;
	file->is_there = false;
	file->now.size = file->safe.size = 0;
	forget_deeds(file, file->deeds.n);
	return SQLITE_OK;
}

static int
disk_access(sqlite3_vfs *vfs, const char *path, int flags, int *is_there)
{
	(void)vfs, (void)flags;
	*is_there = file_get(path)->is_there;
	return SQLITE_OK;
}

static int
disk_path(sqlite3_vfs *vfs, const char *path, int size, char *out)
{
	(void)vfs;
	snprintf(out, (size_t)size, "%s", path);
	return SQLITE_OK;
}

static int
disk_random(sqlite3_vfs *vfs, int size, char *bytes)
{
	(void)vfs;
	for (int i = 0; i < size; i++)
		bytes[i] = (char)sim_dice(256);
	return size;
}

static int
disk_sleep(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	return microseconds;
}

static int
disk_time(sqlite3_vfs *vfs, double *days)
{
	(void)vfs;
	*days = 2460000.0 + (double)sim_now_ms() / 86400000.0;
	return SQLITE_OK;
}

static int
disk_last_error(sqlite3_vfs *vfs, int size, char *text)
{
	(void)vfs;
	if (size > 0)
		text[0] = '\0';
	return 0;
}

void
sim_disk_begin(void)
{
	static sqlite3_vfs vfs = {.iVersion = 1,
	    .szOsFile = sizeof(struct handle),
	    .mxPathname = 500,
	    .zName = "sim",
	    .xOpen = disk_open,
	    .xDelete = disk_delete,
	    .xAccess = disk_access,
	    .xFullPathname = disk_path,
	    .xRandomness = disk_random,
	    .xSleep = disk_sleep,
	    .xCurrentTime = disk_time,
	    .xGetLastError = disk_last_error};

	files = map_new();
	if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
		abort();
}
