/*
 * The driver that runs containers and virtual machines: libvirt (hypervisor_libvirt.c), or memory
 * alone for unit tests (hypervisor_fake.c). Every function may be repeated, from any thread; none
 * holds a lock while the hypervisor works.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/str.h"

enum node_form { NODE_CONTAINER, NODE_VM };

/* How a node is run: shown to people as "lxc", "kvm", "tcg". */
enum node_accel { ACCEL_LXC, ACCEL_KVM, ACCEL_TCG };

enum { DOMAIN_NAME_SIZE = 80 };

struct domain_port {
	char device[16]; /* host end, the contract with redirectord */
	unsigned char mac[6];
	char guest[16]; /* name inside a container; "" = as the hypervisor likes */
	int mtu;
};

/* What is to be run. All texts are borrowed. */
struct domain {
	const char *name; /* INSTANCE-RID, unique on the machine */
	uint64_t rid;
	enum node_form form;
	enum node_accel accel;
	int64_t cpu;
	int64_t cpu_share; /* of a physical CPU per virtual CPU, in 1/1000; 0 = none guaranteed */
	int64_t memory_bytes; /* container: limit; VM: size */
	const struct domain_port *ports;
	size_t n_ports;
	const char *root;      /* container: the folder that is its / */
	const char *guest_dir; /* container: the folder that is its /vnode, read-only */
	uint32_t uid_base;     /* container: its uid and gid 0 on the host */
	const char *kernel;    /* VM */
	const char *initrd;    /* VM */
	const char *cmdline;   /* VM */
	const char *console;   /* VM: FIFOs at CONSOLE.in and CONSOLE.out */
	const char *disk;      /* VM: raw disk image; NULL = none */
	int64_t iops;          /* VM: of its disk; 0 = unlimited */
};

enum domain_state {
	DOMAIN_ABSENT,
	DOMAIN_RUNNING,
	DOMAIN_PAUSED, /* a VM between hypervisor start and resume */
	DOMAIN_OTHER,  /* dying, crashed, held by hand */
};

struct domain_look {
	enum domain_state state;
	pid_t pid;        /* container: its init; 0 = not known */
	char console[64]; /* container: its console's terminal; "" = not known */
};

typedef void hypervisor_each(void *self, enum node_form form, const char *name);

struct hypervisor_ops {
	/* Starts it: a VM stays paused (resume it), a container runs. There already: success. */
	bool (*start)(void *self, const struct domain *domain, struct err *err);
	bool (*resume)(void *self, enum node_form form, const char *name, struct err *err);
	/* Ends it at once and waits until it is gone. Absent is success. */
	bool (*stop)(void *self, enum node_form form, const char *name, struct err *err);
	/* How it stands; DOMAIN_ABSENT when there is none of this name. */
	bool (*look)(void *self, enum node_form form, const char *name, struct domain_look *look,
	    struct err *err);
	/* Calls each for all domains, running or not. */
	bool (*list)(void *self, hypervisor_each *each, void *each_self, struct err *err);
	/* Can domains of this form be run? What was found is appended to `found`. */
	bool (*check)(void *self, enum node_form form, struct str *found, struct err *err);
};

/* A driver. ERR_WAIT from any function: the hypervisor cannot be reached now. */
struct hypervisor {
	const struct hypervisor_ops *ops;
	void *self;
};

/* Called by the driver's thread when a domain has changed its state; must not block. */
typedef void hypervisor_event(void *self, const char *name);

struct hypervisor_libvirt;

/* Stops the driver's thread and closes the connections; domains stay. */
void hypervisor_libvirt_free(struct hypervisor_libvirt *libvirt);

/* The libvirt driver: lxc:/// and qemu:///system, connected when first needed, again after a loss.
 */
struct hypervisor_libvirt *hypervisor_libvirt_new(hypervisor_event *event, void *event_self,
    struct err *err) malloc_by(hypervisor_libvirt_free) must_check;
struct hypervisor hypervisor_libvirt(struct hypervisor_libvirt *libvirt);

/* Ends the events: none comes after this has returned. */
void hypervisor_libvirt_quiet(struct hypervisor_libvirt *libvirt);

/* The text of libvirt's domain XML. */
void domain_xml(const struct domain *domain, struct str *out);

/* "container"/"vm" (ERR_BAD_VALUE otherwise); "lxc", "kvm", "tcg". */
const char *node_form_text(enum node_form form);
bool node_form_parse(const char *text, enum node_form *form, struct err *err) must_check;
const char *node_accel_text(enum node_accel accel);
