#!/bin/bash
# Multipoint links: a hub on one of two hosts, with a container there and three on the other; fed by
# hand, real frames.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/redirector_world.sh"

#     m1 on v1, over the loop; m2, m3, m4 on v2. Container mN has node port 10+N and hub port 20+N
#     (of the second hub: 30+N, 40+N). Rows: 10+N, 20+N for the ends, 60 (61) for the hub.
NODES="m1 m2 m3 m4"
BROADCAST=ff:ff:ff:ff:ff:ff

mac_of() { printf '02:00:00:00:00:0%s' "${1#m}"; }

# frames send DEVICE TO FROM COUNT: so many frames and an end mark to everybody
# frames count DEVICE: those that came before the end mark, as one number
cat >"$WORK/frames" <<-'END'
	import socket, sys

	COUNTED, MARK = 0x88b6, 0x88b7
	sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
	sock.bind((sys.argv[2], 0))

	def frame(to, source, kind):
	    return bytes.fromhex((to + source).replace(":", "")) + kind.to_bytes(2, "big") + bytes(46)

	if sys.argv[1] == "send":
	    to, source, count = sys.argv[3:]
	    for _ in range(int(count)):
	        sock.send(frame(to, source, COUNTED))
	    sock.send(frame("ff:ff:ff:ff:ff:ff", source, MARK))
	    sys.exit()
	print("ready", flush=True)
	count = 0
	sock.settimeout(15)
	while True:
	    data, origin = sock.recvfrom(2000)
	    if origin[2] == socket.PACKET_OUTGOING:
	        continue
	    if origin[1] == MARK:
	        break
	    count += origin[1] == COUNTED
	print(count)
END

send() {
	in_ns "$1" python3 "$WORK/frames" send "${4:-e0}" "$2" "$(mac_of "$1")" "$3"
}

# counted FROM TO COUNT [DEVICE]: frames sent by FROM; what arrives at each other container as
# "m2:5 m3:0 …", and at the sender itself, until somebody else has spoken.
counted() {
	local from=$1 to=$2 count=$3 device=${4:-e0} name last="" result=""
	local -A pids
	for name in $NODES; do
		rm -f "$WORK/count.$name"
		in_ns "$name" python3 "$WORK/frames" count "$device" >"$WORK/count.$name" &
		pids[$name]=$!
	done
	for name in $NODES; do
		eventually 5 grep -q ready "$WORK/count.$name"
	done
	send "$from" "$to" "$count" "$device"
	for name in $NODES; do
		[ "$name" != "$from" ] || continue
		wait "${pids[$name]}"
		last=$name
	done
	send "$last" "$BROADCAST" 0 "$device"
	wait "${pids[$from]}"
	for name in $NODES; do
		result+="$name:$(tail -n 1 "$WORK/count.$name") "
	done
	echo "${result% }"
}

# hub_up ROW HUB-PORTS-FROM: a hub on v1 with ports FROM+1 … FROM+4
hub_up() {
	local n
	{
		printf '%s\n' slice=s1 "link=lan$1" mtu=1500
		for n in 1 2 3 4; do
			echo "port=$(rid $(($2 + n))) e$n"
		done
	} >"$WORK/hub$1.spec"
	for n in 1 2 3 4; do
		echo "gso=$(rid $(($2 + n))) 62"
	done >"$WORK/hub$1.attr"
	ctl v1 reserve "$(rid "$1")" hub "$WORK/hub$1.spec" >/dev/null
	ctl v1 commit "$(rid "$1")" "$WORK/hub$1.attr" >/dev/null
}

# spoke_up N NODE-PORT HUB-PORT: the first over the loop, others to v2
spoke_up() {
	local n=$1 node=$2 hub=$3
	if [ "$n" = 1 ]; then
		link_files "n$node" "port=$node" "key=$node" underlay=loop0
		link_files "h$hub" "port=$hub" "key=$node" underlay=loop1
		end_up v1 "$node" "n$node"
	else
		link_files "n$node" "port=$node" "key=$node" local=10.65.0.2 remote=10.65.0.1 \
			next_hop=10.64.2.254
		link_files "h$hub" "port=$hub" "key=$node"
		end_up v2 "$node" "n$node"
	fi
	end_up v1 "$hub" "h$hub"
}

ping_passes() { in_ns "$1" ping -q -c 2 -i 0.05 -W 1 "$2"; }

# ---- cases -----------------------------------------------------------------------------------

case_all_pairs() {
	local from to
	for from in 1 2 3 4; do
		for to in 1 2 3 4; do
			[ "$from" = "$to" ] || ping_passes "m$from" "192.168.9.$to"
		done
	done
}

case_broadcast() {
	assert_equal "m1:0 m2:5 m3:5 m4:5" "$(counted m1 "$BROADCAST" 5)"
	assert_equal "m1:5 m2:5 m3:0 m4:5" "$(counted m3 "$BROADCAST" 5)"
}

case_multicast() {
	assert_equal "m1:7 m2:0 m3:7 m4:7" "$(counted m2 01:00:5e:01:02:03 7)"
	assert_equal "m1:7 m2:0 m3:7 m4:7" "$(counted m2 33:33:00:00:00:01 7)"
}

