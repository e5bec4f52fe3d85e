#!/bin/bash
# What can be seen of a virtual link's ends: counters by cause, the queue, rates, and captures that others'
# programs decode. redirectord alone, fed by hand: two hosts in network namespaces.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/redirector_world.sh"

RATE=20000000

# capture HOST N FILE KEY=VALUE…: in the background, begun when this returns; its end is waited for by
# captured. What it says of itself is in FILE.says.
capture() {
	local host=$1 number=$2 file=$WORK/$3
	shift 3
	: >"$file"
	"$TOOLS/managerctl" "unix:$WORK/$host/run/redirectord.sock" "redirector.$host.vnode" \
		"$WORK" capture "$(rid "$number")" "$@" >"$file" 2>"$file.says" &
	CAPTURE=$!
	eventually 5 test -s "$file"
}

captured() {
	wait "$CAPTURE"
}

# fields FILE FIELD…: of every frame, as tshark decodes it; comma-separated.
fields() {
	local file=$WORK/$1 name options=()
	shift
	for name in "$@"; do
		options+=(-e "$name")
	done
	tshark -r "$file" -T fields -E separator=, "${options[@]}" 2>/dev/null
}

pings() { in_ns "$1" ping -q -c "$3" -i 0.02 -W 1 "$2"; }

# more_than NUMBER COMMAND…: it prints a greater one.
more_than() {
	local least=$1 got
	shift
	got=$("$@")
	[ "$got" -gt "$least" ] || { echo "$got is not more than $least: $*" && return 1; }
}

# refused WORD VERB…: redirectord of v1 does not do it, and says so.
refused() {
	local word=$1
	shift
	refuses ctl v1 "$@" >"$WORK/refused"
	grep "$word" "$WORK/refused"
}

# send_tagged NAME COUNT: frames with three tags, which no link carries.
send_tagged() {
	in_ns "$1" python3 - "$2" <<-'END'
		import socket, sys
		out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		out.bind(("e0", 0))
		frame = bytes.fromhex("0200000000ff" "0200000000fe" "88a80064" "81000065" "81000066" "88b5")
		for _ in range(int(sys.argv[1])):
		    out.send(frame + bytes(100))
	END
}

# ---- counters --------------------------------------------------------------------------------

case_causes() {
	local before
	send_tagged c1 7
	eventually 5 more_than 6 counter v1 11 tx_unfit
	in_ns c1 ip link set e0 mtu 1600
	in_ns c1 "$TOOLS/rawframe" send e0 88b5 1503 5 1
	eventually 5 more_than 4 counter v1 11 tx_oversize
	in_ns c1 ip link set e0 mtu 1500
	sed 's/^open=.*/open=off/' "$WORK/a11.attr" >"$WORK/closed.attr"
	ctl v1 commit "$(rid 11)" "$WORK/closed.attr" 2
	before=$(counter v1 11 tx_frames)
	in_ns c1 "$TOOLS/rawframe" send e0 88b5 200 9 1
	eventually 5 more_than 8 counter v1 11 tx_closed
	in_ns c2 "$TOOLS/rawframe" send e0 88b5 200 4 1
	eventually 5 more_than 3 counter v1 11 rx_closed
	assert_equal "$(counter v1 11 tx_frames)" "$before"
	ctl v1 commit "$(rid 11)" "$WORK/a11.attr" 3
}

# What is offered beyond the ceiling waits, and then is dropped; both can be seen, and so can the rate.
case_queue() {
	local counts
	in_ns c1 iperf3 -c 192.168.9.2 -u -b 20M -P 6 -l 1400 -t 4 >/dev/null &
	eventually 5 more_than 10000 counter v1 11 queue_bytes
	counts=$(ctl v1 counters "$(rid 11)" 1000)
	wait $!
	echo "$counts"
	within "$(sed -n 's/^tx_bps=//p' <<<"$counts")" $((RATE / 2)) $((10 * RATE))
	within "$(sed -n 's/^over_us=//p' <<<"$counts")" 1000000 2000000
	more_than 0 sed -n 's/^queue_frames=//p' <<<"$counts"
	more_than 0 sed -n 's/^dropped_fps=//p' <<<"$counts"
	more_than 0 counter v1 11 queue_drops
	within "$(ctl v2 counters "$(rid 12)" 300 | sed -n 's/^rx_bps=//p')" 0 "$RATE"
	eventually 5 assert_equal "$(counter v1 11 queue_bytes)" 0
}

