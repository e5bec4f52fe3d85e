/*
 * Start: brings a node to what its row says, on or off, whatever is there already. Also: is it?
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "lib/base/log.h"
#include "programmer/folder.h"
#include "programmer/guest.h"
#include "programmer/port_hygiene.h"
#include "programmer/root.h"
#include "programmer/sliver.h"
#include "programmer/tasks.h"

/* A node that dies within QUICK_MS after its start is started again ever more slowly. */
enum { QUICK_MS = 10000, BACKOFF_MS = 1000, BACKOFF_MAX_MS = 60000 };

static bool switch_off(struct programmer *programmer, const struct sliver *sliver, struct err *err);
static bool start(struct programmer *programmer, const struct sliver *sliver,
    const struct domain *domain, const struct image *image, struct err *err);
static bool attend(struct programmer *programmer, const struct sliver *sliver,
    const struct domain *domain, const struct domain_look *look, struct err *err);
static void describe(const struct programmer *programmer, const struct sliver *sliver,
    const struct image *image, struct arena *arena, struct domain *domain);
static bool attach(struct programmer *programmer, const struct sliver *sliver,
    const struct domain_look *look, struct err *err);

bool
sliver_start(void *self, const struct row *row, struct err *err)
{
	struct programmer *programmer = self;
	const struct hypervisor *hypervisor = &programmer->hypervisor;
	auto_arena struct arena *arena = arena_new();
	struct sliver sliver;
	struct image image;
	struct domain domain;
	struct domain_look look;

	if (!sliver_read(programmer, row, arena, &sliver, err))
		return false;
	if (!sliver.is_on)
		return switch_off(programmer, &sliver, err);
	if (!image_find(programmer->conf.images, sliver.spec.image, arena, &image, err) ||
	    !hypervisor->ops->look(hypervisor->self, sliver.form, sliver.name, &look, err))
		return false;
	describe(programmer, &sliver, &image, arena, &domain);
	if (look.state == DOMAIN_OTHER &&
	    !hypervisor->ops->stop(hypervisor->self, sliver.form, sliver.name, err))
		return false;
	if ((look.state == DOMAIN_ABSENT || look.state == DOMAIN_OTHER) &&
	    (!start(programmer, &sliver, &domain, &image, err) ||
		!hypervisor->ops->look(hypervisor->self, sliver.form, sliver.name, &look, err)))
		return false;
	return attend(programmer, &sliver, &domain, &look, err);
}

bool
sliver_is_there(void *self, const struct row *row, struct err *err)
{
	struct programmer *programmer = self;
	const struct hypervisor *hypervisor = &programmer->hypervisor;
	auto_arena struct arena *arena = arena_new();
	struct sliver sliver;
	struct node_note note = {0};
	struct domain_look look;

	if (!sliver_read(programmer, row, arena, &sliver, err) ||
	    !hypervisor->ops->look(hypervisor->self, sliver.form, sliver.name, &look, err))
		return false;
	if (!sliver.is_on)
		return look.state == DOMAIN_ABSENT ||
		       err_set(err, ERR_WAIT, "node '%s' is on", sliver.spec.name);
	(void)note_get(programmer, sliver.rid, &note);
	if (look.state != DOMAIN_RUNNING)
		return err_set(err, ERR_WAIT, "node '%s' is not running", sliver.spec.name);
	if (note.pid != look.pid)
		return err_set(err, ERR_WAIT, "node '%s' has rebooted", sliver.spec.name);
	for (size_t i = 0; i < sliver.n_ports; i++) {
		struct port_device device = id_port_device(sliver.ports[i].id);

		if (!if_nametoindex(device.name))
			return err_set(err, ERR_WAIT, "device '%s' is missing", device.name);
	}
	return attach(programmer, &sliver, &look, err);
}

