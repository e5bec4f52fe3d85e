#!/bin/bash
# `down` leaves the machine as `up` found it, whatever was killed in between. The test runs in
# network, mount and PID namespaces of its own, so that the lists hold nothing of other work.
# measures nothing
if [ "${IN_SANDBOX:-}" != yes ]; then
	IN_SANDBOX=yes exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
fi
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

sandbox() {
	ip link set lo up
	while umount -l /run/netns 2>/dev/null; do :; done
	mount -t tmpfs tmpfs /run
	mkdir -p /var/lib/vnode-testbed
	mount -t tmpfs tmpfs /var/lib/vnode-testbed
	# Those of other tests go when they end.
	awk '$2 ~ "^/tmp/vnode-" { print $2 }' /proc/self/mounts | sort -r | xargs -r -n 1 umount -l
}

# Everything that a testbed could leave behind; the numbers of processes that come and go are cut.
machine() {
	echo "== links" && ip -br link | awk '{ print $1 }' | sort
	echo "== namespaces" && ip netns list
	echo "== qdiscs" && tc qdisc show
	echo "== mounts" && sort /proc/self/mounts
	echo "== processes" && ps -e -o comm= | sed -E '/^(ps|sed|sort|bash|test_clean.sh)$/d' | sort
	echo "== cgroups" && find /sys/fs/cgroup -type d -name "*vn-$TESTBED*" | sort
	echo "== state" && find /var/lib/vnode-testbed -maxdepth 1 -name "*$TESTBED*" 2>/dev/null
	return 0
}

unchanged() {
	machine >"$WORK/after"
	assert_same_file "$WORK/before" "$WORK/after"
}

start_domains() {
	cat >"$(host_state koganei)/state/c1.xml" <<-END
		<domain type='lxc'><name>vn-$TESTBED-koganei-c1</name><memory unit='MiB'>64</memory>
		<os><type>exe</type><init>/sbin/init</init></os>
		<devices><filesystem type='mount' accessmode='passthrough'>
		<source dir='/var/lib/vnode/images/container-minimal/rootfs'/><target dir='/'/></filesystem>
		<interface type='ethernet'><target dev='vn0000000000001'/></interface>
		<console type='pty'/></devices></domain>
	END
	cat >"$(host_state koganei)/state/v1.xml" <<-END
		<domain type='qemu'><name>vn-$TESTBED-koganei-v1</name><memory unit='MiB'>256</memory>
		<os><type arch='x86_64' machine='q35'>hvm</type>
		<kernel>/var/lib/vnode/images/vm-minimal/vmlinuz</kernel>
		<initrd>/var/lib/vnode/images/vm-minimal/initrd.cpio</initrd>
		<cmdline>console=ttyS0 quiet panic=1</cmdline></os>
		<devices><memballoon model='none'/><serial type='pty'/></devices></domain>
	END
	on koganei virsh -c lxc:/// create /var/lib/vnode/c1.xml
	on koganei virsh -c qemu:///system create /var/lib/vnode/v1.xml
	on koganei virsh -c lxc:/// list --name | grep koganei-c1
	find /sys/fs/cgroup -type d -name "*vn-$TESTBED*" | grep .
}

comes_and_goes() {
	testbed up --hosts-only
	on koganei ping -c1 -W2 nagoya
	on koganei ping -c1 -W2 10.64.0.2
	start_domains
	testbed down
	unchanged
}

down_twice() {
	testbed down
	unchanged
}

killed_pid_1() {
	testbed up --hosts-only
	start_domains
	testbed status | awk '$1 == "koganei" || $1 == "ctl" { print $4 }' | xargs kill -KILL
	eventually 10 refuses on koganei true
	testbed down
	unchanged
}

killed_daemons() {
	testbed up --hosts-only
	start_domains
	on koganei sh -c 'kill -KILL $(pidof libvirtd virtlogd libvirt_lxc)'
	testbed down
	unchanged
}

lost_names() {
	testbed up --hosts-only
	ip netns del "vn-$TESTBED-osaka"
	testbed down
	unchanged
}

# `up` dies when the given command first succeeds; `down` finds all the same.
killed_up() {
	local up
	"$ROOT/testbed" --name "$TESTBED" up --hosts-only >/dev/null 2>&1 &
	up=$!
	eventually 20 "$@"
	kill -KILL "$up"
	testbed down
	unchanged
}

# The BPF maps of the hosts' redirectords, by id: the kernel's list has those of other work too. A
# program that is left somewhere holds its maps.
bpf_maps() {
	local host
	for host in koganei nagoya osaka; do
		on "$host" sh -c 'find /run/vnode/bpf -type f -exec bpftool -j map show pinned {} \;' 2>/dev/null
	done | jq 'select(.id).id' | sort -u
}

# Those of dead namespaces are freed a moment later.
no_maps_left() {
	local map
	while read -r map; do
		refuses bpftool map show id "$map"
	done <"$WORK/maps"
}

whole_testbed() {
	testbed up
	bpf_maps >"$WORK/maps"
	[ "$(wc -l <"$WORK/maps")" -ge 15 ]
	on koganei sh -c 'kill -KILL $(pidof programmerd redirectord)'
	on ctl sh -c 'kill -KILL $(pidof sncd)'
	testbed down
	unchanged
	eventually 20 no_maps_left
}

two_at_once() {
	testbed up --hosts-only
	"$ROOT/testbed" --name "${TESTBED}2" up --hosts-only
	testbed down
	"$ROOT/testbed" --name "${TESTBED}2" exec koganei -- ping -c1 -W2 osaka
	"$ROOT/testbed" --name "${TESTBED}2" down
	unchanged
}

libvirt_comes_back() {
	testbed up --hosts-only
	on osaka sh -c 'kill -KILL $(pidof libvirtd)'
	eventually 20 on osaka virsh -c lxc:/// list
	testbed down
}

sandbox
testbed build >/dev/null
machine >"$WORK/before"
test_case "hosts with a container and a VM come and go" comes_and_goes
test_case "down may be repeated" down_twice
test_case "nothing is left after the PID 1 of hosts was killed" killed_pid_1
test_case "nothing is left after libvirt's daemons were killed" killed_daemons
test_case "nothing is left after a namespace's name was lost" lost_names
test_case "nothing is left after up was killed at its first host" killed_up test -e "/run/netns/vn-$TESTBED-ctl"
test_case "nothing is left after up was killed at its last host" killed_up test -e "/run/netns/vn-$TESTBED-r4"
test_case "nothing is left after up was killed while hosts start" killed_up test -e "$(host_state koganei)/starter"
test_case "two testbeds run at once and go one by one" two_at_once
test_case "a killed libvirtd comes back" libvirt_comes_back
test_case "a whole testbed with a slice comes and goes" whole_testbed
finish
