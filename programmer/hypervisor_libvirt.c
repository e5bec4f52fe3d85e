/*
 * The hypervisor driver that is libvirt: lxc:/// for containers, qemu:///system for virtual
 * machines. The only includer of libvirt's headers. Calls run on the caller's thread with no lock
 * held, so a call that hangs holds up nobody else; keepalive ends calls to a daemon that is dead.
 */
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "programmer/hypervisor.h"

enum { KEEPALIVE_S = 5, KEEPALIVE_COUNT = 3, LOOP_MS = 250, GONE_MS = 3000, GONE_STEP_MS = 10 };

/* A connection of one form, NULL until it is needed and after a loss. */
struct link {
	virConnectPtr connection;
	int event_id;
};

struct hypervisor_libvirt {
	pthread_t thread;
	pthread_mutex_t lock; /* links */
	struct link links[2]; /* by node_form */
	atomic_bool is_stopping;
	bool has_thread;
	int timer;
	hypervisor_event *event;
	void *event_self;
};

static const char *const uris[] = {[NODE_CONTAINER] = "lxc:///", [NODE_VM] = "qemu:///system"};

static void dispose(struct hypervisor_libvirt *libvirt);
static void *loop_main(void *self);
static virConnectPtr connect_to(
    struct hypervisor_libvirt *libvirt, enum node_form form, struct err *err);
static virDomainPtr find(
    struct hypervisor_libvirt *libvirt, enum node_form form, const char *name, struct err *err);
static bool refuse(struct err *err, virConnectPtr connection, const char *what);
static void close_link(struct link *link);
static void drop_link(struct hypervisor_libvirt *libvirt, enum node_form form);

static void
connection_free(virConnectPtr *connection)
{
	if (*connection)
		virConnectClose(*connection);
}

static void
domain_free(virDomainPtr *domain)
{
	if (*domain)
		virDomainFree(*domain);
}

static void
fd_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define auto_connection __attribute__((cleanup(connection_free)))
#define auto_domain __attribute__((cleanup(domain_free)))
#define auto_fd __attribute__((cleanup(fd_close)))

/* libvirt prints every error on stderr unless told otherwise; ours are in struct err. */
static void
be_silent(void *self, virErrorPtr error)
{
	(void)self;
	(void)error;
}

static void
on_timer(int timer, void *self)
{
	(void)timer;
	(void)self;
}

struct hypervisor_libvirt *
hypervisor_libvirt_new(hypervisor_event *event, void *event_self, struct err *err)
{
	struct hypervisor_libvirt *libvirt = xcalloc(1, sizeof(*libvirt));

	pthread_mutex_init(&libvirt->lock, NULL);
	libvirt->event = event;
	libvirt->event_self = event_self;
	virSetErrorFunc(NULL, be_silent);
	if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0 ||
	    (libvirt->timer = virEventAddTimeout(LOOP_MS, on_timer, NULL, NULL)) < 0 ||
	    pthread_create(&libvirt->thread, NULL, loop_main, libvirt) != 0) {
		dispose(libvirt);
		(void)err_set(err, ERR_INTERNAL, "libvirt's event loop cannot be started");
		return NULL;
	}
	libvirt->has_thread = true;
	return libvirt;
}

void
hypervisor_libvirt_free(struct hypervisor_libvirt *libvirt)
{
	if (libvirt)
		dispose(libvirt);
}

static void
dispose(struct hypervisor_libvirt *libvirt)
{
	hypervisor_libvirt_quiet(libvirt);
	drop_link(libvirt, NODE_CONTAINER);
	drop_link(libvirt, NODE_VM);
	pthread_mutex_destroy(&libvirt->lock);
	free(libvirt);
}

void
hypervisor_libvirt_quiet(struct hypervisor_libvirt *libvirt)
{
	atomic_store(&libvirt->is_stopping, true);
	if (libvirt->has_thread)
		pthread_join(libvirt->thread, NULL);
	libvirt->has_thread = false;
}

