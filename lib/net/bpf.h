/*
 * What every user of BPF needs beside its skeleton: the file system for pins, tc hooks, libbpf's
 * messages in our log.
 */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/net/netlink.h"

/* A bpffs is mounted at path (made if needed): 0700. */
bool bpf_fs_ensure(const char *path, struct err *err) must_check;

/* libbpf's warnings go to the log as debug lines of `module`. */
void bpf_log_quietly(void);

/*
 * Where programs see the frames that come in by a device: tcx (Linux 6.6), or clsact everywhere.
 * AUTO takes tcx where the kernel has it.
 */
enum bpf_hook { BPF_HOOK_AUTO, BPF_HOOK_TCX, BPF_HOOK_CLSACT };

/*
 * The program is the first of ours (their names begin with vn_) that sees what comes in by the
 * device; it takes the place of an earlier one without a frame between them. ERR_WAIT: the device
 * is gone. The first program at clsact makes the kernel stop the device's own sending for some
 * milliseconds.
 */
bool bpf_ingress_attach(struct netlink *netlink, uint32_t device, int program_fd,
    enum bpf_hook hook, struct err *err) must_check;

/*
 * No frame comes in by the device unless a program of ours takes it: one that drops all stands
 * behind every other, at clsact, and stays when they go. ERR_WAIT: the device is gone.
 */
bool bpf_ingress_close(struct netlink *netlink, uint32_t device, struct err *err) must_check;
bool bpf_ingress_is_closed(uint32_t device);

/* None of ours is attached there, but for the one that drops; no hook is left without one. A device
 * that is gone is success. */
bool bpf_ingress_detach(struct netlink *netlink, uint32_t device, struct err *err) must_check;

/* Is the program with this id attached there, at that hook (AUTO: at either)? Cheap with tcx. */
bool bpf_ingress_has(uint32_t device, uint32_t program_id, enum bpf_hook hook) must_check;

/* The id of our program there; 0 = none. */
uint32_t bpf_ingress_program(uint32_t device);

/* "tcx" or "clsact": where it is; "" = nowhere. */
const char *bpf_ingress_hook(uint32_t device);

/* The id of a loaded program; 0 when it cannot be told. */
uint32_t bpf_program_id(int program_fd);

/*
 * XDP in the device's driver: it sees frames before the kernel does. The program takes the place of
 * an earlier one of ours (their names begin with vn_) without a frame between them. ERR_CONFLICT:
 * somebody else's is there. ERR_WAIT: the device is gone.
 */
bool bpf_native_attach(uint32_t device, int program_fd, struct err *err) must_check;

/* Removes ours; none, or a device that is gone, is success. */
bool bpf_native_detach(uint32_t device, struct err *err) must_check;

/* The id of the program there; 0 = none. */
uint32_t bpf_native_program(uint32_t device);
