#!/bin/bash
# The driver `device` of redirectord: all that test_redirector.sh asks of a link, then what is this
# driver's own, with a host of the other driver and with the kernel's own vxlan device as peers.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/redirector_world.sh"

LINK_TYPE=vxlan

# The link of c1 and c2: frames of several kinds, and TCP in large ones.
link_works() {
	local type
	ping_passes c1 192.168.9.2
	for type in 88b5 86dd 100:88b5; do
		frames_pass c1 c2 "$type" 1500 20
		frames_pass c2 c1 "$type" 46 20
	done
	carries 80000000 inf tcp_bps c1 192.168.9.2 1
	carries 80000000 inf tcp_bps c1 192.168.9.2 1 -R
}

# restart HOST RATE DRIVER [HOOK]
restart() {
	daemon_kill "$1"
	daemon_config "$@"
	daemon_start "$1"
}

device_is_there() { ip -n "$PREFIX-$1" link show "$2"; }

# What the driver has made of the kernel's stack on a host, beside devices of ports and the loop.
made() {
	ip -n "$PREFIX-$1" -o link | grep -E ': vn(vx|gre|gnv)0' || true
	ip -n "$PREFIX-$1" -o addr show to 10.65.0.0/16
	ip -n "$PREFIX-$1" route show proto 118
}

# ---- cases -----------------------------------------------------------------------------------

case_other_driver() {
	link_works
	ctl v1 doctor | grep '^driver good device: as configured'
	ctl v2 doctor | grep '^driver good bpf: as configured'
}

case_deleted_by_hand() {
	ip -n "$PREFIX-v1" link del vnvx0
	eventually 10 ping_passes c1 192.168.9.2
	ip -n "$PREFIX-v1" addr del 10.65.0.1/32 dev vnvx0
	eventually 10 ping_passes c1 192.168.9.2
	ip -n "$PREFIX-v1" route del 10.65.0.2 proto 118
	eventually 10 ping_passes c1 192.168.9.2
	ip -n "$PREFIX-v1" link set vnvx0 down
	eventually 10 ping_passes c1 192.168.9.2
	in_ns v1 "$TOOLS/hookctl" detach vnvx0
	eventually 10 ping_passes c1 192.168.9.2
}

case_path_is_shared() {
	container e1 v1 13 192.168.9.1
	container e2 v2 14 192.168.9.2
	link_up 13 slice=s2
	ping_passes e1 192.168.9.2
	link_down 13
	ping_passes c1 192.168.9.2
	made v1 | grep 10.65.0.1/32
}

case_path_moves() {
	ip -n "$PREFIX-rt" route add 10.65.1.1/32 via 10.64.1.1
	link_files b11 port=12 key=11 local=10.65.0.2 remote=10.65.1.1 next_hop=10.64.2.254
	link_files a11 port=11 key=11 local=10.65.1.1
	ctl v2 commit "$(rid 12)" "$WORK/b11.attr" 4
	ctl v1 commit "$(rid 11)" "$WORK/a11.attr" 4
	ping_passes c1 192.168.9.2
	made v1 >"$WORK/made"
	grep 10.65.1.1/32 "$WORK/made"
	refuses grep 10.65.0.1/32 "$WORK/made"
	link_files b11 port=12 key=11 local=10.65.0.2 remote=10.65.0.1 next_hop=10.64.2.254
	link_files a11 port=11 key=11
	ctl v2 commit "$(rid 12)" "$WORK/b11.attr" 5
	ctl v1 commit "$(rid 11)" "$WORK/a11.attr" 5
	ping_passes c1 192.168.9.2
}

# What comes in of 60 Mbit/s in two seconds, in bit/s.
gets_through() {
	local before
	before=$(counter v2 12 rx_bytes)
	in_ns c1 iperf3 -c 192.168.9.2 -u -b 60M -t 2 -l 1400 >"$WORK/udp"
	echo $((($(counter v2 12 rx_bytes) - before) * 4))
}

case_policed() {
	link_files a11 port=11 key=11 rate_bps=20000000 ceil_bps=20000000 reserved_bps=100000000 \
		isolation=policing
	ctl v1 commit "$(rid 11)" "$WORK/a11.attr" 2
	carries 17000000 23000000 gets_through
	link_files a11 port=11 key=11
	ctl v1 commit "$(rid 11)" "$WORK/a11.attr" 3
}