/*
 * When memory runs out the kernel ends the process that has most of it. What no process has, as a
 * full tmpfs, would stay for ever and choke the container: a controller that counts as if it had
 * half of the limit is ended then, and all of the container with it, which is started anew.
 */
static void
answer_for_memory(virDomainPtr container)
{
	static const char half[] = "500";
	unsigned id = virDomainGetID(container); /* its controller's process */
	char path[64];
	auto_fd int fd = -1;

	if (id == (unsigned)-1)
		return;
	(void)snprintf(path, sizeof(path), "/proc/%u/oom_score_adj", id);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	/* It fails when the container has ended already. */
	(void)!write(fd, half, sizeof(half) - 1);
}

static bool
libvirt_start(void *self, const struct domain *domain, struct err *err)
{
	auto_connection virConnectPtr connection = connect_to(self, domain->form, err);
	auto_domain virDomainPtr made = NULL;
	auto_str struct str xml = {0};
	struct domain_look look;

	if (!connection)
		return false;
	domain_xml(domain, &xml);
	made = virDomainCreateXML(connection, str_text(&xml),
	    domain->form == NODE_VM ? VIR_DOMAIN_START_PAUSED : VIR_DOMAIN_NONE);
	if (made) {
		if (domain->form == NODE_CONTAINER)
			answer_for_memory(made);
		return true;
	}
	refuse(err, connection, "start");
	/* An earlier start of ours may have come through after all. */
	return hypervisor_libvirt(self).ops->look(self, domain->form, domain->name, &look, NULL) &&
	       (look.state == DOMAIN_RUNNING || look.state == DOMAIN_PAUSED);
}

static bool
libvirt_resume(void *self, enum node_form form, const char *name, struct err *err)
{
	auto_domain virDomainPtr domain = find(self, form, name, err);

	if (!domain)
		return false;
	if (virDomainResume(domain) < 0 && virGetLastErrorCode() != VIR_ERR_OPERATION_INVALID)
		return refuse(err, virDomainGetConnect(domain), "resume");
	return true;
}

