#!/bin/bash
# Links of type internal: from port to port of one host, fed by hand, real frames.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/redirector_world.sh"

REV=1

# internal_files NAME PORT PEER [KEY=VALUE…]: no ceiling unless given.
internal_files() {
	local name=$1 port=$2 peer=$3 open=on ceil_bps=0 mtu=1500 slice=s1 pair
	shift 3
	for pair in "$@"; do
		local "$pair"
	done
	printf '%s\n' "slice=$slice" link=l1 node=n1 "port=$(rid "$port")" type=internal \
		"peer=$(rid "$peer")" key=0 "mtu=$mtu" overhead=0 rate_bps=0 >"$WORK/$name.spec"
	printf '%s\n' "open=$open" rate_bps=0 "ceil_bps=$ceil_bps" burst_bytes=0 \
		isolation=policing priority=0 >"$WORK/$name.attr"
}

# set_to N KEY=VALUE…: other attributes of the end at port N, whose peer is the other of 1 and 2.
set_to() {
	local n=$1
	shift
	internal_files "e$n" "$n" $((3 - n)) "$@"
	REV=$((REV + 1))
	ctl v1 commit "$(rid "$n")" "$WORK/e$n.attr" "$REV" >/dev/null
}

case_frames() {
	local type
	for type in 88b5 0800 86dd 8847 100:88b5; do
		frames_pass c1 c2 "$type" 1500 20
		frames_pass c2 c1 "$type" 46 20
	done
}

# Both ways: what one end sends is what the other receives.
case_counters() {
	local n sent received
	frames_pass c1 c2 88b5 700 50
	for n in 1 2; do
		sent=$(counter v1 "$n" tx_frames)
		received=$(counter v1 $((3 - n)) rx_frames)
		[ "$sent" -gt 50 ]
		assert_equal "$sent" "$received"
		assert_equal "$(counter v1 "$n" tx_bytes)" "$(counter v1 $((3 - n)) rx_bytes)"
	done
}

case_tcp() {
	local pid
	iperf_serve c2
	nsenter --net="/run/netns/$PREFIX-c2" tcpdump -q -U -c 5 -i e0 -w "$WORK/large.pcap" \
		'tcp and greater 3000' 2>"$WORK/tcpdump.log" &
	pid=$!
	eventually 5 grep -q 'listening on' "$WORK/tcpdump.log"
	carries 500000000 inf tcp_bps c1 192.168.9.2 2
	wait "$pid"
}

case_oversize() {
	local before
	ip -n "$PREFIX-c1" link set e0 mtu 1600
	before=$(counter v1 1 tx_oversize)
	in_ns c1 "$TOOLS/rawframe" send e0 88b5 1501 7 1
	ip -n "$PREFIX-c1" link set e0 mtu 1500
	assert_equal 7 $(($(counter v1 1 tx_oversize) - before))
}

# udp_bps CLIENT ADDRESS: what arrives of 200 Mbit/s, as frames.
udp_bps() {
	in_ns "$1" iperf3 -u -c "$2" -l 1472 -b 200M -t 3 -J | python3 -c '
import json, sys
end = json.load(sys.stdin)["end"]["sum"]
print(int((end["packets"] - end["lost_packets"]) * 1514 * 8 / end["seconds"]))'
}

case_ceiling() {
	local most=50000000
	iperf_serve c1
	set_to 1 ceil_bps=50000000
	carries $((most * 80 / 100)) $((most * 106 / 100)) udp_bps c1 192.168.9.2
	carries $((most * 2)) inf udp_bps c2 192.168.9.1
	set_to 1
	carries $((most * 2)) inf udp_bps c1 192.168.9.2
}

# Neither out of a closed end nor into it.
case_closed() {
	local before
	set_to 2 open=off
	refuses ping_passes c1 192.168.9.2
	refuses ping_passes c2 192.168.9.1
	before=$(counter v1 2 rx_closed)
	in_ns c1 "$TOOLS/rawframe" send e0 88b5 100 9 1
	[ $(($(counter v1 2 rx_closed) - before)) -ge 9 ]
	set_to 2
	ping_passes c1 192.168.9.2
}

