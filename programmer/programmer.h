/*
 * programmerd's state: made in main, handed to the verbs of sliver.h.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "lib/base/conf.h"
#include "lib/base/map.h"
#include "programmer/console.h"
#include "programmer/hypervisor.h"

struct daemon;

/* What may be given to nodes. */
struct capacity {
	int64_t cpu;
	int64_t memory_bytes;
	int64_t disk_bytes;
};

/* Section [node] of the configuration, checked. Texts are owned. */
struct node_conf {
	char *instance;    /* domains are called INSTANCE-RID */
	char *images;      /* the catalogue */
	char *folder;      /* of the nodes: FOLDER/RID */
	char *kvm;         /* "auto", "yes", "no" */
	uint32_t uid_base; /* uid 0 of a container */
	uint32_t qemu_uid; /* QEMU's user: owns what it reads */
	struct capacity capacity;
};

struct programmer {
	struct node_conf conf;
	struct hypervisor hypervisor;
	enum node_accel vm_accel; /* ACCEL_KVM or ACCEL_TCG, as the probe found */
	int idmap;                /* see root.h; -1 = containers cannot be made */
	struct console_set *consoles;
	pthread_mutex_t lock;  /* notes */
	struct map *notes;     /* rid to struct node_note, see sliver_note.c */
	atomic_int n_execs;    /* commands that run now */
	char *kvm_why;         /* why VMs are emulated, "" when they are not; owned */
	struct daemon *daemon; /* hears of changes; NULL in unit tests */
};

/* Reads [node]; `state` is the daemon's folder. ERR_BAD_VALUE names the key. */
void node_conf_done(struct node_conf *node);
bool node_conf_read(const struct conf *conf, const char *host, const char *state,
    struct node_conf *node, struct err *err) must_check;

/* Takes over the configuration (cleared) when it succeeds. The hypervisor must outlive it. */
void programmer_free(struct programmer *programmer);
struct programmer *programmer_new(struct node_conf *conf, struct hypervisor hypervisor,
    enum node_accel vm_accel, struct err *err) malloc_by(programmer_free) must_check;

/* What hello tells of this host: lines key=value. For daemon_add_manager. */
void programmer_capacity(void *self, struct str *lines);