# Spanning tree, LLDP, LACP, 802.1X of the slice's own: bridges usually keep them for themselves.
case_link_local_groups() {
	local group
	for group in 00 02 03 0e 21; do
		assert_equal "m1:3 m2:3 m3:3 m4:0" "$(counted m4 "01:80:c2:00:00:$group" 3)"
	done
}

case_unknown_floods() {
	assert_equal "m1:0 m2:4 m3:4 m4:4" "$(counted m1 02:99:00:00:00:01 4)"
}

# An address that no container's own stack speaks with.
NEW=02:00:00:00:00:77

speak_as_new() {
	in_ns "$1" python3 "$WORK/frames" send e0 "$BROADCAST" "$NEW" 1
	# Behind it on the same way: when this is through, what was sent is learned.
	counted "$1" "$BROADCAST" 0
}

case_learned() {
	speak_as_new m3
	assert_equal "m1:0 m2:0 m3:9 m4:0" "$(counted m1 "$NEW" 9)"
	assert_equal "m1:0 m2:0 m3:9 m4:0" "$(counted m4 "$NEW" 9)"
}

# An address that speaks at another port now is looked for there.
case_moves() {
	speak_as_new m4
	assert_equal "m1:0 m2:0 m3:0 m4:6" "$(counted m1 "$NEW" 6)"
	speak_as_new m1
	assert_equal "m1:7 m2:0 m3:0 m4:0" "$(counted m3 "$NEW" 7)"
}

case_types_and_tags() {
	local type receiver
	for type in 88b5 0800 86dd 100:88b5; do
		rm -f "$WORK/received"
		in_ns m2 "$TOOLS/rawframe" receive e0 "$type" 1500 20 7 5000 >"$WORK/received" &
		receiver=$!
		eventually 5 grep -q ready "$WORK/received"
		in_ns m3 "$TOOLS/rawframe" send e0 "$type" 1500 20 7
		wait "$receiver"
	done
}

# Between any two, in large frames, up to the ceiling of 100 Mbit/s (wire) of each spoke.
case_tcp() {
	local most=$((100 * 1000000 * 1448 / 1556))
	iperf_serve m1 m3
	carries $((most * 80 / 100)) $((most * 104 / 100)) tcp_bps m2 192.168.9.3 2
	carries $((most * 80 / 100)) $((most * 104 / 100)) tcp_bps m2 192.168.9.1 2
	carries $((most * 80 / 100)) $((most * 104 / 100)) tcp_bps m2 192.168.9.1 2 -R
}

# The slice asks for an address of the host and gets no answer; what it sends there blindly is not
# heard. The host knows a way back, as one with a default route does.
case_host_is_not_on_it() {
	local bridge mac before
	bridge=vb$(rid 60)
	mac=$(in_ns v1 ip -o link show dev "$bridge" | sed -n 's/.* link.ether \([^ ]*\) .*/\1/p')
	assert_equal "" "$(in_ns v1 ip -o addr show dev "$bridge")"
	in_ns v1 ip route add 192.168.9.0/24 via 10.64.1.254
	in_ns m1 ip route add 10.64.0.0/16 dev e0
	refuses ping_passes m1 10.64.1.1
	in_ns m1 ip neigh show 10.64.1.1 dev e0 | grep -E 'FAILED|INCOMPLETE'
	before=$(echos_heard)
	in_ns m1 ip neigh replace 10.64.1.1 dev e0 lladdr "$mac"
	refuses ping_passes m1 10.64.1.1
	assert_equal "$before" "$(echos_heard)"
	in_ns m1 ip neigh del 10.64.1.1 dev e0
	in_ns m1 ip route del 10.64.0.0/16 dev e0
	in_ns v1 ip route del 192.168.9.0/24
}

echos_heard() { in_ns v1 nstat -asz IcmpInEchos | awk '/IcmpInEchos/ { print $2 }'; }

# The same addresses at both hubs; each hears its own alone.
case_hubs_apart() {
	local n
	for n in 1 2 3 4; do
		container "m$n" "$([ "$n" = 1 ] && echo v1 || echo v2)" $((30 + n)) "192.168.10.$n" e1
		in_ns "m$n" ip link set e1 address "$(mac_of "m$n")"
	done
	hub_up 61 40
	for n in 1 2 3 4; do
		spoke_up "$n" $((30 + n)) $((40 + n))
	done
	counted m2 "$BROADCAST" 1 e1
	assert_equal "m1:0 m2:8 m3:0 m4:0" "$(counted m1 "$(mac_of m2)" 8 e1)"
	for n in $NODES; do
		in_ns "$n" python3 "$WORK/frames" count e0 >"$WORK/foreign.$n" &
		eventually 5 grep -q ready "$WORK/foreign.$n"
	done
	send m1 "$BROADCAST" 20 e1
	send m1 "$BROADCAST" 0
	in_ns m2 python3 "$WORK/frames" send e0 "$BROADCAST" "$(mac_of m2)" 0
	wait
	assert_equal "0000" "$(tail -qn 1 "$WORK"/foreign.* | tr -d '\n')"
	case_all_pairs
}

