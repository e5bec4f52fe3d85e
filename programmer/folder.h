/*
 * Folders and files of nodes. A node's own root is written by its guest: nothing here follows a
 * symbolic link out of the folder it was given, and no depth of folders is too deep.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"

/* Makes the folder if it is absent, and gives it mode and owner. Not its parents. */
bool folder_make(const char *path, mode_t mode, uint32_t owner, struct err *err) must_check;

/* Removes it with all that is in it; absent is success. Mounts below it are not entered: they make
 * it fail. */
bool folder_remove(const char *path, struct err *err) must_check;

/* Puts a file in place as a whole (written beside it, then renamed). */
bool file_put(
    const char *path, const void *bytes, size_t size, uint32_t owner, struct err *err) must_check;

/* The whole of a small file, at most `limit` bytes; owned by the caller. NULL on failure. */
char *file_get(const char *path, size_t limit, size_t *size, struct err *err) must_check;