case_unknown() {
	refused "not_found" counters "$(rid 4711)"
}

# ---- captures --------------------------------------------------------------------------------

case_icmp() {
	capture v1 11 icmp.pcapng filter=icmp frames=6
	pings c1 192.168.9.2 5
	captured
	grep "as many frames" "$WORK/icmp.pcapng.says"
	fields icmp.pcapng icmp.type ip.src ip.dst frame.packet_flags_direction | head -2 >"$WORK/two"
	printf '%s\n' 8,192.168.9.1,192.168.9.2,0x00000002 0,192.168.9.2,192.168.9.1,0x00000001 >"$WORK/wanted"
	assert_same_file "$WORK/wanted" "$WORK/two"
	assert_equal "$(fields icmp.pcapng frame.number | wc -l)" 6
	assert_equal "$(fields icmp.pcapng frame.interface_name | sort -u)" n.p
	# The time of a frame is the time of day.
	within "$(fields icmp.pcapng frame.time_epoch | head -1)" $(($(date +%s) - 20)) "$(date +%s.999)"
	tshark -r "$WORK/icmp.pcapng" -Y _ws.malformed 2>/dev/null >"$WORK/malformed"
	refuses test -s "$WORK/malformed"
	tcpdump -r "$WORK/icmp.pcapng" 2>/dev/null | grep -c 'ICMP echo' | grep -x 6
}

# The other end sees the same frames, the other way round.
case_other_end() {
	capture v2 12 other.pcapng filter="icmp and received" frames=3
	pings c1 192.168.9.2 4
	captured
	assert_equal "$(fields other.pcapng icmp.type | sort -u)" 8
	assert_equal "$(fields other.pcapng frame.packet_flags_direction | sort -u)" 0x00000001
}

case_filter() {
	capture v1 11 port.pcapng filter="tcp and port 5201 and host 192.168.9.2" frames=50
	pings c1 192.168.9.2 5
	in_ns c1 iperf3 -c 192.168.9.2 -t 1 >/dev/null
	captured
	assert_equal "$(fields port.pcapng ip.proto | sort -u)" 6
	assert_equal "$(fields port.pcapng tcp.port | grep -vc 5201)" 0
	capture v1 11 none.pcapng filter="udp and port 4711" ms=300
	pings c1 192.168.9.2 5
	captured
	grep "0 seen" "$WORK/none.pcapng.says"
	refused "'and' was expected before 'or'" capture "$(rid 11)" filter="tcp or udp"
}

# Tags are shown as the node sent them, wherever the kernel keeps them.
case_tags() {
	capture v1 11 tags.pcapng filter="ether 0x88b5" frames=3
	in_ns c1 "$TOOLS/rawframe" send e0 100:88b5 300 3 1
	captured
	assert_equal "$(fields tags.pcapng vlan.id | sort -u)" 100
	assert_equal "$(fields tags.pcapng frame.len | sort -u)" 318
}

case_snaplen() {
	capture v1 11 short.pcapng filter="ether 0x88b5" snaplen=64 frames=2
	in_ns c1 "$TOOLS/rawframe" send e0 88b5 1500 2 1
	captured
	assert_equal "$(fields short.pcapng frame.len frame.cap_len | sort -u)" 1514,64
}

case_bytes() {
	capture v1 11 bytes.pcapng filter="ether 0x88b5" bytes=1000
	in_ns c1 "$TOOLS/rawframe" send e0 88b5 286 5 1
	captured
	grep "as many bytes" "$WORK/bytes.pcapng.says"
	assert_equal "$(fields bytes.pcapng frame.len | wc -l)" 3
}

# Two at once, each with its own filter.
case_two() {
	local first
	capture v1 11 one.pcapng filter=icmp frames=4
	first=$CAPTURE
	capture v1 11 two.pcapng filter="ether 0x88b5" frames=2
	pings c1 192.168.9.2 3
	in_ns c1 "$TOOLS/rawframe" send e0 88b5 200 2 1
	wait "$first"
	captured
	assert_equal "$(fields one.pcapng eth.type | sort -u)" 0x0800
	assert_equal "$(fields two.pcapng eth.type | sort -u)" 0x88b5
}