case_restart_loses_nothing() {
	local ping
	in_ns m2 ping -q -i 0.01 -c 300 192.168.9.3 >"$WORK/ping" &
	ping=$!
	daemon_kill v1
	daemon_start v1
	wait "$ping"
	cat "$WORK/ping"
	grep -q ' 0% packet loss' "$WORK/ping"
	assert_equal "" "$(ctl v1 orphans)$(ctl v2 orphans)"
}

case_by_hand() {
	in_ns v1 ip link del "vb$(rid 60)"
	eventually 15 case_all_pairs
	in_ns v1 ip link del "vn$(rid 22)"
	eventually 15 case_all_pairs
	in_ns v1 ip link set "vp$(rid 23)" nomaster
	eventually 15 case_all_pairs
	in_ns v1 ip link set "vb$(rid 60)" down
	eventually 15 case_all_pairs
	in_ns v1 tc qdisc del dev "vb$(rid 60)" clsact
	eventually 15 is_guarded "vb$(rid 60)"
	in_ns v1 tc qdisc del dev "vn$(rid 22)" clsact
	eventually 15 is_guarded "vn$(rid 22)"
	case_host_is_not_on_it
	in_ns v1 sysctl -qw net.bridge.bridge-nf-call-iptables=1 || return 0
	eventually 15 is_unfiltered
}

is_guarded() { in_ns v1 tc filter show dev "$1" ingress | grep vn_drop; }
is_unfiltered() { [ "$(in_ns v1 cat /proc/sys/net/bridge/bridge-nf-call-iptables)" = 0 ]; }

case_strays() {
	in_ns v1 ip link add "vb$(rid 99)" type bridge
	in_ns v1 ip link add "vp$(rid 98)" type veth peer name "vn$(rid 98)"
	eventually 15 are_gone 98 99
}

are_gone() {
	local n
	for n in "$@"; do
		! in_ns v1 ip -o link | grep -E "v[bp]$(rid "$n")" || return 1
	done
}

case_refusals() {
	refused_with conflict ctl v1 reserve "$(rid 71)" hub "$WORK/hub60.spec"
	sed "s/$(rid 21)/$(rid 22)/" "$WORK/hub60.spec" >"$WORK/twice.spec"
	refused_with bad_value ctl v1 reserve "$(rid 72)" hub "$WORK/twice.spec"
	sed 's/mtu=1500/mtu=9/' "$WORK/hub60.spec" >"$WORK/mtu.spec"
	refused_with bad_value ctl v1 reserve "$(rid 73)" hub "$WORK/mtu.spec"
}

case_leaves_nothing() {
	local n
	for n in 1 2 3 4; do
		ctl "$([ "$n" = 1 ] && echo v1 || echo v2)" release "$(rid $((10 + n)))"
		ctl "$([ "$n" = 1 ] && echo v1 || echo v2)" release "$(rid $((30 + n)))"
		ctl v1 release "$(rid $((20 + n)))"
	done
	ctl v1 release "$(rid 60)"
	ctl v1 release "$(rid 61)"
	for n in 1 2 3 4; do
		ctl v1 release "$(rid $((40 + n)))"
	done
	assert_equal "" "$(ctl v1 orphans)$(ctl v2 orphans)"
	in_ns v1 ip -o link >"$WORK/links"
	refuses grep -E 'v[bp]0' "$WORK/links"
	in_ns v1 tc class show dev u0 >"$WORK/classes"
	in_ns v1 tc class show dev vnloop0 >>"$WORK/classes"
	refuses grep -v 'class htb 1:[1-4] ' "$WORK/classes"
}

world_up
for host in v1 v2; do
	daemon_config $host 1Gbps
	daemon_start $host
done
for node in $NODES; do
	n=${node#m}
	container "$node" "$([ "$n" = 1 ] && echo v1 || echo v2)" $((10 + n)) "192.168.9.$n"
	in_ns "$node" ip link set e0 address "$(mac_of "$node")"
done
hub_up 60 20
for n in 1 2 3 4; do
	spoke_up "$n" $((10 + n)) $((20 + n))
done

test_case "every end reaches every other" case_all_pairs
test_case "a broadcast arrives once at every other end and never at the sender" case_broadcast
test_case "multicast arrives everywhere" case_multicast
test_case "what bridges keep for themselves passes here" case_link_local_groups
test_case "a frame to an unknown address goes everywhere" case_unknown_floods
test_case "a frame to a learned address goes to its end alone" case_learned
test_case "an address that moves is found at its new end" case_moves
test_case "frames of any type and tag arrive byte-identical" case_types_and_tags
test_case "TCP fills the ceiling between two ends" case_tcp
test_case "the host is not on the link" case_host_is_not_on_it
test_case "two hubs with the same addresses do not mix" case_hubs_apart
test_case "kill -9 and restart of redirectord lose no frame" case_restart_loses_nothing
test_case "what somebody removes by hand comes back" case_by_hand
test_case "a bridge or port that belongs to no row is swept" case_strays
test_case "what cannot be is refused with its code" case_refusals
test_case "nothing is left of a released hub" case_leaves_nothing
finish
