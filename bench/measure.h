/*
 * What programs that measure the data plane share.
 */
#pragma once

#include <stddef.h>
#include <time.h>

/* In ns. */
long long measure_clock(clockid_t clock);

/* Processor time of the kernel's threads for deferred network work so far, in ns. */
long long measure_ksoftirqd(void);

/* Bytes and frames received, from the columns of /proc/net/dev behind a device's name. */
void measure_counts(const char *columns, unsigned long long counts[2]);

/* Ethernet, IPv4 and UDP headers of a frame of `size` bytes, to and from the discard port; the rest
 * stays as it is. */
void measure_frame(unsigned char *frame, size_t size);

/* A program that drops every frame that comes in by the device it is attached to: its file
 * descriptor, owned by the caller; -1 with errno. */
int measure_sink(void);
