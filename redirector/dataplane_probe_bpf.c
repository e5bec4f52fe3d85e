/*
 * What the driver `bpf` needs of the kernel, tried on a frame.
 */
#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <string.h>

#include "lib/net/bpf.h"
#include "redirect_probe.skel.h"
#include "redirector/dataplane.h"

enum { IPV4_HEADER = 20, IPV6_HEADER = 40, FRAME = ETH_HLEN + IPV4_HEADER + IPV6_HEADER };

/* IPv6 in IPv4: as what is left when the rest of a tunnel's header is gone. */
static void
frame_make(unsigned char frame[FRAME])
{
	unsigned char *outer = frame + ETH_HLEN;

	memset(frame, 0, FRAME);
	frame[12] = ETH_P_IP >> 8;
	outer[0] = 0x45;
	outer[3] = IPV4_HEADER + IPV6_HEADER;
	outer[9] = 41; /* IPv6 */
	outer[IPV4_HEADER] = 0x60;
}

bool
dataplane_bpf_probe(struct err *err)
{
	unsigned char frame[FRAME];
	struct redirect_probe *skeleton;
	int error;

	bpf_log_quietly();
	frame_make(frame);
	skeleton = redirect_probe__open_and_load();
	if (!skeleton)
		return err_set(err, ERR_UNAVAILABLE, "this kernel loads no BPF programs for tc");
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = FRAME);
	error = bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.vn_probe), &opts);
	redirect_probe__destroy(skeleton);
	return (!error && !opts.retval) ||
	       err_set(err, ERR_UNAVAILABLE,
		   "this kernel takes no IPv6 out of a tunnel, which needs Linux 6.3");
}
