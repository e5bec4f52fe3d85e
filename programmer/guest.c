/*
 * The files of a node's /vnode, as a folder or as an initramfs.
 */
#include "programmer/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "programmer/folder.h"

static void put_member(
    struct str *out, unsigned inode, unsigned mode, const char *path, const char *text);
static bool copy_initrd(const char *from, int into, const struct str *archive, struct err *err);

bool
guest_folder(const struct guest *guest, const char *folder, uint32_t owner, struct err *err)
{
	if (!folder_make(folder, 0755, owner, err))
		return false;
	for (size_t i = 0; i < guest->n_files; i++) {
		auto_str struct str path = {0};

		str_addf(&path, "%s/%s", folder, guest->files[i].name);
		if (!file_put(str_text(&path), guest->files[i].text, strlen(guest->files[i].text),
			owner, err))
			return false;
	}
	return true;
}

bool
guest_initrd(const struct guest *guest, const char *image_initrd, const char *path, uint32_t owner,
    struct err *err)
{
	auto_str struct str beside = {0}, archive = {0};
	bool is_good;
	int into;

	str_addf(&beside, "%s.new", path);
	(void)unlink(str_text(&beside));
	into = open(str_text(&beside), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (into < 0)
		return err_set(
		    err, ERR_INTERNAL, "make '%s': %s", str_text(&beside), strerror(errno));
	guest_cpio(guest, &archive);
	is_good = copy_initrd(image_initrd, into, &archive, err);
	if (is_good && (fchown(into, owner, owner) < 0 || rename(str_text(&beside), path) < 0))
		is_good = err_set(err, ERR_INTERNAL, "make '%s': %s", path, strerror(errno));
	close(into);
	return is_good;
}

void
guest_cpio(const struct guest *guest, struct str *out)
{
	unsigned inode = 1;

	put_member(out, inode++, S_IFDIR | 0755, "vnode", "");
	for (size_t i = 0; i < guest->n_files; i++) {
		auto_str struct str path = {0};

		str_addf(&path, "vnode/%s", guest->files[i].name);
		put_member(out, inode++, S_IFREG | 0400, str_text(&path), guest->files[i].text);
	}
	put_member(out, 0, 0, "TRAILER!!!", "");
}

static void
pad(struct str *out, size_t start)
{
	while ((out->len - start) % 4)
		str_add_bytes(out, "", 1);
}

/* Header of 13 numbers in 8 hex digits each, name, padding, bytes, padding. */
static void
put_member(struct str *out, unsigned inode, unsigned mode, const char *path, const char *text)
{
	size_t start = out->len, size = strlen(text);
	unsigned links = S_ISDIR(mode) ? 2 : 1;

	start -= start % 4;
	str_addf(out, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", inode, mode,
	    0u, 0u, links, 0u, size, 0u, 0u, 0u, 0u, strlen(path) + 1, 0u);
	str_add_bytes(out, path, strlen(path) + 1);
	pad(out, start);
	str_add_bytes(out, text, size);
	pad(out, start);
}

static bool
write_all(int into, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(into, bytes, size);

		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

/* An archive begins at a multiple of four. */
static bool
copy_initrd(const char *from, int into, const struct str *archive, struct err *err)
{
	int source = open(from, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	off_t size;

	if (source < 0)
		return err_set(err, ERR_INTERNAL, "open '%s': %s", from, strerror(errno));
	while ((n = copy_file_range(source, NULL, into, NULL, 1 << 30, 0)) > 0)
		;
	/* Not every pair of file systems can; sendfile goes on where it stopped. */
	while (n < 0 && (n = sendfile(into, source, NULL, 1 << 30)) > 0)
		n = -1;
	close(source);
	size = lseek(into, 0, SEEK_END);
	if (n < 0 || size < 0 || !write_all(into, "\0\0\0", (size_t)(-size & 3)) ||
	    !write_all(into, archive->text, archive->len))
		return err_set(err, ERR_INTERNAL, "copy '%s': %s", from, strerror(errno));
	return true;
}
