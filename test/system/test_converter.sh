#!/bin/bash
# A VNode whose programmer is another machine: docs/guide.md. Links end at v2, which sends them as
# MAC-in-MAC to the converter cv; cv sends them as VLANs to the programmer machine pm, where Open
# vSwitch has the nodes n1 and n2 on access ports. A third link goes through as a whole, to pm's e1.
#
#     c1,d1,f1 [v1] == rt == [v2] vnPORT--custN b0 -- b0 [cv] c0 -- e0 [pm: OVS] -- n1, n2
#                                                         c1 -- e1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/redirector_world.sh"
. "$(dirname "$0")/ovs.sh"

RED=02:bb:00:00:00:01
CONV=02:bb:00:00:00:02

# wire NAMESPACE DEVICE MTU NAMESPACE DEVICE: no frames of their own are on it.
wire() {
	ip link add "$2" netns "$PREFIX-$1" mtu "$3" type veth peer name "$5" mtu "$3" \
		netns "$PREFIX-$4"
	in_ns "$1" sysctl -qw "net.ipv6.conf.$2.disable_ipv6=1"
	in_ns "$4" sysctl -qw "net.ipv6.conf.$5.disable_ipv6=1"
	ip -n "$PREFIX-$1" link set "$2" up
	ip -n "$PREFIX-$4" link set "$5" up
}

# conversion_file NAME KEY=VALUE…
conversion_file() {
	local name=$1 backbone=b0 isid=1 b_vid=7 b_da=$CONV b_sa=$RED customer=c0 vlan=0 pair
	shift
	for pair in "$@"; do
		local "$pair"
	done
	printf '%s\n' "backbone=$backbone" "isid=$isid" "b_vid=$b_vid" "b_da=$b_da" "b_sa=$b_sa" \
		"customer=$customer" "vlan=$vlan" >"$WORK/$name.spec"
}

# convert HOST N KEY=VALUE…: reserve and commit a conversion.
convert() {
	local host=$1 n=$2
	shift 2
	conversion_file "conversion$n" "$@"
	ctl "$host" reserve "$(rid "$n")" conversion "$WORK/conversion$n.spec" >/dev/null
	ctl "$host" commit "$(rid "$n")" "$WORK/none.attr" >/dev/null
}

# way N PORT ISID DEVICE VLAN: from port PORT of v2 to a VLAN of a device of cv.
way() {
	convert v2 "$1" "isid=$3" "customer=cust$2"
	convert cv "$1" "isid=$3" "b_da=$RED" "b_sa=$CONV" "customer=$4" "vlan=$5"
}

machines_up() {
	local name
	for name in cv pm n1 n2; do
		ns_make "$name"
	done
	wire v2 b0 1600 cv b0
	wire cv c0 1500 pm e0
	wire cv c1 1500 pm e1
	for name in 12 22 32 42; do
		wire v2 "cust$name" 1500 v2 "vn$(rid "$name")"
	done
	daemon_config v2 1Gbps
	printf '%s\n' '[converter]' b0=backbone cust{12,22,32,42}=customer >>"$WORK/v2/redirectord.conf"
	daemon_config cv 1Gbps
	sed -i '/underlay/,$d' "$WORK/cv/redirectord.conf"
	printf '%s\n' '[converter]' b0=backbone c0=customer c1=customer >>"$WORK/cv/redirectord.conf"
	: >"$WORK/none.attr"
}

# OVS reads and writes raw frames: no sums left to the device, no large frames.
programmer_up() {
	local n
	ovs_start pm
	in_ns pm ethtool -K e0 tx off tso off gso off gro off >/dev/null
	ovs add-br br0 -- set bridge br0 datapath_type=netdev -- add-port br0 e0
	for n in 1 2; do
		wire pm "p$n" 1500 "n$n" e0
		in_ns "n$n" ethtool -K e0 tx off tso off gso off >/dev/null
		ip -n "$PREFIX-n$n" addr add 192.168.9.2/24 dev e0
		ovs add-port br0 "p$n" "tag=10$n"
	done
}

