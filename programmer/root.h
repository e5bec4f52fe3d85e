/*
 * The own root of a container: an overlay over the image's files. What the image holds is shared
 * and never written; the container's uid 0 (uid_base outside) owns what it sees, by an id-mapped
 * mount (kernel 5.19 and newer), so nothing is copied or chowned.
 */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

/* A user namespace of its own that maps 0 to uid_base; -1 on failure. A descriptor of the caller's.
 */
int idmap_open(uint32_t uid_base, struct err *err) must_check;

/*
 * Mounts the container's root at FOLDER/root, from the image's root and FOLDER/upper, FOLDER/work.
 * There already: success.
 */
bool root_make(const char *folder, const char *image_root, int idmap, uint32_t uid_base,
    struct err *err) must_check;

/* Takes the mount away; FOLDER's members stay. Absent is success. */
bool root_remove(const char *folder, struct err *err) must_check;
