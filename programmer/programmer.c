/*
 * programmerd's state and configuration.
 */
#include "programmer/programmer.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/model/units.h"
#include "programmer/folder.h"
#include "programmer/image.h"
#include "programmer/root.h"
#include "programmer/sliver.h"

enum { INSTANCE_MAX = 48, CPU_MAX = 100000, UID_MIN = 65536, UID_MAX = INT32_MAX };

/* The host keeps an eighth of its memory and disk. */
enum { HOST_PART = 8 };

static bool read_instance(
    const struct conf *conf, const char *host, struct node_conf *node, struct err *err);
static bool read_capacity(const struct conf *conf, struct node_conf *node, struct err *err);

void
node_conf_done(struct node_conf *node)
{
	free(node->instance);
	free(node->images);
	free(node->folder);
	free(node->kvm);
	*node = (struct node_conf){0};
}

bool
node_conf_read(const struct conf *conf, const char *host, const char *state, struct node_conf *node,
    struct err *err)
{
	const char *user = conf_text(conf, "node", "qemu_user");
	const struct passwd *qemu;
	auto_str struct str folder = {0};
	int64_t uid_base;

	*node = (struct node_conf){0};
	str_addf(&folder, "%s/nodes", state);
	node->folder = str_take(&folder);
	node->images = xstrdup(conf_text(conf, "node", "images"));
	node->kvm = xstrdup(conf_text(conf, "node", "kvm"));
	if (strcmp(node->kvm, "auto") != 0 && strcmp(node->kvm, "yes") != 0 &&
	    strcmp(node->kvm, "no") != 0)
		return err_set(
		    err, ERR_BAD_VALUE, "[node] kvm=%s: neither auto, yes nor no", node->kvm);
	if (!conf_i64(
		conf, &(struct conf_number){"node", "uids", UID_MIN, UID_MAX}, &uid_base, err))
		return false;
	node->uid_base = (uint32_t)uid_base;
	qemu = getpwnam(user);
	if (!qemu)
		return err_set(err, ERR_BAD_VALUE, "[node] qemu_user=%s: no such user", user);
	node->qemu_uid = qemu->pw_uid;
	return read_instance(conf, host, node, err) && read_capacity(conf, node, err);
}

struct programmer *
programmer_new(
    struct node_conf *conf, struct hypervisor hypervisor, enum node_accel vm_accel, struct err *err)
{
	struct console_set *consoles =
	    folder_make(conf->folder, 0711, 0, err) ? console_set_new(conf->folder, err) : NULL;
	struct programmer *programmer;
	struct err why = {0};

	if (!consoles)
		return NULL;
	programmer = xcalloc(1, sizeof(*programmer));
	programmer->conf = *conf;
	*conf = (struct node_conf){0};
	programmer->hypervisor = hypervisor;
	programmer->vm_accel = vm_accel;
	programmer->consoles = consoles;
	programmer->notes = map_new();
	programmer->kvm_why = xstrdup("");
	pthread_mutex_init(&programmer->lock, NULL);
	programmer->idmap = idmap_open(programmer->conf.uid_base, &why);
	if (programmer->idmap < 0)
		log_warn("programmer", "event=no_containers why=\"%s\"", why.text);
	return programmer;
}

void
programmer_free(struct programmer *programmer)
{
	void *note;

	if (!programmer)
		return;
	console_set_free(programmer->consoles);
	for (size_t at = 0; (note = map_next(programmer->notes, &at));)
		free(note);
	map_free(programmer->notes);
	free(programmer->kvm_why);
	if (programmer->idmap >= 0)
		close(programmer->idmap);
	pthread_mutex_destroy(&programmer->lock);
	node_conf_done(&programmer->conf);
	free(programmer);
}

void
programmer_capacity(void *self, struct str *lines)
{
	const struct programmer *programmer = self;
	const struct capacity *capacity = &programmer->conf.capacity;
	auto_arena struct arena *arena = arena_new();
	const struct image *images;
	size_t n_images;

	str_addf(lines, "cpu=%lld\nmemory_bytes=%lld\ndisk_bytes=%lld\naccel=%s\n",
	    (long long)capacity->cpu, (long long)capacity->memory_bytes,
	    (long long)capacity->disk_bytes, node_accel_text(programmer->vm_accel));
	image_list(programmer->conf.images, arena, &images, &n_images);
	for (size_t i = 0; i < n_images; i++)
		str_addf(lines, "image.%s=%s:%lld\n", images[i].name,
		    node_form_text(images[i].form), (long long)images[i].memory_bytes);
}

/* It stands in names of domains and cgroups. */
static bool
read_instance(const struct conf *conf, const char *host, struct node_conf *node, struct err *err)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const char *text = conf_text(conf, "node", "instance");

	node->instance = xstrdup(text ? text : host);
	if (!*node->instance || strlen(node->instance) > INSTANCE_MAX ||
	    node->instance[strspn(node->instance, letters)])
		return err_set(err, ERR_BAD_VALUE,
		    "[node] instance=%s: at most %d letters, digits, - and _", node->instance,
		    INSTANCE_MAX);
	return true;
}

static bool
read_size(
    const struct conf *conf, const char *key, int64_t otherwise, int64_t *bytes, struct err *err)
{
	const char *text = conf_text(conf, "node", key);

	*bytes = otherwise;
	return !text || unit_size(text, bytes, err) || err_in(err, "[node] %s", key);
}

static bool
read_capacity(const struct conf *conf, struct node_conf *node, struct err *err)
{
	int64_t memory = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE), disk = 0;
	struct capacity *capacity = &node->capacity;
	struct statvfs stat;

	if (statvfs(node->folder, &stat) == 0 || statvfs("/var/lib", &stat) == 0)
		disk = (int64_t)(stat.f_bavail * stat.f_frsize);
	capacity->cpu = sysconf(_SC_NPROCESSORS_ONLN);
	return (!conf_text(conf, "node", "cpu") ||
		   conf_i64(conf, &(struct conf_number){"node", "cpu", 1, CPU_MAX}, &capacity->cpu,
		       err)) &&
	       read_size(
		   conf, "memory", memory - memory / HOST_PART, &capacity->memory_bytes, err) &&
	       read_size(conf, "disk", disk - disk / HOST_PART, &capacity->disk_bytes, err);
}