static bool
switch_off(struct programmer *programmer, const struct sliver *sliver, struct err *err)
{
	const struct hypervisor *hypervisor = &programmer->hypervisor;

	if (!hypervisor->ops->stop(hypervisor->self, sliver->form, sliver->name, err))
		return err_in(err, "node '%s'", sliver->spec.name);
	console_detach(programmer->consoles, sliver->rid);
	note_put(programmer, &(struct node_note){.rid = sliver->rid, .form = sliver->form});
	return true;
}

/* ---- from absent to running (a VM: to paused) -------------------------------------------------
 */

/* The text of the guest's /vnode/ports. */
static void
put_ports(const struct sliver *sliver, struct str *out)
{
	for (size_t i = 0; i < sliver->n_ports; i++) {
		unsigned char mac[6];

		id_port_mac(sliver->ports[i].id, mac);
		str_addf(out, "%02x:%02x:%02x:%02x:%02x:%02x %s %lld\n", mac[0], mac[1], mac[2],
		    mac[3], mac[4], mac[5], sliver->ports[i].name, (long long)sliver->ports[i].mtu);
	}
}

static bool
make_fifos(const struct programmer *programmer, const char *console, struct err *err)
{
	static const char *const ends[] = {"in", "out"};
	uint32_t owner = programmer->conf.qemu_uid;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		auto_str struct str path = {0};

		str_addf(&path, "%s.%s", console, ends[i]);
		(void)unlink(str_text(&path)); /* what was typed before is not for this guest */
		if (mkfifo(str_text(&path), 0600) < 0 || lchown(str_text(&path), owner, owner) < 0)
			return err_set(
			    err, ERR_INTERNAL, "make '%s': %s", str_text(&path), strerror(errno));
	}
	return true;
}