case_device() {
	ip -n "$PREFIX-v1" link add mirror0 type veth peer name mirror1
	ip -n "$PREFIX-v1" link set mirror0 up
	ip -n "$PREFIX-v1" link set mirror1 up
	in_ns v1 tcpdump -i mirror1 -c 4 -w "$WORK/mirror.pcap" icmp 2>"$WORK/mirror.says" &
	eventually 5 grep -q listening "$WORK/mirror.says"
	capture v1 11 device.pcapng filter=icmp device=mirror0 ms=3000
	pings c1 192.168.9.2 4
	wait %tcpdump 2>/dev/null || true
	captured
	assert_equal "$(fields mirror.pcap icmp.type | sort -u | tr '\n' ' ')" "0 8 "
	refused "not_found" capture "$(rid 11)" device=nosuch0
	ip -n "$PREFIX-v1" link del mirror0
}

# Is any link end's tap on? Bit 15 of the flags.
is_tapped() {
	bpftool -j map dump pinned "$(echo "$WORK"/v1/run/bpf/redirect-*/vn_departures)" |
		python3 -c '
import json, sys
flags = [int(b, 16) for e in json.load(sys.stdin) for b in e["value"][25:26]]
sys.exit(not any(f & 0x80 for f in flags))'
}

case_reader_killed() {
	capture v1 11 killed.pcapng filter=icmp
	is_tapped
	kill -KILL "$CAPTURE"
	eventually 15 refuses is_tapped
}

case_daemon_killed() {
	capture v1 11 killed.pcapng filter=icmp
	is_tapped
	daemon_kill v1
	pings c1 192.168.9.2 5
	daemon_start v1
	refuses is_tapped
	pings c1 192.168.9.2 5
}

# drops_written FILE: its last block counts more than no drops. tshark keeps what it says of them to itself.
drops_written() {
	python3 - "$1" <<-'END'
		import struct, sys
		block = open(sys.argv[1], "rb").read()
		size, = struct.unpack("<I", block[-4:])
		block = block[-size:]
		kind, _, _, _, _ = struct.unpack("<IIIII", block[:20])
		assert kind == 5, kind
		at, drops = 20, None
		while at < size - 4:
		    code, length = struct.unpack("<HH", block[at:at + 4])
		    if code == 5:
		        drops, = struct.unpack("<Q", block[at + 4:at + 12])
		    at += 4 + (length + 3) // 4 * 4
		print("dropped", drops)
		sys.exit(not drops)
	END
}

# Nobody waits for a slow reader: what finds no room is counted, and the file says so.
case_slow_reader() {
	capture v1 11 slow.pcapng snaplen=32768 ms=4000
	kill -STOP "$CAPTURE"
	in_ns c1 "$TOOLS/rawframe" send e0 88b5 1500 6000 1
	kill -CONT "$CAPTURE"
	captured
	more_than 0 sed -n 's/.* \([0-9]*\) dropped/\1/p' "$WORK/slow.pcapng.says"
	drops_written "$WORK/slow.pcapng"
}

case_limit() {
	local i pids=()
	for i in 1 2 3 4 5 6 7 8; do
		capture v1 11 "many$i.pcapng" ms=6000 "by=user$((i % 2))"
		pids+=("$CAPTURE")
		[ "$i" != 7 ] || refused "limit a host has 8 captures" capture "$(rid 11)" by=user1
	done
	refused "limit a host has 8 captures" capture "$(rid 11)"
	wait "${pids[@]}"
}

world_up
daemon_config v1 1Gbps
daemon_config v2 1Gbps
daemon_start v1
daemon_start v2
container c1 v1 11 192.168.9.1
container c2 v2 12 192.168.9.2
link_up 11 "rate_bps=$RATE" "ceil_bps=$RATE"
iperf_serve c2
eventually 10 pings c1 192.168.9.2 1

test_case "drops are counted by their cause" case_causes
test_case "queue, its drops and rates are told" one_of_five case_queue
test_case "counters of an unknown link end are refused" case_unknown
test_case "a capture is a pcapng stream that others decode" case_icmp
test_case "the other end sees what arrives" case_other_end
test_case "a filter lets through what it says" case_filter
test_case "tags are where the node put them" case_tags
test_case "of long frames the beginning is kept" case_snaplen
test_case "a cap of bytes ends a capture" case_bytes
test_case "two captures have a filter each" case_two
test_case "copies go to a device" case_device
test_case "more captures than 8 are refused" case_limit
test_case "a slow reader loses frames, and is told" case_slow_reader
test_case "without its reader a capture ends" case_reader_killed
test_case "without redirectord it ends, and none is on afterwards" case_daemon_killed
finish
