#!/bin/bash
# What real traffic has that breaks data planes: each kind of frame and device once, through real
# redirectords.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/redirector_world.sh"

at_end() {
	umount "$WORK/bpf" 2>/dev/null || true
	world_down
}

# How much TCP a path must carry to show that large frames get through: a path that loses them
# stands still.
enough() { carries "$(mbps 40)" inf tcp_bps "$@"; }

# tags_on CONTAINER N / tags_off CONTAINER
tags_on() {
	in_ns "$1" tc qdisc add dev e0 clsact
	in_ns "$1" tc filter add dev e0 egress bpf da pinned "$WORK/bpf/tags/push_$2"
	in_ns "$1" tc filter add dev e0 ingress bpf da pinned "$WORK/bpf/tags/pop_$2"
}

tags_off() { in_ns "$1" tc qdisc del dev e0 clsact; }

# ---- cases -----------------------------------------------------------------------------------

tagged_tcp_passes() {
	tags_on c1 "$1"
	tags_on c2 "$1"
	ping_passes c1 192.168.9.2
	enough c1 192.168.9.2 2
	ping_passes c1 fd00::2
	enough c1 fd00::2 1
	tags_off c1
	tags_off c2
}

case_arp() {
	in_ns c1 ip neigh flush dev e0
	ping_passes c1 192.168.9.2
	ip -n "$PREFIX-c1" neigh show 192.168.9.2 | grep lladdr
}

case_ipv6_gso() { enough c1 fd00::2 2; }

# Datagrams that the kernel cuts late (UDP_SEGMENT) arrive as single ones, complete and in order.
case_udp_gso() {
	in_ns c2 python3 - >"$WORK/udp" <<-'PYTHON' &
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
		s.bind(("192.168.9.2", 5000))
		s.settimeout(5)
		print("ready", flush=True)
		got = b"".join(s.recv(65536)[:1400] for _ in range(200))
		print("good" if got == b"".join(bytes([n]) * 1400 for n in range(20)) * 10 else "bad")
	PYTHON
	local receiver=$!
	eventually 5 grep -q ready "$WORK/udp"
	in_ns c1 python3 - <<-'PYTHON'
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.setsockopt(socket.SOL_UDP, 103, 1400)  # UDP_SEGMENT
		for _ in range(10):
		    s.sendto(b"".join(bytes([n]) * 1400 for n in range(20)), ("192.168.9.2", 5000))
	PYTHON
	wait "$receiver"
	grep good "$WORK/udp"
}

case_software_segmentation() {
	in_ns v1 ethtool -K u0 tx-gre-segmentation off tx-gre-csum-segmentation off tso off gso off
	enough c1 192.168.9.2 2
	enough c1 fd00::2 1
	in_ns v1 ethtool -K u0 tx-gre-segmentation on tx-gre-csum-segmentation on tso on gso on
	assert_equal 0 "$(in_ns c2 nstat -asz TcpInCsumErrors | sed -n 's/^TcpInCsumErrors *\([0-9]*\).*/\1/p')"
}

# A container may ask for any class: its wish ends at its port.
case_spoofed_priority() {
	local before
	before=$(class_bytes 1:21)
	in_ns c1 python3 - <<-'PYTHON'
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, 0x10021)
		for _ in range(200):
		    s.sendto(bytes(1000), ("192.168.9.2", 9))
	PYTHON
	assert_equal "$before" "$(class_bytes 1:21)"
}

class_bytes() {
	in_ns v1 tc -s class show dev u0 classid "$1" | sed -n 's/^ *Sent \([0-9]*\) bytes.*/\1/p'
}

# A guest's tap takes no large frames and no unfinished checksums.
case_tap() {
	local relay port
	port=vn$(rid 21)
	ns_make g1
	"$ROOT/test/support/tap_relay.py" "$PREFIX-v1" "$port" "$PREFIX-g1" e0 >"$WORK/relay" &
	relay=$!
	eventually 5 grep -q ready "$WORK/relay"
	ip -n "$PREFIX-v1" link set "$port" up
	ip -n "$PREFIX-g1" link set e0 up
	ip -n "$PREFIX-g1" addr add 192.168.19.1/24 dev e0
	link_up 21
	ping_passes g1 192.168.19.2
	carries "$(mbps 5)" inf tcp_bps g1 192.168.19.2 2
	carries "$(mbps 5)" inf tcp_bps g1 192.168.19.2 2 -R
	link_down 21
	kill "$relay"
}

# Frames as large as the path's devices allow, not one byte more; the sender is told by the count.
case_too_large_for_the_underlay() {
	container d1 v1 31 192.168.29.1
	link_files big port=31 key=31 mtu=1559
	refuses end_up v1 31 big
	ctl v1 status | grep "^$(rid 31) " | grep '1600'
	ctl v1 release "$(rid 31)"
}

case_fragments() {
	local before after
	before=$(malformed)
	in_ns rt python3 - <<-'PYTHON'
		import socket, struct
		s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
		s.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
		def send(fragment, gre):
		    payload = gre + bytes(60)
		    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, fragment, 64,
		        47, 0, socket.inet_aton("10.65.0.1"), socket.inet_aton("10.65.0.2"))
		    s.sendto(header + payload, ("10.65.0.2", 0))
		key = struct.pack("!HHI", 0x2000, 0x6558, 11)
		send(0x2000, key)                                              # more fragments
		send(0x0010, key)                                              # a later fragment
		send(0, struct.pack("!HHII", 0xa000, 0x6558, 0, 11))           # checksum
		send(0, struct.pack("!HHII", 0x3000, 0x6558, 11, 0))           # sequence number
		send(0, struct.pack("!HH", 0, 0x6558))                         # no key
		send(0, struct.pack("!HHI", 0x2000, 0x0800, 11))               # no Ethernet inside
	PYTHON
	after=$(malformed)
	assert_equal 6 $((after - before))
}

malformed() { ctl v2 doctor | sed -n 's/^strays good .* \([0-9]*\) malformed.*/\1/p'; }

world_up
for host in v1 v2; do
	daemon_config $host 1Gbps
	daemon_start $host
done
mkdir "$WORK/bpf"
mount -t bpf bpf "$WORK/bpf"
bpftool prog loadall "$TOOLS/tags.bpf.o" "$WORK/bpf/tags"
container c1 v1 11 192.168.9.1
container c2 v2 12 192.168.9.2
container d2 v2 22 192.168.19.2
for n in 1 2; do
	ip -n "$PREFIX-c$n" addr add "fd00::$n/64" dev e0 nodad
done
iperf_serve c2 d2
link_up 11

test_case "ARP" case_arp
test_case "IPv6 TCP in large frames" case_ipv6_gso
test_case "UDP in large frames" case_udp_gso
test_case "802.1Q inside, TCP in large frames" tagged_tcp_passes 1
test_case "802.1ad and 802.1Q inside, TCP" tagged_tcp_passes 2
test_case "an underlay device that segments in software" case_software_segmentation
test_case "a class asked for by the node is not given" case_spoofed_priority
test_case "a tap without off-loads" case_tap
test_case "an mtu that the underlay cannot carry is refused" case_too_large_for_the_underlay
test_case "fragments and other forms of GRE are dropped and counted" case_fragments
finish