case_type_needs_bpf() {
	container c7 v1 17 192.168.9.7
	link_files s17 port=17 key=17 type=stt
	ctl v1 reserve "$(rid 17)" link_end "$WORK/s17.spec"
	refuses ctl v1 commit "$(rid 17)" "$WORK/s17.attr"
	ctl v1 status | grep "^$(rid 17) " | grep "link type 'stt' needs the driver bpf"
	ctl v1 release "$(rid 17)"
}

case_driver_changes() {
	restart v1 1Gbps bpf
	eventually 10 ping_passes c1 192.168.9.2
	assert_equal "" "$(made v1)"
	link_works
	restart v1 1Gbps device
	eventually 10 ping_passes c1 192.168.9.2
	link_works
	assert_equal "" "$(in_ns v1 "$TOOLS/hookctl" show u0)"
}

case_leaves_nothing() {
	link_down 11
	assert_equal "" "$(made v1)"
	assert_equal "" "$(ctl v1 orphans)"
	assert_equal "" "$(in_ns v1 "$TOOLS/hookctl" show "vn$(rid 11)")"
}

# What dies between two steps leaves things that no link end uses.
case_sweeps() {
	daemon_kill v1
	ip -n "$PREFIX-v1" link add vnvx0 type vxlan external dstport 4789
	ip -n "$PREFIX-v1" addr add 10.65.9.9/32 dev vnvx0
	ip -n "$PREFIX-v1" link set vnvx0 up
	ip -n "$PREFIX-v1" route add 10.65.9.8 via 10.64.1.254 src 10.65.9.9 proto 118
	ip -n "$PREFIX-v1" route add 10.65.9.7 via 10.64.1.254 proto 118
	daemon_start v1
	assert_equal "10.65.9.7 via 10.64.1.254 dev u0 " "$(made v1)"
	ip -n "$PREFIX-v1" route del 10.65.9.7 proto 118
}

case_kernel_peer() {
	daemon_kill v2
	in_ns v2 "$TOOLS/hookctl" detach u0
	ip -n "$PREFIX-c1" neigh flush dev e0
	ip -n "$PREFIX-c2" link del e0
	ip -n "$PREFIX-v2" addr add 10.65.0.2/32 dev lo
	ip -n "$PREFIX-v2" link add e0 type vxlan id 31 local 10.65.0.2 remote 10.65.0.1 dstport 4789
	ip -n "$PREFIX-v2" link set e0 netns "$PREFIX-c2"
	ip -n "$PREFIX-c2" link set e0 mtu 1500 up
	ip -n "$PREFIX-c2" addr add 192.168.9.2/24 dev e0
	link_files a31 port=11 key=31
	end_up v1 31 a31
	ip -n "$PREFIX-v2" route add 10.65.0.1/32 via 10.64.2.254 src 10.65.0.2
	link_works
	ctl v1 release "$(rid 31)"
}

# shellcheck disable=SC2097,SC2098
DRIVER=device LINK_TYPE=vxlan LOOP_MOST=1090 "$(dirname "$0")/test_redirector.sh" || N_FAILED=1

world_up
daemon_config v1 1Gbps device
daemon_config v2 1Gbps bpf
daemon_start v1
daemon_start v2
container c1 v1 11 192.168.9.1
container c2 v2 12 192.168.9.2
iperf_serve c2
link_up 11

test_case "a host of the driver bpf understands it" case_other_driver
test_case "what somebody deletes of device, address and route comes back" case_deleted_by_hand
test_case "a policed link gets its ceiling" case_policed
test_case "a link end moves to another path" case_path_moves
test_case "a path with two link ends outlives one of them" case_path_is_shared
test_case "a type that needs the other driver is refused in words" case_type_needs_bpf
test_case "the driver may change with a restart" case_driver_changes
test_case "nothing is left of released link ends" case_leaves_nothing
test_case "what an earlier run has left is swept" case_sweeps
test_case "the kernel's own vxlan device understands it" case_kernel_peer
finish