/* The container's init: the only child of its controller. 0 = there is none (any more). */
static pid_t
init_of(pid_t controller)
{
	char path[64], text[64] = "";
	auto_fd int fd = -1;
	ssize_t size;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", controller, controller);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	return size > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

/* libvirt ends a container in 0.4 s, one after another; without its init one is gone at once. */
static bool
kill_init(pid_t controller)
{
	pid_t init = init_of(controller);
	auto_fd int fd = init > 0 ? pidfd_open(init, 0) : -1;

	/* Asked again: the number may have become somebody else's before pidfd_open. */
	return fd >= 0 && init_of(controller) == init &&
	       pidfd_send_signal(fd, SIGKILL, NULL, 0) == 0;
}

static bool
is_gone(struct hypervisor_libvirt *libvirt, enum node_form form, const char *name)
{
	auto_connection virConnectPtr connection = connect_to(libvirt, form, NULL);
	auto_domain virDomainPtr domain =
	    connection ? virDomainLookupByName(connection, name) : NULL;

	if (!domain)
		return connection && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN;
	return virDomainIsActive(domain) == 0;
}

/* A container's controller, -1 = none, goes first: the kernel tells, and libvirt is left alone. */
static bool
wait_gone(struct hypervisor_libvirt *libvirt, enum node_form form, const char *name, int controller)
{
	if (controller >= 0)
		(void)poll(&(struct pollfd){.fd = controller, .events = POLLIN}, 1, GONE_MS);
	for (int ms = 0; ms < GONE_MS; ms += GONE_STEP_MS) {
		if (is_gone(libvirt, form, name))
			return true;
		(void)poll(NULL, 0, GONE_STEP_MS);
	}
	return false;
}

static bool
libvirt_stop(void *self, enum node_form form, const char *name, struct err *err)
{
	auto_connection virConnectPtr connection = connect_to(self, form, err);
	auto_domain virDomainPtr domain = NULL;
	auto_fd int controller = -1;
	unsigned id;

	if (!connection)
		return false;
	domain = virDomainLookupByName(connection, name);
	if (!domain)
		return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ||
		       refuse(err, connection, "find");
	id = virDomainGetID(domain); /* of a container: its controller's process */
	if (form == NODE_CONTAINER && id != (unsigned)-1)
		controller = pidfd_open((pid_t)id, 0);
	if (controller >= 0 && kill_init((pid_t)id) && wait_gone(self, form, name, controller))
		return true;
	if (virDomainDestroy(domain) < 0 && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN &&
	    virGetLastErrorCode() != VIR_ERR_OPERATION_INVALID)
		return refuse(err, connection, "stop");
	/* Somebody may have defined it by hand: then it would stay in the list. */
	if (virDomainIsPersistent(domain) == 1 && virDomainUndefine(domain) < 0)
		return refuse(err, connection, "undefine");
	return wait_gone(self, form, name, -1) ||
	       err_set(err, ERR_TIMEOUT, "libvirt has not ended it within %d ms", GONE_MS);
}

static enum domain_state
state_of(int state)
{
	if (state == VIR_DOMAIN_RUNNING || state == VIR_DOMAIN_BLOCKED)
		return DOMAIN_RUNNING;
	if (state == VIR_DOMAIN_PAUSED)
		return DOMAIN_PAUSED;
	return state == VIR_DOMAIN_SHUTOFF ? DOMAIN_ABSENT : DOMAIN_OTHER;
}

/* libvirt tells the terminal of a container's console in its XML alone. */
static void
find_console(virDomainPtr domain, struct domain_look *look)
{
	static const char mark[] = "<console type='pty' tty='";
	char *xml = virDomainGetXMLDesc(domain, 0);
	const char *at = xml ? strstr(xml, mark) : NULL;
	size_t size = at ? strcspn(at + sizeof(mark) - 1, "'") : 0;

	if (size && size < sizeof(look->console))
		memcpy(look->console, at + sizeof(mark) - 1, size);
	free(xml);
}

static bool
libvirt_look(
    void *self, enum node_form form, const char *name, struct domain_look *look, struct err *err)
{
	auto_connection virConnectPtr connection = connect_to(self, form, err);
	auto_domain virDomainPtr domain = NULL;
	int state;
	unsigned id;

	if (!connection)
		return false;
	*look = (struct domain_look){.state = DOMAIN_ABSENT};
	domain = virDomainLookupByName(connection, name);
	if (!domain)
		return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ||
		       refuse(err, connection, "find");
	if (virDomainGetState(domain, &state, NULL, 0) < 0)
		return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ||
		       refuse(err, connection, "look at");
	look->state = state_of(state);
	id = virDomainGetID(domain);
	if (form == NODE_CONTAINER && look->state == DOMAIN_RUNNING && id != (unsigned)-1) {
		look->pid = init_of((pid_t)id);
		find_console(domain, look);
	}
	return true;
}

static bool
libvirt_list(void *self, hypervisor_each *each, void *each_self, struct err *err)
{
	for (int form = NODE_CONTAINER; form <= NODE_VM; form++) {
		auto_connection virConnectPtr connection =
		    connect_to(self, (enum node_form)form, err);
		virDomainPtr *domains = NULL;
		int n = connection ? virConnectListAllDomains(connection, &domains, 0) : -1;

		if (!connection)
			return false;
		if (n < 0)
			return refuse(err, connection, "list");
		for (int i = 0; i < n; i++) {
			each(each_self, (enum node_form)form, virDomainGetName(domains[i]));
			virDomainFree(domains[i]);
		}
		free(domains);
	}
	return true;
}

static bool
libvirt_check(void *self, enum node_form form, struct str *found, struct err *err)
{
	auto_connection virConnectPtr connection = connect_to(self, form, err);
	unsigned long version = 0;

	if (!connection)
		return false;
	if (virConnectGetLibVersion(connection, &version) < 0)
		return refuse(err, connection, "ask");
	str_addf(found, "libvirt %lu.%lu.%lu at %s", version / 1000000, version / 1000 % 1000,
	    version % 1000, uris[form]);
	return true;
}

struct hypervisor
hypervisor_libvirt(struct hypervisor_libvirt *libvirt)
{
	static const struct hypervisor_ops ops = {.start = libvirt_start,
	    .resume = libvirt_resume,
	    .stop = libvirt_stop,
	    .look = libvirt_look,
	    .list = libvirt_list,
	    .check = libvirt_check};

	return (struct hypervisor){&ops, libvirt};
}

static void *
loop_main(void *self)
{
	struct hypervisor_libvirt *libvirt = self;

	while (!atomic_load(&libvirt->is_stopping))
		if (virEventRunDefaultImpl() < 0)
			(void)poll(NULL, 0, LOOP_MS);
	return NULL;
}

static int
on_event(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *self)
{
	struct hypervisor_libvirt *libvirt = self;

	(void)connection;
	(void)detail;
	log_debug("programmer", "event=domain name=%s is=%d", virDomainGetName(domain), event);
	libvirt->event(libvirt->event_self, virDomainGetName(domain));
	return 0;
}

/* A reference of the caller's own: a loss meanwhile cannot take the connection away from it. */
static virConnectPtr
connect_to(struct hypervisor_libvirt *libvirt, enum node_form form, struct err *err)
{
	struct link *link = &libvirt->links[form], fresh = {0};
	virConnectPtr connection;

	pthread_mutex_lock(&libvirt->lock);
	if (link->connection && virConnectIsAlive(link->connection) != 1) {
		fresh = *link;
		*link = (struct link){0};
	}
	connection = link->connection;
	if (connection)
		virConnectRef(connection);
	pthread_mutex_unlock(&libvirt->lock);
	close_link(&fresh);
	if (connection)
		return connection;

	fresh.connection = virConnectOpen(uris[form]);
	if (!fresh.connection) {
		(void)err_set(
		    err, ERR_WAIT, "no connection to %s: %s", uris[form], virGetLastErrorMessage());
		return NULL;
	}
	(void)virConnectSetKeepAlive(fresh.connection, KEEPALIVE_S, KEEPALIVE_COUNT);
	fresh.event_id = virConnectDomainEventRegisterAny(fresh.connection, NULL,
	    VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_event), libvirt, NULL);
	connection = fresh.connection;
	virConnectRef(connection);
	pthread_mutex_lock(&libvirt->lock);
	if (!link->connection) {
		*link = fresh;
		fresh = (struct link){0};
	}
	pthread_mutex_unlock(&libvirt->lock);
	close_link(&fresh); /* another thread was faster: its connection stays, ours ends with us */
	return connection;
}

