#!/bin/bash
# redirectord alone, fed by hand: two hosts in network namespaces, real frames.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/redirector_world.sh"

# Of a thousand, what TCP may get over the loop; more where frames travel there without a header.
LOOP_MOST=${LOOP_MOST:-1060}

# ---- cases -----------------------------------------------------------------------------------

case_ping() {
	link_up 11 "rate_bps=$(wire 100)" "ceil_bps=$(wire 100)"
	ping_passes c1 192.168.9.2
	ping_passes c2 192.168.9.1
}

case_ipv6() {
	ip -n "$PREFIX-c1" addr add fd00::1/64 dev e0 nodad
	ip -n "$PREFIX-c2" addr add fd00::2/64 dev e0 nodad
	ping_passes c1 fd00::2
	carries $((90 * 1000000 * 1428 / 1514)) "$(mbps 106)" tcp_bps c1 fd00::2 1
}

case_any_type() {
	local type size
	for type in 88b5 0800 86dd 88cc 88e7 0805; do
		for size in 46 47 700 1500; do
			frames_pass c1 c2 "$type" "$size" 20
		done
	done
	frames_pass c2 c1 88b5 1500 1000
}

case_short_frame() {
	# Ethernet pads what is shorter than 60 bytes; nothing shorter need come out unchanged.
	frames_pass c1 c2 88b5 46 10
	frames_pass c1 c2 88b5 20 10
}

case_vlan() {
	frames_pass c1 c2 100:88b5 1500 20
	frames_pass c1 c2 101:0800 46 20
	frames_pass c1 c2 4094:86dd 900 20
}

case_oversize() {
	local before after
	before=$(counter v1 11 tx_oversize)
	ip -n "$PREFIX-c1" link set e0 mtu 1600
	in_ns c1 "$TOOLS/rawframe" send e0 88b5 1501 7 1
	ip -n "$PREFIX-c1" link set e0 mtu 1500
	after=$(counter v1 11 tx_oversize)
	assert_equal 7 $((after - before))
}

# The containers' own ARP would count as well.
# Between nodes that have nothing to say by themselves.
case_counters() {
	local n
	for n in 1 2; do
		container "m$n" "v$n" $((70 + n)) "192.168.71.$n"
		in_ns "m$n" sysctl -qw net.ipv6.conf.e0.disable_ipv6=1
		ip -n "$PREFIX-m$n" link set e0 arp off
	done
	link_up 71 "rate_bps=$(wire 10)" "ceil_bps=$(wire 10)"
	frames_pass m1 m2 88b5 1000 50
	assert_equal 50 "$(counter v2 72 rx_frames)"
	assert_equal $((50 * 1014)) "$(counter v2 72 rx_bytes)"
	link_down 71
}

case_tcp_ceiling() {
	carries $((90 * 1000000 * 1448 / 1514)) $((1060 * 100000 * 1448 / 1514)) \
		tcp_bps c1 192.168.9.2 3
}

case_closed() {
	link_files a11 port=11 key=11 "rate_bps=$(wire 100)" "ceil_bps=$(wire 100)" open=off
	ctl v1 commit "$(rid 11)" "$WORK/a11.attr" 2
	refuses ping_passes c1 192.168.9.2
	sed -i s/open=off/open=on/ "$WORK/a11.attr"
	ctl v1 commit "$(rid 11)" "$WORK/a11.attr" 3
	ping_passes c1 192.168.9.2
}

case_restart_loses_nothing() {
	local ping
	in_ns c1 ping -q -i 0.01 -c 300 192.168.9.2 >"$WORK/ping" &
	ping=$!
	daemon_kill v1
	daemon_start v1
	daemon_kill v2
	daemon_start v2
	wait "$ping"
	cat "$WORK/ping"
	grep -q ' 0% packet loss' "$WORK/ping"
	assert_equal "" "$(ctl v1 orphans)$(ctl v2 orphans)"
}

