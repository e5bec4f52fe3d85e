#!/bin/bash
# Where the kernel shows frames to redirectord's programs: clsact works as tcx does, and a restart
# with the other one loses no frame, but for the moment when the kernel makes a device's clsact. Both
# drivers.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/redirector_world.sh"

link_works() {
	local type
	for type in 0806 0800 86dd 88b5 100:88b5; do
		frames_pass c1 c2 "$type" 1500 20
		frames_pass c2 c1 "$type" 46 20
	done
	carries 80000000 inf tcp_bps c1 192.168.9.2 1
}

hook() { in_ns "$1" "$TOOLS/hookctl" show "$2"; }

# The hooks that the programs of v1 are at.
hooks() { echo "$(hook v1 "$1") $(hook v1 "vn$(rid 11)")"; }

has_clsact() { in_ns v1 tc qdisc show dev "$1" | grep clsact; }

hooks_are() { [ "$(hooks "$1")" = "$2" ]; }

# restarts_with DRIVER HOOK ARRIVALS [LOST]: v1, with pings under way of which so many may be lost;
# where its programs are then.
restarts_with() {
	local ping received
	in_ns c1 ping -q -i 0.005 -c 600 192.168.9.2 >"$WORK/ping" &
	ping=$!
	daemon_kill v1
	daemon_config v1 1Gbps "$1" "$2"
	daemon_start v1
	eventually 5 hooks_are "$3" "$2 $2"
	wait "$ping" || true
	cat "$WORK/ping"
	received=$(sed -n 's/^600 packets transmitted, \([0-9]*\) received.*/\1/p' "$WORK/ping")
	within "$received" $((600 - ${4:-0})) 600
}

# has_hooks_of DRIVER ARRIVALS: what comes in by that device.
has_hooks_of() {
	restarts_with "$1" clsact "$2" 20
	link_works
	restarts_with "$1" tcx "$2"
	link_works
	restarts_with "$1" clsact "$2"
	link_works
}

case_auto() {
	assert_equal "tcx tcx" "$(hooks u0)"
}

case_by_hand() {
	in_ns v1 tc qdisc del dev u0 clsact
	in_ns v1 tc qdisc del dev "vn$(rid 11)" clsact
	eventually 10 hooks_are u0 "clsact clsact"
	link_works
}

case_device() {
	daemon_kill v1
	daemon_config v1 1Gbps device tcx
	daemon_start v1
	eventually 10 hooks_are vnvx0 "tcx tcx"
	has_hooks_of device vnvx0
}

case_leaves_nothing() {
	restarts_with device tcx vnvx0
	has_clsact "vn$(rid 11)"
	link_down 11
	refuses has_clsact "vn$(rid 11)"
	assert_equal "" "$(hook v1 "vn$(rid 11)")"
}

case_refused() {
	local status=0
	daemon_kill v1
	daemon_config v1 1Gbps bpf xdp
	refuses daemon_start v1 >"$WORK/started" || status=1
	grep 'hook=xdp is not auto, tcx or clsact' "$WORK/v1/log"
	[ "$status" = 0 ]
}

LINK_TYPE=vxlan
world_up
for host in v1 v2; do
	daemon_config $host 1Gbps bpf
	daemon_start $host
done
container c1 v1 11 192.168.9.1
container c2 v2 12 192.168.9.2
iperf_serve c2
link_up 11

test_case "programs are at tcx where the kernel has it" case_auto
test_case "driver bpf: clsact works, and changing the hook loses no frame" has_hooks_of bpf u0
test_case "clsact comes back when somebody deletes it" case_by_hand
test_case "driver device: clsact works, and changing the hook loses no frame" case_device
test_case "no hook is left at a port of a released link end" case_leaves_nothing
test_case "an unknown hook is refused in words" case_refused
finish
