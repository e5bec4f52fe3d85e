/*
 * The image catalogue: a folder with a folder for each image, which image.conf describes.
 *
 *     [image] kind=container|vm memory=64MiB disk=64MiB
 *     container: root=rootfs            vm: kernel=vmlinuz initrd=initrd.cpio cmdline=...
 */
#pragma once

#include <stddef.h>

#include "lib/base/arena.h"
#include "programmer/hypervisor.h"

struct image {
	const char *name;
	enum node_form form;
	int64_t memory_bytes; /* least that it runs in */
	int64_t disk_bytes;   /* what a node of it writes, unless it asks for more */
	const char *root;     /* paths; NULL where the form has none */
	const char *kernel;
	const char *initrd;
	const char *cmdline;
};

/* Reads one image, texts in arena. ERR_S13: none of this name, or it is broken. */
bool image_find(const char *catalogue, const char *name, struct arena *arena, struct image *image,
    struct err *err) must_check;

/* All images that can be read, in order of name; array in arena. No catalogue: none. */
void image_list(const char *catalogue, struct arena *arena, const struct image **images, size_t *n);