/* A sparse file; one that is there already keeps what the guest has written. */
static bool
make_disk(const struct programmer *programmer, const char *path, int64_t bytes, struct err *err)
{
	uint32_t owner = programmer->conf.qemu_uid;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool is_good = fd >= 0 && ftruncate(fd, bytes) == 0 && fchown(fd, owner, owner) == 0;

	if (!is_good)
		(void)err_set(err, ERR_INTERNAL, "make '%s': %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return is_good;
}

static bool
make_parts(struct programmer *programmer, const struct sliver *sliver, const struct domain *domain,
    const struct image *image, struct err *err)
{
	const struct node_conf *conf = &programmer->conf;
	auto_str struct str ports = {0}, hostname = {0};
	struct guest guest = {.files = {{"ports", NULL}, {"hostname", NULL}}, .n_files = 2};

	put_ports(sliver, &ports);
	str_addf(&hostname, "%s\n", sliver->spec.name);
	guest.files[0].text = str_text(&ports);
	guest.files[1].text = str_text(&hostname);
	if (sliver->spec.user_data)
		guest.files[guest.n_files++] =
		    (struct guest_file){"user-data", sliver->spec.user_data};
	if (!folder_make(sliver->folder, 0711, 0, err) ||
	    !console_begin(programmer->consoles, sliver->rid, err))
		return false;
	FAULT_POINT("programmer.ensure.folder.after");
	if (sliver->form == NODE_CONTAINER)
		return guest_folder(&guest, domain->guest_dir, conf->uid_base, err) &&
		       root_make(
			   sliver->folder, image->root, programmer->idmap, conf->uid_base, err);
	return guest_initrd(&guest, image->initrd, domain->initrd, conf->qemu_uid, err) &&
	       make_fifos(programmer, domain->console, err) &&
	       (!domain->disk || make_disk(programmer, domain->disk, sliver->spec.disk_bytes, err));
}

/* ERR_WAIT while a node that keeps dying rests. */
static bool
may_start(struct programmer *programmer, const struct sliver *sliver, struct node_note *note,
    struct err *err)
{
	int64_t now_ms = clock_boot_ms(&clock_real), rest_ms = BACKOFF_MS;

	if (!note_get(programmer, sliver->rid, note) || !note->is_on || !note->started_ms)
		*note = (struct node_note){.rid = sliver->rid, .form = sliver->form};
	else if (now_ms - note->started_ms > QUICK_MS)
		note->n_deaths = 0;
	for (int i = 1; i < note->n_deaths && rest_ms < BACKOFF_MAX_MS; i++)
		rest_ms *= 2;
	if (note->n_deaths && now_ms - note->started_ms < rest_ms)
		return err_set(err, ERR_WAIT,
		    "node '%s' has ended %d times right after its start; its console may tell why",
		    sliver->spec.name, note->n_deaths);
	if (note->started_ms)
		note->n_deaths++;
	return true;
}

static bool
start(struct programmer *programmer, const struct sliver *sliver, const struct domain *domain,
    const struct image *image, struct err *err)
{
	const struct hypervisor *hypervisor = &programmer->hypervisor;
	struct node_note note;

	if (!may_start(programmer, sliver, &note, err))
		return false;
	if (!make_parts(programmer, sliver, domain, image, err))
		return err_in(err, "node '%s'", sliver->spec.name);
	FAULT_POINT("programmer.ensure.domain.before");
	if (!hypervisor->ops->start(hypervisor->self, domain, err))
		return err_in(err, "node '%s'", sliver->spec.name);
	FAULT_POINT("programmer.ensure.domain.after");
	note.is_on = true;
	note.pid = 0;
	note.accel = domain->accel;
	note.started_ms = clock_boot_ms(&clock_real);
	note_put(programmer, &note);
	log_info("programmer", "event=started rid=%s slice=%s node=%s accel=%s",
	    id_text(sliver->rid).text, sliver->spec.slice ? sliver->spec.slice : "",
	    sliver->spec.name, node_accel_text(domain->accel));
	return true;
}

/* ---- what runs is cared for ------------------------------------------------------------------ */

/* The limit of a port from the attribute `gso` ("ID SEGMENTS"); 0 = none is given. */
static uint32_t
limit_of(const struct sliver *sliver, uint64_t port)
{
	struct id_text id = id_text(port);

	for (size_t i = 0; i < sliver->attr.gso.n; i++) {
		const char *text = sliver->attr.gso.items[i];
		long long segments;

		if (!strncmp(text, id.text, strlen(id.text)) && text[strlen(id.text)] == ' ' &&
		    str_to_i64(text + strlen(id.text) + 1, 1, UINT16_MAX, &segments))
			return (uint32_t)segments;
	}
	return 0;
}

static bool
set_ports(const struct sliver *sliver, const struct domain *domain, const struct domain_look *look,
    struct err *err)
{
	struct port_limit *limits = xcalloc(sliver->n_ports + 1, sizeof(*limits));
	bool is_good = true;

	for (size_t i = 0; i < sliver->n_ports; i++) {
		memcpy(limits[i].mac, domain->ports[i].mac, sizeof(limits[i].mac));
		limits[i].gso_max_segs = limit_of(sliver, sliver->ports[i].id);
		is_good = is_good && port_host_end(&domain->ports[i], limits[i].gso_max_segs, err);
	}
	if (is_good && look->pid && sliver->form == NODE_CONTAINER)
		is_good = port_node_ends(look->pid, limits, sliver->n_ports, err);
	free(limits);
	return is_good;
}

static bool
attend(struct programmer *programmer, const struct sliver *sliver, const struct domain *domain,
    const struct domain_look *look, struct err *err)
{
	const struct hypervisor *hypervisor = &programmer->hypervisor;
	struct node_note note;

	if (look->state != DOMAIN_RUNNING && look->state != DOMAIN_PAUSED)
		return err_set(err, ERR_WAIT, "node '%s' has ended again", sliver->spec.name);
	if (!note_get(programmer, sliver->rid, &note))
		note = (struct node_note){.rid = sliver->rid,
		    .form = sliver->form,
		    .accel = domain->accel,
		    .is_on = true};
	if (note.pid && note.pid != look->pid &&
	    !console_begin(programmer->consoles, note.rid, err))
		return false; /* it rebooted: new devices, a new terminal, not ready */
	if ((sliver->form == NODE_CONTAINER && look->pid &&
		!tasks_limit(look->pid, sliver->name, sliver->spec.cpu, err)) ||
	    !set_ports(sliver, domain, look, err) || !attach(programmer, sliver, look, err) ||
	    (look->state == DOMAIN_PAUSED &&
		!hypervisor->ops->resume(hypervisor->self, sliver->form, sliver->name, err)))
		return err_in(err, "node '%s'", sliver->spec.name);
	note.pid = look->pid;
	note_put(programmer, &note);
	return true;
}

static bool
attach(struct programmer *programmer, const struct sliver *sliver, const struct domain_look *look,
    struct err *err)
{
	auto_str struct str output = {0}, input = {0};

	if (sliver->form == NODE_CONTAINER) {
		if (!look->console[0])
			return true;
		str_add(&output, look->console);
		str_add(&input, look->console);
	} else {
		str_addf(&output, "%s/console.out", sliver->folder);
		str_addf(&input, "%s/console.in", sliver->folder);
	}
	return console_attach(programmer->consoles, sliver->rid,
	    &(struct console_ends){str_text(&output), str_text(&input)}, err);
}

/* A name that the kernel takes for a device, and that is not taken inside. */
static bool
is_device_name(const char *name)
{
	return strlen(name) < IF_NAMESIZE && !strchr(name, ':') && strcmp(name, "lo") != 0 &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* The others are called ethN, past those that a port of the tenant's is called. */
static void
name_others(struct domain_port *ports, size_t n_ports)
{
	unsigned next = 0;

	for (size_t i = 0; i < n_ports; i++) {
		bool is_free = ports[i].guest[0];

		while (!is_free) {
			(void)snprintf(ports[i].guest, sizeof(ports[i].guest), "eth%u", next++);
			is_free = true;
			for (size_t k = 0; k < n_ports; k++)
				is_free = is_free &&
					  (k == i || strcmp(ports[k].guest, ports[i].guest) != 0);
		}
	}
}

static void
describe(const struct programmer *programmer, const struct sliver *sliver,
    const struct image *image, struct arena *arena, struct domain *domain)
{
	const struct node_spec *spec = &sliver->spec;
	struct domain_port *ports = arena_alloc(arena, (sliver->n_ports + 1) * sizeof(*ports));

	for (size_t i = 0; i < sliver->n_ports; i++) {
		const char *name = sliver->ports[i].name;

		ports[i].mtu = (int)sliver->ports[i].mtu;
		id_port_mac(sliver->ports[i].id, ports[i].mac);
		(void)snprintf(ports[i].device, sizeof(ports[i].device), "%s",
		    id_port_device(sliver->ports[i].id).name);
		if (is_device_name(name))
			(void)snprintf(ports[i].guest, sizeof(ports[i].guest), "%s", name);
	}
	name_others(ports, sliver->n_ports);
	*domain = (struct domain){.name = sliver->name,
	    .rid = sliver->rid,
	    .form = sliver->form,
	    .accel = sliver->form == NODE_CONTAINER ? ACCEL_LXC : programmer->vm_accel,
	    .cpu = spec->cpu,
	    .cpu_share = spec->cpu_share,
	    .memory_bytes = spec->memory_bytes,
	    .ports = ports,
	    .n_ports = sliver->n_ports,
	    .uid_base = programmer->conf.uid_base,
	    .root = arena_format(arena, "%s/root", sliver->folder),
	    .guest_dir = arena_format(arena, "%s/vnode", sliver->folder),
	    .initrd = arena_format(arena, "%s/initrd", sliver->folder),
	    .console = arena_format(arena, "%s/console", sliver->folder),
	    .kernel = image->kernel,
	    .iops = spec->iops};
	if (sliver->form == NODE_VM)
		domain->cmdline = spec->kernel_args ? arena_format(arena, "%s %s", image->cmdline,
							  spec->kernel_args)
						    : image->cmdline;
	if (sliver->form == NODE_VM && spec->disk_bytes)
		domain->disk = arena_format(arena, "%s/disk", sliver->folder);
}