static virDomainPtr
find(struct hypervisor_libvirt *libvirt, enum node_form form, const char *name, struct err *err)
{
	auto_connection virConnectPtr connection = connect_to(libvirt, form, err);
	virDomainPtr domain = connection ? virDomainLookupByName(connection, name) : NULL;

	if (connection && !domain)
		refuse(err, connection, "find");
	return domain;
}

/* What libvirt says; ERR_WAIT when the connection is lost, it will come back. */
static bool
refuse(struct err *err, virConnectPtr connection, const char *what)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%s", virGetLastErrorMessage());
	if (virConnectIsAlive(connection) != 1)
		return err_set(err, ERR_WAIT, "libvirt was lost in '%s': %s", what, text);
	return err_set(err, ERR_INTERNAL, "libvirt cannot %s it: %s", what, text);
}

static void
close_link(struct link *link)
{
	if (!link->connection)
		return;
	if (link->event_id >= 0)
		(void)virConnectDomainEventDeregisterAny(link->connection, link->event_id);
	virConnectClose(link->connection);
	link->connection = NULL;
}

static void
drop_link(struct hypervisor_libvirt *libvirt, enum node_form form)
{
	struct link old;

	pthread_mutex_lock(&libvirt->lock);
	old = libvirt->links[form];
	libvirt->links[form] = (struct link){0};
	pthread_mutex_unlock(&libvirt->lock);
	close_link(&old);
}
