/*
 * bpffs, tc hooks, log.
 */
#include "lib/net/bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/net/tc.h"

/* Places at clsact: programs, and behind them the one that drops. */
enum { PLACE_PROGRAM = 1, PLACE_DROP = 2 };

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

/* ---- programs at a device ----------------------------------------------------------------------
 */

/* Linux 6.6; younger than the headers of Debian 12. */
#define TCX_INGRESS ((enum bpf_attach_type)46)

enum { MPROG_BEFORE = 1 << 3, PROGRAMS_MAX = 64 };

static const char our_prefix[] = "vn_";

/* A program of ours that stands at a hook of the kernel's new kind. */
struct standing {
	uint32_t id;
	int fd; /* to be closed; -1 = none */
};

static void
standing_done(struct standing *standing)
{
	if (standing->fd >= 0)
		close(standing->fd);
}

#define auto_standing __attribute__((cleanup(standing_done)))

static bool
is_ours(int program_fd)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	return !bpf_obj_get_info_by_fd(program_fd, &info, &size) &&
	       !strncmp(info.name, our_prefix, sizeof(our_prefix) - 1);
}

/* The first of ours at tcx. False: the kernel has no tcx, or the device is gone. */
static bool
tcx_find(uint32_t device, struct standing *standing)
{
	uint32_t ids[PROGRAMS_MAX], n = PROGRAMS_MAX;

	*standing = (struct standing){.fd = -1};
	if (bpf_prog_query((int)device, TCX_INGRESS, 0, NULL, ids, &n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		int fd = bpf_prog_get_fd_by_id(ids[i]);

		if (fd < 0)
			continue;
		if (is_ours(fd)) {
			*standing = (struct standing){ids[i], fd};
			return true;
		}
		close(fd);
	}
	return true;
}

/* 0 or an errno; EINVAL: the kernel has no tcx. */
static int
tcx_attach(uint32_t device, int program_fd)
{
	auto_standing struct standing standing;
	DECLARE_LIBBPF_OPTS(bpf_prog_attach_opts, opts, .flags = MPROG_BEFORE);

	if (tcx_find(device, &standing) && standing.id == bpf_program_id(program_fd))
		return 0;
	if (standing.id) {
		opts.flags = BPF_F_REPLACE;
		opts.replace_prog_fd = standing.fd;
	}
	return -bpf_prog_attach_opts(program_fd, (int)device, TCX_INGRESS, &opts);
}

static uint32_t
clsact_find(uint32_t device, uint32_t place)
{
	DECLARE_LIBBPF_OPTS(
	    bpf_tc_hook, hook, .ifindex = (int)device, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = place, .priority = place);

	return bpf_tc_query(&hook, &opts) ? 0 : opts.prog_id;
}

static int
clsact_attach(
    struct netlink *netlink, uint32_t device, int program_fd, uint32_t place, struct err *err)
{
	DECLARE_LIBBPF_OPTS(
	    bpf_tc_hook, hook, .ifindex = (int)device, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program_fd, .flags = BPF_TC_F_REPLACE,
	    .handle = place, .priority = place);

	return tc_clsact_ensure(netlink, device, err) ? -bpf_tc_attach(&hook, &opts) : EINVAL;
}

/*
 * Our filter goes. The hook stays where a program of ours goes on elsewhere: to take it off, as to
 * make it, the kernel stops the device's queues for a while.
 */
static bool
clsact_leave(uint32_t device, struct err *err)
{
	DECLARE_LIBBPF_OPTS(
	    bpf_tc_hook, hook, .ifindex = (int)device, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = PLACE_PROGRAM, .priority = PLACE_PROGRAM);
	int error;

	if (!clsact_find(device, PLACE_PROGRAM))
		return true;
	error = -bpf_tc_detach(&hook, &opts);
	return !error || error == ENOENT || error == ENODEV ||
	       err_set(err, ERR_INTERNAL, "detaching a program from device %u: %s", device,
		   strerror(error));
}

/* The hook goes too, unless it is there for the program that drops, or for somebody else's. */
static bool
clsact_detach(struct netlink *netlink, uint32_t device, struct err *err)
{
	bool is_used;

	return clsact_leave(device, err) && tc_clsact_is_used(netlink, device, &is_used, err) &&
	       (is_used || tc_clsact_remove(netlink, device, err));
}

/* The other hook is left when the new one sees the frames already. */
static bool
tcx_detach(uint32_t device, struct err *err)
{
	auto_standing struct standing standing;

	if (!tcx_find(device, &standing) || !standing.id ||
	    !bpf_prog_detach2(standing.fd, (int)device, TCX_INGRESS) || errno == ENOENT ||
	    errno == ENODEV)
		return true;
	return err_set(
	    err, ERR_INTERNAL, "detaching a program from device %u: %s", device, strerror(errno));
}

bool
bpf_ingress_attach(
    struct netlink *netlink, uint32_t device, int program_fd, enum bpf_hook hook, struct err *err)
{
	int error = hook == BPF_HOOK_CLSACT ? EINVAL : tcx_attach(device, program_fd);
	struct err why = {0};

	if (!error)
		return clsact_leave(device, err);
	if (hook != BPF_HOOK_TCX && error == EINVAL) {
		error = clsact_attach(netlink, device, program_fd, PLACE_PROGRAM, &why);
		if (!error)
			return tcx_detach(device, err);
	}
	if (why.code)
		return err_set(err, why.code, "%s", why.text);
	return err_set(err, error == ENODEV ? ERR_WAIT : ERR_INTERNAL,
	    "attaching a program to device %u: %s", device, strerror(error));
}

static int
load_drop(void)
{
	static const struct bpf_insn drop[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_SHOT},
	    {.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(
	    BPF_PROG_TYPE_SCHED_CLS, "vn_drop", "GPL", drop, sizeof(drop) / sizeof(drop[0]), NULL);
}

bool
bpf_ingress_close(struct netlink *netlink, uint32_t device, struct err *err)
{
	struct err why = {0};
	int fd, error;

	if (bpf_ingress_is_closed(device))
		return true;
	fd = load_drop();
	error = fd < 0 ? errno : clsact_attach(netlink, device, fd, PLACE_DROP, &why);
	if (fd >= 0)
		close(fd);
	if (why.code)
		return err_set(err, why.code, "%s", why.text);
	return !error || err_set(err, error == ENODEV ? ERR_WAIT : ERR_INTERNAL,
			     "closing device %u: %s", device, strerror(error));
}

bool
bpf_ingress_is_closed(uint32_t device)
{
	return clsact_find(device, PLACE_DROP) != 0;
}

bool
bpf_ingress_detach(struct netlink *netlink, uint32_t device, struct err *err)
{
	return tcx_detach(device, err) && clsact_detach(netlink, device, err);
}

static bool
tcx_has(uint32_t device, uint32_t program_id)
{
	uint32_t ids[PROGRAMS_MAX], n = PROGRAMS_MAX;

	if (bpf_prog_query((int)device, TCX_INGRESS, 0, NULL, ids, &n))
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (ids[i] == program_id)
			return true;
	return false;
}

bool
bpf_ingress_has(uint32_t device, uint32_t program_id, enum bpf_hook hook)
{
	return (hook != BPF_HOOK_CLSACT && tcx_has(device, program_id)) ||
	       (hook != BPF_HOOK_TCX && clsact_find(device, PLACE_PROGRAM) == program_id);
}

uint32_t
bpf_ingress_program(uint32_t device)
{
	auto_standing struct standing standing;

	return tcx_find(device, &standing) && standing.id ? standing.id
							  : clsact_find(device, PLACE_PROGRAM);
}

const char *
bpf_ingress_hook(uint32_t device)
{
	auto_standing struct standing standing;

	if (tcx_find(device, &standing) && standing.id)
		return "tcx";
	return clsact_find(device, PLACE_PROGRAM) ? "clsact" : "";
}

uint32_t
bpf_program_id(int program_fd)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(program_fd, &info, &size) ? 0 : info.id;
}

/* ---- XDP ------------------------------------------------------------------------------------- */

static bool
has_ours(uint32_t device)
{
	int fd = bpf_prog_get_fd_by_id(bpf_native_program(device));
	bool is_known = fd >= 0 && is_ours(fd);

	if (fd >= 0)
		close(fd);
	return is_known;
}

bool
bpf_native_attach(uint32_t device, int program_fd, struct err *err)
{
	int error;

	if (bpf_native_program(device) && !has_ours(device))
		return err_set(
		    err, ERR_CONFLICT, "device %u has an XDP program of somebody else", device);
	error = -bpf_xdp_attach((int)device, program_fd, XDP_FLAGS_DRV_MODE, NULL);
	return !error || err_set(err, error == ENODEV ? ERR_WAIT : ERR_INTERNAL,
			     "attaching XDP to device %u: %s", device, strerror(error));
}

bool
bpf_native_detach(uint32_t device, struct err *err)
{
	int error;

	if (!has_ours(device))
		return true;
	error = -bpf_xdp_detach((int)device, XDP_FLAGS_DRV_MODE, NULL);
	return !error || error == ENODEV ||
	       err_set(
		   err, ERR_INTERNAL, "detaching XDP from device %u: %s", device, strerror(error));
}

uint32_t
bpf_native_program(uint32_t device)
{
	uint32_t id = 0;

	return bpf_xdp_query_id((int)device, XDP_FLAGS_DRV_MODE, &id) ? 0 : id;
}
