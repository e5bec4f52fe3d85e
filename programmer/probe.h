/*
 * Does hardware virtualisation work here? That /dev/kvm exists, opens and makes a virtual CPU
 * proves nothing (docs/platform.md): only a kernel that boots does.
 */
#pragma once

#include "programmer/hypervisor.h"

/* Boots kernel and initramfs under KVM, 15 s at most. ACCEL_KVM or ACCEL_TCG; why it is not KVM is
 * appended to `why`. Blocks. */
enum node_accel probe_kvm(const char *kernel, const char *initrd, struct str *why);

/* The answer for this boot of the machine, from the file `cache` where it is known, else by
 * probe_kvm with the first VM image of the catalogue (none: TCG, and nothing is remembered). */
enum node_accel probe_cached(const char *catalogue, const char *cache, struct str *why);