case_by_hand() {
	local device
	device=vn$(rid 11)
	in_ns v1 tc qdisc del dev u0 root
	in_ns v1 "$TOOLS/hookctl" detach "$device"
	eventually 15 ping_passes c1 192.168.9.2
	in_ns v1 tc class show dev u0 | grep 'class htb 1:11 parent 1:10'
}

case_stray_swept() {
	in_ns v1 tc class add dev u0 parent 1:1 classid 1:99 htb rate 1mbit
	eventually 15 has_no_stray
}

has_no_stray() { ! in_ns v1 tc class show dev u0 | grep 'class htb 1:99'; }

case_wrong_key() {
	local before
	before=$(strays v2)
	link_files wrong port=13 key=666
	container c3 v1 13 192.168.9.3
	end_up v1 13 wrong
	refuses ping_passes c3 192.168.9.2
	[ "$(strays v2)" -gt "$before" ]
	ctl v1 release "$(rid 13)"
}

strays() { ctl "$1" doctor | sed -n 's/^strays good \([0-9]*\) .*/\1/p'; }

case_wrong_source() {
	local before
	before=$(counter v2 12 rx_dropped)
	link_files a11 port=11 key=11 local=10.65.0.9
	ctl v1 commit "$(rid 11)" "$WORK/a11.attr" 4
	refuses ping_passes c1 192.168.9.2
	[ "$(counter v2 12 rx_dropped)" -gt "$before" ]
	link_files a11 port=11 key=11
	ctl v1 commit "$(rid 11)" "$WORK/a11.attr" 5
	ping_passes c1 192.168.9.2
}

case_one_host() {
	container d1 v1 21 192.168.9.1
	container d2 v1 22 192.168.9.2
	link_files loop0 slice=s2 port=21 key=21 underlay=loop0 "rate_bps=$(wire 50)" "ceil_bps=$(wire 50)"
	link_files loop1 slice=s2 port=22 key=21 underlay=loop1 "rate_bps=$(wire 50)" "ceil_bps=$(wire 50)"
	end_up v1 21 loop0
	end_up v1 22 loop1
	ping_passes d1 192.168.9.2
	frames_pass d2 d1 88b5 1500 100
	iperf_serve d2
	carries $((90 * 500000 * 1448 / 1514)) $((LOOP_MOST * 50000 * 1448 / 1514)) \
		tcp_bps d1 192.168.9.2 3
}

# Slices s1 (c1, c2) and s2 (d1, d2) have the same addresses.
case_slices_apart() {
	local ping
	in_ns d1 "$TOOLS/rawframe" receive e0 88b6 100 1 5 2000 >"$WORK/foreign" &
	ping=$!
	eventually 5 grep -q ready "$WORK/foreign"
	in_ns c1 "$TOOLS/rawframe" send e0 88b6 100 5 5
	refuses wait "$ping"
	in_ns c1 arping -q -c 1 -I e0 192.168.9.2 2>/dev/null || true
	ip -n "$PREFIX-c2" link set e0 down
	refuses ping_passes c1 192.168.9.2
	ping_passes d1 192.168.9.2
	ip -n "$PREFIX-c2" link set e0 up
	ping_passes c1 192.168.9.2
}

case_refusals() {
	link_files r port=31 key=31 "rate_bps=$(mbps 901)" "ceil_bps=$(mbps 901)"
	refused_with R02 ctl v1 reserve "$(rid 31)" link_end "$WORK/r.spec"
	grep ' left' "$WORK/answer"
	link_files r port=31 key=11
	refused_with R04 ctl v1 reserve "$(rid 32)" link_end "$WORK/r.spec"
	link_files r port=31 key=31 underlay=u7
	refused_with not_found ctl v1 reserve "$(rid 33)" link_end "$WORK/r.spec"
	link_files r port=31 key=31 mtu=20
	refused_with bad_value ctl v1 reserve "$(rid 34)" link_end "$WORK/r.spec"
	ctl v1 status >"$WORK/rows"
	refuses grep -E "$(rid 31)|$(rid 32)|$(rid 33)|$(rid 34)" "$WORK/rows"
}