links_up() {
	local name port
	for name in c1:11 d1:21 f1:31; do
		port=${name#*:}
		container "${name%:*}" v1 "$port" 192.168.9.1
		in_ns "${name%:*}" sysctl -qw net.ipv6.conf.e0.disable_ipv6=1
		link_up "$port" rate_bps=300000000 ceil_bps=300000000
	done
}

ping_passes() { in_ns "$1" ping -q -c 3 -i 0.05 -W 1 192.168.9.2; }

# conversions HOST NAME: a sum, or one conversion's counter as N.NAME
conversions() {
	local name=${2#*.}
	case $2 in
	*.*) ctl "$1" conversions | sed -n "s/^$(rid "${2%%.*}") .* $name=\([0-9]*\).*/\1/p" ;;
	*) ctl "$1" conversions | sed -n "s/^$name=//p" ;;
	esac
}

# ---- cases -----------------------------------------------------------------------------------

case_ping() {
	way 111 12 10101 c0 101
	way 121 22 10102 c0 102
	eventually 10 ping_passes c1
	eventually 10 ping_passes d1
	ping_passes c1 && ping_passes d1
}

case_tcp() {
	# Open vSwitch reads raw frames, and on a veth those have no sums unless their sender makes them
	# and nobody merges them.
	in_ns c1 ethtool -K e0 tx off >/dev/null
	in_ns v1 ethtool -K "vn$(rid 11)" gro off
	iperf_serve n1
	carries 20000000 inf tcp_bps c1 192.168.9.2 2
	carries 20000000 inf tcp_bps c1 192.168.9.2 2 -R
}

# capture NAME NAMESPACE DEVICE OPTION…: until capture_end
capture() {
	local name=$1
	mkdir "$WORK/$name"
	(
		exec nsenter --net="/run/netns/$PREFIX-$2" tcpdump -U -Z root -i "$3" \
			-w "$WORK/$name.pcap" "${@:4}"
	) 2>"$WORK/$name.dump" &
	echo $! >"$WORK/$name/pid"
	eventually 5 grep -q listening "$WORK/$name.dump"
}

# What was sent is in the file when the last frame of all is.
capture_end() {
	local name
	for name in "$@"; do
		eventually 5 has_frames "$name"
		kill "$(cat "$WORK/$name/pid")"
	done
	wait
	for name in "$@"; do
		rm -r "${WORK:?}/$name"
	done
}

# Two pings of three frames; the VLAN side sees the answers, too.
has_frames() {
	local n
	n=$(tshark -r "$WORK/$1.pcap" -Y icmp 2>/dev/null | wc -l)
	[ "$n" -ge 6 ] && { [ "$1" != vlan ] || [ "$n" -ge 12 ]; }
}

# fields FILE FIELD…: distinct lines
fields() {
	local file=$1 name
	local -a options=()
	shift
	for name in "$@"; do
		options+=(-e "$name")
	done
	tshark -r "$WORK/$file.pcap" -T fields "${options[@]}" 2>/dev/null | sort -u
}

# XDP takes the header off before a capture sees the frame: what each side sends is looked at.
case_capture() {
	capture there v2 b0 -Q out
	capture back cv b0 -Q out
	capture vlan pm e0 icmp or vlan
	ping_passes c1
	ping_passes d1
	capture_end there back vlan
	assert_equal "$(printf '%s\t%s\t7\t10101\n%s\t%s\t7\t10102' "$CONV" "$RED" "$CONV" "$RED")" \
		"$(fields there eth.dst eth.src ieee8021ad.id ieee8021ah.isid)"
	assert_equal "$(printf '%s\t%s\t7\t10101\n%s\t%s\t7\t10102' "$RED" "$CONV" "$RED" "$CONV")" \
		"$(fields back eth.dst eth.src ieee8021ad.id ieee8021ah.isid)"
	assert_equal "" "$(fields there _ws.malformed)$(fields back _ws.malformed)"
	tshark -r "$WORK/there.pcap" -Y "ieee8021ah.isid==10101 && icmp" | grep 'Echo (ping) request'
	tshark -r "$WORK/back.pcap" -Y "ieee8021ah.isid==10102 && icmp" | grep 'Echo (ping) reply'
	tshark -r "$WORK/vlan.pcap" -Y "vlan.id==101 && icmp" | grep 'Echo (ping) request'
	tshark -r "$WORK/vlan.pcap" -Y "vlan.id==102 && icmp" | grep 'Echo (ping) reply'
}

# frames_pass FROM DEVICE TYPE TO DEVICE TYPE SIZE COUNT
frames_pass() {
	local seed=$((RANDOM)) receiver
	rm -f "$WORK/received"
	in_ns "$4" "$TOOLS/rawframe" receive "$5" "$6" "$7" "$8" "$seed" 5000 >"$WORK/received" &
	receiver=$!
	eventually 5 grep -q ready "$WORK/received"
	in_ns "$1" "$TOOLS/rawframe" send "$2" "$3" "$7" "$8" "$seed"
	wait "$receiver"
}

