/*
 * Consoles of nodes: one thread reads what the guests print and keeps the last of it in a file of
 * the node's folder, with offsets that count on as long as the node exists. Nothing is lost while
 * programmerd restarts: the terminal or FIFO holds it, and in the end the guest waits.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"

struct console_set;

enum { CONSOLE_READ_MAX = 64 * 1024, CONSOLE_WRITE_MAX = 4 * 1024 };

/* Stops the thread and closes all; files stay. */
void console_set_free(struct console_set *set);

/* Consoles of the nodes in `folder`: the file is FOLDER/RID/console. `folder` is borrowed. */
struct console_set *console_set_new(const char *folder, struct err *err)
    malloc_by(console_set_free) must_check;

/* Where a guest prints and is typed to; for a terminal the same path twice. */
struct console_ends {
	const char *output; /* we read it */
	const char *input;  /* we write it */
};

/* Reads from now on what the guest prints. Attached already: success. */
bool console_attach(struct console_set *set, uint64_t rid, const struct console_ends *ends,
    struct err *err) must_check;

/* The node is about to start (again): not attached, and its guest is not ready. */
bool console_begin(struct console_set *set, uint64_t rid, struct err *err) must_check;

/* Closes it, what is left to read is read first; absent is success. */
void console_detach(struct console_set *set, uint64_t rid);

/* Forgets it; the file is left to whoever removes the folder. */
void console_forget(struct console_set *set, uint64_t rid);

struct console_text {
	int64_t offset;  /* in: of the first byte wanted, -1 = the newest; out: of the first byte */
	int64_t wait_ms; /* in: wait so long for the first byte, at most 30 s */
	const void *bytes;
	size_t size;
	bool is_ready; /* the guest has printed vnode-ready since it started */
};

/*
 * What was printed from text->offset on, at most CONSOLE_READ_MAX bytes, in arena. Bytes too old
 * are skipped. ERR_NOT_FOUND: no such console.
 */
bool console_read(struct console_set *set, uint64_t rid, struct arena *arena,
    struct console_text *text, struct err *err) must_check;

/* Types; ERR_CONFLICT: the node is off, ERR_TIMEOUT: the guest does not take it. */
bool console_write(struct console_set *set, uint64_t rid, const void *bytes, size_t size,
    struct err *err) must_check;

/* Has the guest said that it is up? False when there is no such console. */
bool console_is_ready(struct console_set *set, uint64_t rid);
