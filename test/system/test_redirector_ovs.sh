#!/bin/bash
# A stranger at the far end: Open vSwitch (user-space datapath) speaks GRE with key, and VXLAN, to
# link ends of redirectord.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/redirector_world.sh"
. "$(dirname "$0")/ovs.sh"

# Host `ovs` takes the place of v2: its underlay address on a bridge, a container on another one.
ovs_up() {
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
	ovs_start ovs
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

case_right_key() {
	container c1 v1 11 192.168.9.1
	in_ns c1 ethtool -K e0 tx off tso off gso off >/dev/null
	link_files ovs port=11 key=11 remote=10.64.3.1
	end_up v1 11 ovs
	eventually 10 ping_passes c1 192.168.9.2
	ping_passes c1 192.168.9.2
}

case_tcp() {
	iperf_serve o
	carries 20000000 inf tcp_bps c1 192.168.9.2 2
	carries 20000000 inf tcp_bps c1 192.168.9.2 2 -R
}

case_frames() {
	in_ns o "$TOOLS/rawframe" receive e0 88b5 1400 50 7 5000 >"$WORK/received" &
	eventually 5 grep -q ready "$WORK/received"
	in_ns c1 "$TOOLS/rawframe" send e0 88b5 1400 50 7
	wait $!
}

case_wrong_key() {
	ovs set interface gre0 options:key=12
	refuses eventually 2 ping_passes c1 192.168.9.2
	ovs set interface gre0 options:key=11
	eventually 10 ping_passes c1 192.168.9.2
}

# frames_pass FROM TO ETHERTYPE SIZE
frames_pass() {
	local receiver seed=$((RANDOM))
	rm -f "$WORK/received"
	in_ns "$2" "$TOOLS/rawframe" receive e0 "$3" "$4" 50 "$seed" 5000 >"$WORK/received" &
	receiver=$!
	eventually 5 grep -q ready "$WORK/received"
	in_ns "$1" "$TOOLS/rawframe" send e0 "$3" "$4" 50 "$seed"
	wait "$receiver"
}

# The same containers, by a VXLAN port in the place of the GRE port.
case_vxlan() {
	ctl v1 release "$(rid 11)"
	ovs del-port br0 gre0
	ovs add-port br0 vxlan0 -- set interface vxlan0 type=vxlan options:local_ip=10.64.3.1 \
		options:remote_ip=10.65.0.1 options:key=21
	link_files vxlan type=vxlan port=11 key=21 remote=10.64.3.1
	end_up v1 21 vxlan
	eventually 10 ping_passes c1 192.168.9.2
	ping_passes c1 192.168.9.2
}

# Random bytes that claim to be IPv6 come out changed now and then behind Open vSwitch; between hosts
# of our own they do not (test_redirector.sh).
case_vxlan_frames() {
	local size
	for size in 46 700 1500; do
		frames_pass c1 o 88b5 "$size"
		frames_pass o c1 88b5 "$size"
	done
}

case_vxlan_wrong_key() {
	ovs set interface vxlan0 options:key=22
	refuses eventually 2 ping_passes c1 192.168.9.2
	ovs set interface vxlan0 options:key=21
	eventually 10 ping_passes c1 192.168.9.2
}

world_up
daemon_config v1 1Gbps
daemon_start v1
ovs_up

test_case "ping passes between redirectord and Open vSwitch with the same key" case_right_key
test_case "TCP passes both ways" case_tcp
test_case "frames of an own EtherType arrive byte-identical" case_frames
test_case "nothing passes with a wrong key" case_wrong_key
test_case "ping passes between redirectord and a VXLAN port of Open vSwitch" case_vxlan
test_case "TCP passes both ways by VXLAN" case_tcp
test_case "frames arrive byte-identical both ways by VXLAN" case_vxlan_frames
test_case "nothing passes with a wrong VXLAN id" case_vxlan_wrong_key
finish