case_any_type() {
	local type size
	way 131 32 10103 c1 103
	for type in 88b5 0800 86dd 0806 88e7 88cc; do
		for size in 46 47 700 1500; do
			frames_pass f1 e0 "$type" pm e1 "103:$type" "$size" 20
			frames_pass pm e1 "103:$type" f1 e0 "$type" "$size" 20
		done
	done
	frames_pass f1 e0 88b5 pm e1 103:88b5 1500 1000
}

case_whole() {
	local type
	ctl v2 release "$(rid 131)" && ctl cv release "$(rid 131)"
	way 132 32 10104 c1 0
	for type in 88b5 0806 100:88b5 101:0800 103:86dd; do
		frames_pass f1 e0 "$type" pm e1 "$type" 46 20
		frames_pass f1 e0 "$type" pm e1 "$type" 1496 20
		frames_pass pm e1 "$type" f1 e0 "$type" 900 20
	done
}

# No OVS here: sums and segments are left to the devices, packets leave both machines as large as can
# be.
case_large_packets() {
	ip -n "$PREFIX-pm" addr add 192.168.9.2/24 dev e1
	iperf_serve pm
	carries 200000000 inf tcp_bps f1 192.168.9.2 2
	carries 200000000 inf tcp_bps f1 192.168.9.2 2 -R
	assert_equal 0 "$(conversions v2 132.to_drops)"
	assert_equal 0 "$(conversions cv 132.to_drops)"
}

case_counters() {
	local frames bytes
	frames=$(conversions cv 132.from_frames) bytes=$(conversions cv 132.from_bytes)
	frames_pass f1 e0 88b5 pm e1 88b5 1000 50
	assert_equal 50 $(($(conversions cv 132.from_frames) - frames))
	assert_equal $((50 * 1014)) $(($(conversions cv 132.from_bytes) - bytes))
	assert_equal "$(conversions v2 132.to_bytes)" "$(conversions cv 132.from_bytes)"
}

case_unknown_isid() {
	local before
	convert v2 142 isid=999 customer=cust42
	before=$(conversions cv unknown_isid)
	in_ns v2 "$TOOLS/rawframe" send "vn$(rid 42)" 88b5 100 9 1
	assert_equal 9 $(($(conversions cv unknown_isid) - before))
	ctl v2 release "$(rid 142)"
}

case_unknown_vlan() {
	local before
	before=$(conversions cv unknown_vlan)
	in_ns pm "$TOOLS/rawframe" send e0 999:88b5 100 9 1
	assert_equal 9 $(($(conversions cv unknown_vlan) - before))
}

case_own_traffic() {
	ip -n "$PREFIX-cv" addr add 10.70.0.1/24 dev c0
	ip -n "$PREFIX-pm" addr add 10.70.0.2/24 dev br0
	ip -n "$PREFIX-pm" link set br0 up
	eventually 5 in_ns cv ping -q -c 1 -W 1 10.70.0.2
}

case_oversize() {
	local before
	before=$(conversions v2 132.to_drops)
	ip -n "$PREFIX-v2" link set b0 mtu 1500
	in_ns f1 "$TOOLS/rawframe" send e0 88b5 1482 3 1
	assert_equal "$before" "$(conversions v2 132.to_drops)"
	in_ns f1 "$TOOLS/rawframe" send e0 88b5 1483 5 1
	assert_equal 5 $(($(conversions v2 132.to_drops) - before))
	ip -n "$PREFIX-v2" link set b0 mtu 1600
}

case_restart_loses_nothing() {
	local ping
	in_ns c1 ping -q -i 0.01 -c 300 192.168.9.2 >"$WORK/ping" &
	ping=$!
	daemon_kill v2
	daemon_start v2
	daemon_kill cv
	daemon_start cv
	wait "$ping"
	cat "$WORK/ping"
	grep -q ' 0% packet loss' "$WORK/ping"
	assert_equal "" "$(ctl v2 orphans)$(ctl cv orphans)"
}

