/*
 * What a node is told: the files of its /vnode, and the two ways they get there.
 *
 *     hostname    the node's name           user-data   first-boot script, where one was given
 *     ports       MAC NAME MTU a line
 */
#pragma once

#include <stdint.h>

#include "lib/base/str.h"

struct guest_file {
	const char *name; /* within /vnode */
	const char *text;
};

enum { GUEST_FILES_MAX = 3 };

struct guest {
	struct guest_file files[GUEST_FILES_MAX];
	size_t n_files;
};

/* A container: writes the files into the folder that becomes its /vnode. */
bool guest_folder(
    const struct guest *guest, const char *folder, uint32_t owner, struct err *err) must_check;

/*
 * A VM: its initramfs is the image's, with the files appended as a second cpio archive (the kernel
 * unpacks one after the other). Made as a whole at `path`, readable by `owner`.
 */
bool guest_initrd(const struct guest *guest, const char *image_initrd, const char *path,
    uint32_t owner, struct err *err) must_check;

/* The cpio archive alone ("newc" format). */
void guest_cpio(const struct guest *guest, struct str *out);
