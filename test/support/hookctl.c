/*
 * hookctl show|detach DEVICE: where our BPF programs see the frames of a device ("tcx", "clsact" or
 * nothing), and what somebody does who takes them off by hand. For system tests: bpftool of Debian
 * 12 knows no tcx.
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/bpf.h"

static int
detach(uint32_t device, struct err *err)
{
	struct netlink *netlink = netlink_new(err);
	bool is_good = netlink && bpf_ingress_detach(netlink, device, err);

	netlink_free(netlink);
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct err err = {0};
	uint32_t device = argc == 3 ? if_nametoindex(argv[2]) : 0;
	int exit_code = EXIT_SUCCESS;

	if (argc == 3 && !device) {
		fprintf(stderr, "hookctl: there is no device %s\n", argv[2]);
		return EXIT_FAILURE;
	}
	if (argc == 3 && !strcmp(argv[1], "show")) {
		puts(bpf_ingress_hook(device));
	} else if (argc == 3 && !strcmp(argv[1], "detach")) {
		exit_code = detach(device, &err);
	} else {
		fprintf(stderr, "usage: hookctl show|detach DEVICE\n");
		return 2;
	}
	if (exit_code)
		fprintf(stderr, "hookctl: %s\n", err.text);
	return exit_code;
}
