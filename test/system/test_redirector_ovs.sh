#!/bin/bash
# A stranger at the far end: Open vSwitch (user-space datapath) speaks GRE with key to a link end of
# redirectord.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/redirector_world.sh"

OVS=$WORK/ovs
export OVS_RUNDIR=$OVS OVS_LOGDIR=$OVS OVS_DBDIR=$OVS OVS_SYSCONFDIR=$OVS

ovs() { in_ns ovs ovs-vsctl "--db=unix:$OVS/db.sock" --timeout=10 "$@"; }

# Host `ovs` takes the place of v2: its underlay address on a bridge, a container on another one.
ovs_up() {
	mkdir -p "$OVS"
	ns_make ovs
	ns_make o
	ip link add u0 netns "$PREFIX-ovs" mtu 1600 type veth \
		peer name r3 mtu 1600 netns "$PREFIX-rt"
	ip -n "$PREFIX-rt" addr add 10.64.3.254/24 dev r3
	ip -n "$PREFIX-rt" link set r3 up
	ip link add p0 netns "$PREFIX-ovs" type veth peer name e0 netns "$PREFIX-o"
	ip -n "$PREFIX-ovs" link set p0 up
	ip -n "$PREFIX-ovs" link set u0 up
	# OVS reads and writes raw frames: no sums left to the device, no large frames.
	for name in "rt r3" "rt r1" "o e0" "ovs u0" "v1 u0"; do
		# shellcheck disable=SC2086
		set -- $name
		in_ns "$1" ethtool -K "$2" tx off tso off gso off gro off >/dev/null
	done
	ovsdb-tool create "$OVS/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	in_ns ovs ovsdb-server "$OVS/conf.db" "--remote=punix:$OVS/db.sock" \
		"--pidfile=$OVS/ovsdb-server.pid" "--unixctl=$OVS/ovsdb.ctl" \
		"--log-file=$OVS/ovsdb.log" --detach 2>/dev/null
	ovs --no-wait init
	in_ns ovs ovs-vswitchd "unix:$OVS/db.sock" "--pidfile=$OVS/ovs-vswitchd.pid" \
		"--unixctl=$OVS/vswitchd.ctl" "--log-file=$OVS/vswitchd.log" --detach 2>/dev/null
	ovs add-br br-u -- set bridge br-u datapath_type=netdev -- add-port br-u u0
	ovs add-br br0 -- set bridge br0 datapath_type=netdev -- add-port br0 p0
	ovs add-port br0 gre0 -- set interface gre0 type=gre options:local_ip=10.64.3.1 \
		options:remote_ip=10.65.0.1 options:key=11
	ip -n "$PREFIX-ovs" addr add 10.64.3.1/24 dev br-u
	ip -n "$PREFIX-ovs" link set br-u up
	ip -n "$PREFIX-ovs" route add 10.65.0.1 via 10.64.3.254
	ip -n "$PREFIX-o" addr add 192.168.9.2/24 dev e0
	ip -n "$PREFIX-o" link set e0 up
}

at_end() {
	local name
	for name in ovs-vswitchd ovsdb-server; do
		[ -s "$OVS/$name.pid" ] && kill "$(cat "$OVS/$name.pid")" && sleep 0.2
	done
	world_down
}

ping_passes() { in_ns c1 ping -q -c 3 -i 0.1 -W 1 192.168.9.2; }

case_right_key() {
	container c1 v1 11 192.168.9.1
	in_ns c1 ethtool -K e0 tx off tso off gso off >/dev/null
	link_files ovs port=11 key=11 remote=10.64.3.1
	end_up v1 11 ovs
	eventually 10 ping_passes
	ping_passes
}

case_tcp() {
	iperf_serve o
	[ "$(tcp_bps c1 192.168.9.2 2)" -gt 20000000 ]
	[ "$(tcp_bps c1 192.168.9.2 2 -R)" -gt 20000000 ]
}

case_frames() {
	in_ns o "$TOOLS/rawframe" receive e0 88b5 1400 50 7 5000 >"$WORK/received" &
	eventually 5 grep -q ready "$WORK/received"
	in_ns c1 "$TOOLS/rawframe" send e0 88b5 1400 50 7
	wait $!
}

case_wrong_key() {
	ovs set interface gre0 options:key=12
	refuses eventually 2 ping_passes
	ovs set interface gre0 options:key=11
	eventually 10 ping_passes
}

world_up
daemon_config v1 1Gbps
daemon_start v1
ovs_up

test_case "ping passes between redirectord and Open vSwitch with the same key" case_right_key
test_case "TCP passes both ways" case_tcp
test_case "frames of an own EtherType arrive byte-identical" case_frames
test_case "nothing passes with a wrong key" case_wrong_key
finish