case_kill() {
	local ping
	in_ns c1 ping -q -i 0.01 -c 300 192.168.9.2 >"$WORK/ping" &
	ping=$!
	daemon_kill v1
	daemon_start v1
	wait "$ping"
	cat "$WORK/ping"
	grep -q ' 0% packet loss' "$WORK/ping"
	assert_equal "" "$(ctl v1 orphans)"
}

case_device_back() {
	ip -n "$PREFIX-c2" link del e0
	refuses ping_passes c1 192.168.9.2
	container c2 v1 2 192.168.9.2
	in_ns c1 ip neigh flush dev e0
	eventually 10 ping_passes c1 192.168.9.2
	ping_passes c2 192.168.9.1
}

case_wrong_peer() {
	internal_files bad 3 1
	refused_with conflict ctl v1 reserve "$(rid 3)" link_end "$WORK/bad.spec"
	internal_files bad 3 3
	refused_with bad_value ctl v1 reserve "$(rid 3)" link_end "$WORK/bad.spec"
	internal_files bad 3 4
	echo underlay=u0 >>"$WORK/bad.spec"
	refused_with bad_value ctl v1 reserve "$(rid 3)" link_end "$WORK/bad.spec"
}

# An end whose peer has no link end, or one that leads elsewhere: nothing gets out at that port.
case_one_sided() {
	local before
	container c3 v1 3 192.168.9.3
	container c4 v1 4 192.168.9.4
	internal_files one 3 4
	end_up v1 3 one
	before=$(counter v1 3 tx_closed)
	in_ns c3 "$TOOLS/rawframe" send e0 88b5 100 9 1
	[ $(($(counter v1 3 tx_closed) - before)) -ge 9 ]
	link_files other port=4 key=44
	end_up v1 4 other || true
	refuses ping_passes c3 192.168.9.4
	ctl v1 release "$(rid 4)"
	internal_files two 4 3
	end_up v1 5 two
	eventually 10 ping_passes c3 192.168.9.4
	ctl v1 release "$(rid 5)"
	refuses ping_passes c3 192.168.9.4
	ctl v1 release "$(rid 3)"
}

case_leaves_nothing() {
	ctl v1 release "$(rid 1)"
	ctl v1 release "$(rid 2)"
	refuses ping_passes c1 192.168.9.2
	assert_equal "" "$(ctl v1 orphans)"
	refuses ctl v1 counters "$(rid 1)"
	in_ns v1 tc filter show dev "vn$(rid 1)" ingress >"$WORK/filters"
	refuses grep vn_ "$WORK/filters"
	in_ns v1 tc class show dev u0 >"$WORK/classes"
	refuses grep -v 'class htb 1:[1-4] ' "$WORK/classes"
}

world_up
daemon_config v1 1Gbps
daemon_start v1
for n in 1 2; do
	container "c$n" v1 "$n" "192.168.9.$n"
	in_ns "c$n" sysctl -qw net.ipv6.conf.e0.disable_ipv6=1
done
for n in 1 2; do
	internal_files "e$n" "$n" $((3 - n))
	end_up v1 "$n" "e$n"
done

test_case "ping passes from port to port" eventually 10 ping_passes c1 192.168.9.2
test_case "frames of any type and tag arrive byte-identical" case_frames
test_case "what one end sends the other has received" case_counters
test_case "TCP passes in large frames" case_tcp
test_case "a frame above the mtu is dropped and counted" case_oversize
test_case "a ceiling holds, in its direction alone, and goes" case_ceiling
test_case "a closed end neither sends nor receives" case_closed
test_case "kill -9 and restart of redirectord lose no frame" case_kill
test_case "the peer's device goes and comes back" case_device_back
test_case "a wrong peer is refused" case_wrong_peer
test_case "nothing gets to a port whose row does not lead back" case_one_sided
test_case "nothing is left of released ends" case_leaves_nothing
finish