case_capacity_returns() {
	link_files r port=35 key=35 "rate_bps=$(mbps 850)" "ceil_bps=$(mbps 850)"
	ctl v1 reserve "$(rid 35)" link_end "$WORK/r.spec"
	link_files r port=36 key=36 "rate_bps=$(mbps 100)" "ceil_bps=$(mbps 100)"
	refused_with R02 ctl v1 reserve "$(rid 36)" link_end "$WORK/r.spec"
	ctl v1 release "$(rid 35)"
	ctl v1 reserve "$(rid 37)" link_end "$WORK/r.spec"
	ctl v1 release "$(rid 37)"
}

case_waits_for_port() {
	link_files w port=41 key=41 "rate_bps=$(wire 1)" "ceil_bps=$(wire 1)"
	ctl v1 reserve "$(rid 41)" link_end "$WORK/w.spec"
	ctl v1 commit "$(rid 41)" "$WORK/w.attr" >"$WORK/committed" &
	local commit=$!
	eventually 5 waits_for v1 41 'there is no device'
	container c4 v1 41 192.168.9.4
	wait "$commit"
	cat "$WORK/committed"
	ctl v1 release "$(rid 41)"
	assert_equal "" "$(in_ns v1 "$TOOLS/hookctl" show "vn$(rid 41)")"
}

waits_for() { ctl "$1" status | grep "^$(rid "$2") " | grep "$3"; }

case_port_comes_back() {
	ip -n "$PREFIX-c1" link del e0
	eventually 10 waits_for v1 11 'there is no device'
	container c1 v1 11 192.168.9.1
	eventually 10 ping_passes c1 192.168.9.2
}

case_next_hop_changes() {
	ip -n "$PREFIX-rt" link set r1 address 02:00:00:00:00:77
	eventually 60 ping_passes c1 192.168.9.2
}

# c2 forwards what came by one link to another one: a frame that was unwrapped is wrapped again.
case_forwarded_by_a_node() {
	container f1 v1 51 192.168.50.1
	container c2 v2 52 192.168.50.2 e1
	in_ns c2 sysctl -qw net.ipv4.ip_forward=1
	link_up 51 "rate_bps=$(wire 100)" "ceil_bps=$(wire 100)"
	ip -n "$PREFIX-c1" route add 192.168.50.0/24 via 192.168.9.2
	ip -n "$PREFIX-f1" route add 192.168.9.0/24 via 192.168.50.2
	ping_passes c1 192.168.50.1
	iperf_serve f1
	carries $((90 * 1000000 * 1448 / 1514)) $((1060 * 100000 * 1448 / 1514)) \
		tcp_bps c1 192.168.50.1 3
	link_down 51
}

# The host merges what a node without TSO sends, but to no more than the link's queue can take.
case_slow_without_offloads() {
	container o1 v1 61 192.168.61.1 e0 2
	container o2 v2 62 192.168.61.2
	in_ns o1 ethtool -K e0 tx off tso off gso off
	link_up 61 "rate_bps=$(wire 5)" "ceil_bps=$(wire 5)"
	iperf_serve o2
	carries $((4 * 1000000 * 1448 / 1514)) $((6 * 1000000 * 1448 / 1514)) \
		tcp_bps o1 192.168.61.2 4
	link_down 61
}

# A tunnel of the slice's own, through the link.
case_nested_tunnel() {
	local n
	for n in 1 2; do
		ip -n "$PREFIX-c$n" link add vx0 mtu 1450 type vxlan id 5 \
			remote "192.168.9.$((3 - n))" local "192.168.9.$n" dstport 4789
		ip -n "$PREFIX-c$n" addr add "172.16.0.$n/24" dev vx0
		ip -n "$PREFIX-c$n" link set vx0 up
	done
	ping_passes c1 172.16.0.2
	carries "$(mbps 80)" inf tcp_bps c1 172.16.0.2 2
	for n in 1 2; do
		ip -n "$PREFIX-c$n" link del vx0
	done
}

# skips_port PORT: do pings reach c2 by another way than out of the port's device?
skips_port() {
	local sent
	sent=$(sent_by "$1")
	in_ns c1 ping -q -c 10 -i 0.01 -W 1 192.168.9.2 >/dev/null &&
		[ "$(sent_by "$1")" -lt $((sent + 5)) ]
}

