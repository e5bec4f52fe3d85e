/*
 * What every user of BPF needs beside its skeleton: the file system for pins, tc hooks, libbpf's
 * messages in our log.
 */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

/* A bpffs is mounted at path (made if needed): 0700. */
bool bpf_fs_ensure(const char *path, struct err *err) must_check;

/* libbpf's warnings go to the log as debug lines of `module`. */
void bpf_log_quietly(void);

/*
 * The program is the first ingress filter of the device (clsact must be there); replaced atomically
 * when another one was.
 */
bool bpf_ingress_attach(uint32_t device, int program_fd, struct err *err) must_check;

/* The id of the program there; 0 = none. */
uint32_t bpf_ingress_program(uint32_t device);

/* The id of a loaded program; 0 when it cannot be told. */
uint32_t bpf_program_id(int program_fd);
