/*
 * bpffs, tc hooks, log.
 */
#include "lib/net/bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "lib/base/log.h"

enum { FILTER_HANDLE = 1, FILTER_PRIORITY = 1 };

/* Makes the folder, and the one that it is in. */
static bool
folder_ensure(const char *path, struct err *err)
{
	auto_free char *parent = xstrdup(path);
	char *slash = strrchr(parent, '/');

	if (slash && slash != parent) {
		*slash = 0;
		if (mkdir(parent, 0755) < 0 && errno != EEXIST)
			return err_set(
			    err, ERR_INTERNAL, "making folder %s: %s", parent, strerror(errno));
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST ||
	       err_set(err, ERR_INTERNAL, "making folder %s: %s", path, strerror(errno));
}

bool
bpf_fs_ensure(const char *path, struct err *err)
{
	struct statfs fs;

	if (!folder_ensure(path, err))
		return false;
	if (!statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC)
		return true;
	if (mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return err_set(
		    err, ERR_INTERNAL, "mounting a bpffs at %s: %s", path, strerror(errno));
	return true;
}

static int __attribute__((format(printf, 2, 0)))
log_line(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[512];
	int size = vsnprintf(line, sizeof(line), format, args);

	if (level == LIBBPF_DEBUG || size <= 0)
		return 0;
	line[strcspn(line, "\n")] = 0;
	log_debug("bpf", "%s", line);
	return 0;
}

void
bpf_log_quietly(void)
{
	libbpf_set_print(log_line);
}

bool
bpf_ingress_attach(uint32_t device, int program_fd, struct err *err)
{
	DECLARE_LIBBPF_OPTS(
	    bpf_tc_hook, hook, .ifindex = (int)device, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program_fd, .flags = BPF_TC_F_REPLACE,
	    .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
	int error = -bpf_tc_attach(&hook, &opts);

	return !error || err_set(err, error == ENODEV ? ERR_WAIT : ERR_INTERNAL,
			     "attaching a program to device %u: %s", device, strerror(error));
}

uint32_t
bpf_ingress_program(uint32_t device)
{
	DECLARE_LIBBPF_OPTS(
	    bpf_tc_hook, hook, .ifindex = (int)device, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(
	    bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);

	return bpf_tc_query(&hook, &opts) ? 0 : opts.prog_id;
}

uint32_t
bpf_program_id(int program_fd)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(program_fd, &info, &size) ? 0 : info.id;
}
