/*
 * Which driver carries the frames: what the configuration says, or what a probe finds out.
 */
#include <stdio.h>
#include <string.h>

#include "redirector/dataplane.h"

static const char *const hooks[] = {
    [BPF_HOOK_AUTO] = "auto",
    [BPF_HOOK_TCX] = "tcx",
    [BPF_HOOK_CLSACT] = "clsact",
};

static bool
read_hook(const struct conf *conf, enum bpf_hook *hook, struct err *err)
{
	const char *word = conf_text(conf, "dataplane", "hook");

	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		if (!strcmp(hooks[i], word)) {
			*hook = (enum bpf_hook)i;
			return true;
		}
	return err_set(
	    err, ERR_BAD_VALUE, "[dataplane] hook=%.40s is not auto, tcx or clsact", word);
}

bool
dataplane_choose(const struct conf *conf, struct dataplane_config *config,
    struct dataplane *dataplane, struct err *err)
{
	const char *word = conf_text(conf, "dataplane", "driver");
	bool is_auto = !strcmp(word, "auto"), is_bpf = !strcmp(word, "bpf");
	struct err lack = {0};

	if (!is_auto && !is_bpf && strcmp(word, "device") != 0)
		return err_set(err, ERR_BAD_VALUE,
		    "[dataplane] driver=%.40s is not auto, bpf or device", word);
	if (!read_hook(conf, &config->hook, err))
		return false;
	if (is_auto)
		is_bpf = dataplane_bpf_probe(&lack);
	if (!(is_bpf ? dataplane_bpf_open : dataplane_device_open)(config, dataplane, err))
		return false;
	snprintf(dataplane->why, sizeof(dataplane->why), "%.150s",
	    !is_auto ? "as configured"
	    : is_bpf ? "a probe found that the kernel has what it needs"
		     : lack.text);
	return true;
}