sent_by() { ip -n "$PREFIX-v2" -j -s link show "vn$(rid "$1")" | jq '.[0].stats64.tx.packets'; }

# What is for the node's own device skips the port's queue, and only that: the kernel would take
# every frame that comes this way for the node's.
case_right_into_the_node() {
	local own
	own=$(ip -n "$PREFIX-c2" -j link show e0 | jq -r '.[0].address')
	eventually 10 skips_port 12
	ip -n "$PREFIX-c1" neigh replace 192.168.9.2 lladdr 02:00:00:00:00:66 dev e0
	refuses in_ns c1 ping -q -c 3 -i 0.2 -W 1 192.168.9.2
	ip -n "$PREFIX-c2" link set e0 address 02:00:00:00:00:66
	in_ns c1 ping -q -c 3 -i 0.2 -W 1 192.168.9.2
	eventually 15 skips_port 12
	ip -n "$PREFIX-c2" link set e0 address "$own"
	ip -n "$PREFIX-c1" neigh del 192.168.9.2 dev e0
	ping_passes c1 192.168.9.2
}

case_leaves_nothing() {
	local host device
	link_down 11
	ctl v1 release "$(rid 21)"
	ctl v1 release "$(rid 22)"
	for host in v1 v2; do
		assert_equal "" "$(ctl "$host" orphans)"
		for device in $(ip -n "$PREFIX-$host" -o link |
			sed -n 's/^[0-9]*: \(vn0[^@:]*\).*/\1/p'); do
			assert_equal "" "$(in_ns "$host" "$TOOLS/hookctl" show "$device")"
		done
		in_ns "$host" tc class show dev u0 >"$WORK/classes"
		in_ns "$host" tc class show dev vnloop0 >>"$WORK/classes"
		refuses grep -v 'class htb 1:[1-4] ' "$WORK/classes"
	done
}

world_up
for host in v1 v2; do
	daemon_config $host 1Gbps
	daemon_start $host
done
container c1 v1 11 192.168.9.1
container c2 v2 12 192.168.9.2
iperf_serve c2

test_case "a link carries ping and ARP" case_ping
test_case "it carries IPv6, TCP in large frames included" case_ipv6
test_case "frames of any EtherType arrive byte-identical" case_any_type
test_case "short frames arrive with their bytes" case_short_frame
test_case "VLAN tags arrive with their frames" case_vlan
test_case "a frame larger than the mtu is dropped and counted" case_oversize
test_case "counters count the slice's own frames and bytes" case_counters
test_case "TCP fills the ceiling and no more" case_tcp_ceiling
test_case "a closed link end carries nothing until it is opened" case_closed
test_case "kill -9 and restart of redirectord lose no frame" case_restart_loses_nothing
test_case "what somebody removes by hand comes back" case_by_hand
test_case "a class that belongs to no row is swept" case_stray_swept
test_case "a wrong key carries nothing and is counted" case_wrong_key
test_case "a wrong outer source carries nothing and is counted" case_wrong_source
test_case "both ends may be on one host" case_one_host
test_case "two slices with the same addresses do not see each other" case_slices_apart
test_case "what cannot be is refused with its code" case_refusals
test_case "capacity returns with the release" case_capacity_returns
test_case "a link end waits for its port's device" case_waits_for_port
test_case "a link end follows its port's device" case_port_comes_back
test_case "a link end follows a next hop's new address" case_next_hop_changes
test_case "a node forwards from link to link in large frames" case_forwarded_by_a_node
test_case "a node without off-loads fills a slow link" case_slow_without_offloads
test_case "a tunnel of the slice's own passes through" case_nested_tunnel
# Not by driver device: to the kernel what its tunnel device unpacks is for somebody else.
[ "${DRIVER:-}" = device ] ||
	test_case "a frame for the node itself goes right into its device" case_right_into_the_node
test_case "nothing is left of released link ends" case_leaves_nothing
finish
