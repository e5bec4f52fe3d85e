/*
 * The probe of KVM.
 */
#include "programmer/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/command.h"
#include "lib/base/log.h"
#include "programmer/folder.h"
#include "programmer/image.h"

enum { PROBE_MS = 15000, OUTPUT_MAX = 65536, FILE_MAX = 4096 };

/* A file in the place of the device, as a host has it that shall not use KVM, is no device. */
static bool
has_device(struct str *why)
{
	struct stat stat;
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	bool is_device = fd >= 0 && fstat(fd, &stat) == 0 && S_ISCHR(stat.st_mode);

	if (fd < 0)
		str_addf(why, "/dev/kvm: %s", strerror(errno));
	else if (!is_device)
		str_add(why, "/dev/kvm is no device");
	if (fd >= 0)
		close(fd);
	return is_device;
}

enum node_accel
probe_kvm(const char *kernel, const char *initrd, struct str *why)
{
	const char *const argv[] = {"qemu-system-x86_64", "-machine", "q35,accel=kvm", "-cpu",
	    "host", "-m", "256", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
	    "-serial", "stdio", "-kernel", kernel, "-initrd", initrd, "-append",
	    "console=ttyS0 panic=-1", NULL};
	/* The kernel prints it when it has come as far as programs. */
	struct command command = {.argv = argv,
	    .timeout_ms = PROBE_MS,
	    .output_max = OUTPUT_MAX,
	    .until = "as init process"};
	auto_str struct str output = {0};
	struct command_end end;
	struct err err = {0};

	if (!has_device(why))
		return ACCEL_TCG;
	if (!command_run(&command, &output, &end, &err)) {
		str_add(why, err.text);
		return ACCEL_TCG;
	}
	if (end.has_printed)
		return ACCEL_KVM;
	if (end.is_late)
		str_addf(why, "a guest did not boot within %d s", PROBE_MS / 1000);
	else
		str_addf(why, "QEMU ended with %d: %.200s", end.exit, str_text(&output));
	return ACCEL_TCG;
}

/* What the answer depends on: this boot of the machine, and whether there is a device at all. */
static char *
cache_key(void)
{
	auto_str struct str key = {0}, why = {0};
	size_t size;
	auto_free char *boot = file_get("/proc/sys/kernel/random/boot_id", FILE_MAX, &size, NULL);

	str_addf(&key, "%.36s %s ", boot ? boot : "", has_device(&why) ? "device" : "none");
	return str_take(&key);
}

enum node_accel
probe_cached(const char *catalogue, const char *cache, struct str *why)
{
	auto_arena struct arena *arena = arena_new();
	auto_free char *key = cache_key();
	size_t size = 0, n_images;
	auto_free char *known = file_get(cache, FILE_MAX, &size, NULL);
	auto_str struct str answer = {0};
	const struct image *images;
	enum node_accel accel;
	struct err err = {0};

	if (known && !strncmp(known, key, strlen(key))) {
		str_add(why, known + strlen(key) + strlen("kvm "));
		return !strncmp(known + strlen(key), "kvm ", 4) ? ACCEL_KVM : ACCEL_TCG;
	}
	image_list(catalogue, arena, &images, &n_images);
	for (size_t i = 0; i < n_images; i++) {
		if (images[i].form != NODE_VM)
			continue;
		accel = probe_kvm(images[i].kernel, images[i].initrd, why);
		str_addf(&answer, "%s%s %s", key, node_accel_text(accel), str_text(why));
		if (!file_put(cache, str_text(&answer), answer.len, 0, &err))
			log_warn("programmer", "event=probe_not_kept why=\"%s\"", err.text);
		return accel;
	}
	str_add(why, "no image of a VM to try it with");
	return ACCEL_TCG;
}
