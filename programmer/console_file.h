/*
 * The file behind one console: the newest output of a node, with the offset it has since the node
 * was made. Not thread-safe: console.c has a lock around it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum { CONSOLE_KEEP = 64 * 1024, CONSOLE_FILE_MAX = 4 * CONSOLE_KEEP };

/* The head of the file, followed by bytes base … end. */
struct console_head {
	char magic[8];
	int64_t base;  /* offset of the first byte kept */
	int64_t start; /* offset at which the guest started last */
	int64_t ready; /* 1: it has printed vnode-ready since */
};

struct console_file {
	int fd; /* -1 = closed */
	struct console_head head;
	int64_t end; /* offset behind the last byte */
};

/* Opens the file, or makes it when may_make; ERR_NOT_FOUND. */
bool console_file_open(
    struct console_file *file, const char *path, bool may_make, struct err *err) must_check;
void console_file_close(struct console_file *file);

/* The guest starts: what comes now decides whether it is ready. */
bool console_file_begin(struct console_file *file, struct err *err) must_check;

/* Appends; when the file is full its older part goes. */
bool console_file_add(
    struct console_file *file, const void *bytes, size_t size, struct err *err) must_check;

/* Up to `size` bytes from offset; the number read. */
size_t console_file_read(const struct console_file *file, int64_t offset, void *bytes, size_t size);