map_wipe() {
	local map=$WORK/$1/run/bpf/convert-1/$2 key
	bpftool -j map dump pinned "$map" | jq -r '.[].key | join(" ")' | while read -r key; do
		# shellcheck disable=SC2086
		bpftool map delete pinned "$map" key hex ${key//0x/}
	done
}

shows() { ip -n "$PREFIX-$1" link show dev "$2" | grep "$3"; }

has_backbones() {
	[ "$(bpftool -j map dump pinned "$WORK/v2/run/bpf/convert-1/vn_backbones" | jq length)" = "$1" ]
}

case_by_hand() {
	ip -n "$PREFIX-cv" link set b0 xdp off
	in_ns cv "$TOOLS/hookctl" detach b0
	in_ns cv "$TOOLS/hookctl" detach c0
	ip -n "$PREFIX-v2" link set b0 promisc off
	map_wipe cv vn_customers
	map_wipe v2 vn_backbones
	eventually 5 ping_passes c1
	eventually 5 ping_passes d1
	eventually 10 shows v2 b0 PROMISC
	eventually 10 shows cv b0 xdp
	ctl cv notes | grep -E 'repaired .*(converter|conversion|kernel)' || { ctl cv notes && return 1; }
	eventually 10 has_backbones 3
}

# refused CODE KEY=VALUE…: a conversion at cv, where VLANs 101 and 102 of c0 are taken.
refused() {
	local code=$1
	shift
	conversion_file r "b_da=$RED" "b_sa=$CONV" isid=5 vlan=105 "$@"
	refused_with "$code" ctl cv reserve "$(rid 199)" conversion "$WORK/r.spec"
}

case_refusals() {
	refused conflict vlan=101
	refused conflict vlan=0
	refused conflict customer=c1
	refused conflict isid=10101
	refused not_found customer=b0
	refused not_found backbone=c0
	refused bad_value isid=16777215
	refused bad_value isid=0
	refused bad_value b_vid=0
	refused bad_value vlan=4095
	refused bad_value b_da=03:00:00:00:00:01
	refused bad_value b_sa=02:00:00:00:00:0
	refuses grep -q "$(rid 199)" <(ctl cv status)
}

case_doctor() {
	ctl v2 doctor | grep '^converter.b0 good backbone, frames up to mtu 1582, up'
	ctl cv doctor | grep '^converter.c0 good customer'
	ip -n "$PREFIX-pm" link set e1 down
	ctl cv doctor | grep '^converter.c1 bad'
	ip -n "$PREFIX-pm" link set e1 up
}

case_nothing_left() {
	local n device
	for n in 111 121 132; do
		ctl v2 release "$(rid "$n")"
		ctl cv release "$(rid "$n")"
	done
	refuses ping_passes c1
	for device in v2:b0 v2:cust12 cv:b0 cv:c0 cv:c1; do
		ip -n "$PREFIX-${device%:*}" -d link show dev "${device#*:}" >"$WORK/device"
		refuses grep -E 'xdp|PROMISC|promiscuity [1-9]' "$WORK/device"
	done
	refuses grep vn_conv <(in_ns cv bpftool net show)
	for n in vn_customers vn_backbones vn_conversions; do
		assert_equal '[]' "$(bpftool -j map dump pinned "$WORK/cv/run/bpf/convert-1/$n")"
	done
	assert_equal "" "$(ctl v2 orphans)$(ctl cv orphans)"
}

world_up
daemon_config v1 1Gbps
machines_up
daemon_start v1
daemon_start v2
daemon_start cv
programmer_up
links_up

test_case "ping passes from a node over link, MAC-in-MAC and VLAN to the programmer machine" case_ping
test_case "TCP passes both ways" case_tcp
test_case "tshark sees the service instances on one side and the VLANs on the other" case_capture
test_case "frames of any type and size arrive byte-identical in their VLAN" case_any_type
test_case "a conversion as a whole takes tagged frames as they are" case_whole
test_case "counters count the slice's own frames and bytes" case_counters
test_case "TCP passes with large packets at both ends" case_large_packets
test_case "an unknown service instance is dropped and counted" case_unknown_isid
test_case "an unknown VLAN is dropped and counted" case_unknown_vlan
test_case "untagged frames on a customer device are the host's" case_own_traffic
test_case "a frame too large for the backbone is dropped and counted" case_oversize
test_case "no ping is lost while redirectord is killed and started on both sides" \
	case_restart_loses_nothing
test_case "what is removed by hand comes back" case_by_hand
test_case "what is in use, unknown or senseless is refused" case_refusals
test_case "doctor tells of the devices" case_doctor
test_case "nothing is left when conversions are released" case_nothing_left
finish
