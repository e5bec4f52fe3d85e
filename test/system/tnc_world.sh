# tncd and three routerds in network namespaces of their own; sourced by test_tnc.sh and by benches.
#
#   a:u0 --- r1 --(100 Mbps, 1 ms)-- r2 --- b:u0
#   a:u1 ---' `-------- r3 ---------'  `--- b:u1      (all others 1 Gbps)
#
# Everything is named $PREFIX-… and goes away at the end.
# shellcheck shell=bash
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BIN=${BUILD:-$ROOT/build}
WORK=$(mktemp -d /tmp/vnode-test-tnc-XXXXXX)
PREFIX=tnc-$$
CLIENT=$BIN/test/tnc_client

trap at_end EXIT
trap 'exit 1' INT TERM

at_end() {
	local name
	for name in ctl r1 r2 r3; do
		stop $name
	done
	for name in ctl a b r1 r2 r3; do
		ip netns del "$PREFIX-$name" 2>/dev/null || true
	done
	rm -rf "$WORK"
}

in_ns() {
	local name=$1
	shift
	ip netns exec "$PREFIX-$name" "$@"
}

# cable NS-A PORT-A ADDRESS-A NS-B PORT-B ADDRESS-B
cable() {
	ip link add "$2" netns "$PREFIX-$1" type veth peer "$5" netns "$PREFIX-$4"
	in_ns "$1" ip addr add "$3/30" dev "$2"
	in_ns "$4" ip addr add "$6/30" dev "$5"
	in_ns "$1" ip link set "$2" up
	in_ns "$4" ip link set "$5" up
}

make_network() {
	local name i=1
	for name in ctl a b r1 r2 r3; do
		ip netns add "$PREFIX-$name"
		in_ns "$name" ip link set lo up
	done
	in_ns ctl ip link add mgmt0 type bridge
	in_ns ctl ip addr add 10.63.0.1/24 dev mgmt0
	in_ns ctl ip link set mgmt0 up
	for name in r1 r2 r3; do
		ip link add mgmt0 netns "$PREFIX-$name" type veth peer "m-$name" netns "$PREFIX-ctl"
		in_ns ctl ip link set "m-$name" master mgmt0 up
		in_ns "$name" ip addr add "10.63.0.2$i/24" dev mgmt0
		in_ns "$name" ip link set mgmt0 up
		in_ns "$name" sysctl -qw net.ipv4.ip_forward=1
		i=$((i + 1))
	done
	cable a u0 10.64.0.1 r1 p0 10.64.0.2
	cable a u1 10.64.0.21 r1 p3 10.64.0.22
	cable b u0 10.64.0.5 r2 p0 10.64.0.6
	cable b u1 10.64.0.25 r2 p3 10.64.0.26
	cable r1 p1 10.64.0.9 r2 p1 10.64.0.10
	cable r1 p2 10.64.0.13 r3 p0 10.64.0.14
	cable r3 p1 10.64.0.17 r2 p2 10.64.0.18
}

write_inventory() {
	cat >"$WORK/transport.xml" <<-END
		<?xml version="1.0" encoding="UTF-8"?>
		<transport version="1.0">
		  <pool prefix="10.65.0.0/24"/>
		  <router name="r1" address="10.63.0.21"/>
		  <router name="r2" address="10.63.0.22"/>
		  <router name="r3" address="10.63.0.23"/>
		  <host name="a"/>
		  <host name="b"/>
		  <link name="a-r1" capacity="1Gbps" latency="1ms">
		    <end node="a" port="u0" address="10.64.0.1"/><end node="r1" port="p0" address="10.64.0.2"/>
		  </link>
		  <link name="b-r2" capacity="1Gbps" latency="1ms">
		    <end node="b" port="u0" address="10.64.0.5"/><end node="r2" port="p0" address="10.64.0.6"/>
		  </link>
		  <link name="a-r1-1" capacity="1Gbps" latency="1ms">
		    <end node="a" port="u1" address="10.64.0.21"/><end node="r1" port="p3" address="10.64.0.22"/>
		  </link>
		  <link name="b-r2-1" capacity="1Gbps" latency="1ms">
		    <end node="b" port="u1" address="10.64.0.25"/><end node="r2" port="p3" address="10.64.0.26"/>
		  </link>
		  <link name="r1-r2" capacity="100Mbps" latency="1ms">
		    <end node="r1" port="p1" address="10.64.0.9"/><end node="r2" port="p1" address="10.64.0.10"/>
		  </link>
		  <link name="r1-r3" capacity="1Gbps" latency="2ms">
		    <end node="r1" port="p2" address="10.64.0.13"/><end node="r3" port="p0" address="10.64.0.14"/>
		  </link>
		  <link name="r3-r2" capacity="1Gbps" latency="2ms">
		    <end node="r3" port="p1" address="10.64.0.17"/><end node="r2" port="p2" address="10.64.0.18"/>
		  </link>
		</transport>
	END
}

# configure NS PROGRAM ROLE ADDRESS [LINE...]
configure() {
	local dir=$WORK/$1
	mkdir -p "$dir/pki"
	in_ns "$1" "$CLIENT" issue "$WORK" "$3" "$1" "${4%:*}"
	cp "$WORK/ca.crt" "$dir/pki/ca.crt"
	cp "$WORK/$3-$1.crt" "$dir/pki/$2.crt"
	cp "$WORK/$3-$1.key" "$dir/pki/$2.key"
	printf '%s\n' "[daemon]" "name=$1" "listen=$4" "socket=$dir/$2.sock" "pki=$dir/pki" \
		"state=$dir/state" "${@:5}" >"$dir/$2.conf"
}

# start NS PROGRAM [VARIABLE=VALUE]; who it is stands in a file, since tests run in subshells.
start() {
	local dir=$WORK/$1
	# No function in between: $! is to be the daemon itself, which `ip` and `env` become.
	ip netns exec "$PREFIX-$1" env ${3:+"$3"} "$BIN/bin/$2" --config "$dir/$2.conf" \
		>>"$dir/log" 2>&1 &
	echo $! >"$dir/pid"
	disown
}

stop() {
	[ -f "$WORK/$1/pid" ] || return 0
	kill -9 "$(<"$WORK/$1/pid")" 2>/dev/null || true
	eventually is_dead "$1"
}

# A zombie whose other threads still end holds its files.
is_dead() {
	local pid
	pid=$(<"$WORK/$1/pid")
	! [ -d "/proc/$pid" ] || {
		grep -q '^State:[[:space:]]*Z' "/proc/$pid/status" &&
			[ "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)" = 1 ]
	}
}

client() {
	local what=$1
	shift
	in_ns ctl "$CLIENT" "$what" 10.63.0.1:7702 "$WORK" "$@"
}

# share RATE [LINE...]: the lines of a share from a to b, from port PORT of each
share() {
	printf '%s\n' slice=s link=l "a=a:${PORT:-u0}" "b=b:${PORT:-u0}" "rate_ab_bps=$1" \
		"rate_ba_bps=$1" latency_us=0 "${@:2}"
}

reserve() {
	local rid=$1 lines
	shift
	mapfile -t lines < <(share "$@")
	client reserve "$rid" "${lines[@]}"
}

value() {
	sed -n "s/^$1=//p"
}

routes() {
	in_ns "$1" ip -4 route show proto 118
}

# Until the command succeeds; fails after half a minute.
eventually() {
	local end=$((SECONDS + 30))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

equal() {
	[ "$1" = "$2" ] || {
		printf 'wanted: %s\ngot:    %s\n' "$2" "$1"
		return 1
	}
}

all_up() {
	[ "$(client routers | grep -c ' up$')" = 3 ]
}

# endpoints ANSWER: gives both hosts the path's addresses, as a user of the path would.
endpoints() {
	local answer=$1
	in_ns a ip addr replace "$(value address_a <"$answer")/32" dev lo
	in_ns b ip addr replace "$(value address_b <"$answer")/32" dev lo
	in_ns a ip route replace "$(value address_b <"$answer")/32" via "$(value next_hop_a <"$answer")" \
		src "$(value address_a <"$answer")"
	in_ns b ip route replace "$(value address_a <"$answer")/32" via "$(value next_hop_b <"$answer")" \
		src "$(value address_b <"$answer")"
}

ping_path() {
	in_ns a ping -c 3 -i 0.05 -W 1 -I "$(value address_a <"$1")" "$(value address_b <"$1")"
}

# pour ANSWER MBPS SECONDS: UDP from a to b over the path of that answer, frames of 1442 bytes
pour() {
	local from to
	from=$(value address_a <"$1")
	to=$(value address_b <"$1")
	in_ns a python3 - "$from" "$to" "$2" "$3" <<-'END'
		import socket, sys, time
		source, to, mbps, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
		out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		out.bind((source, 0))
		payload, sent, begin = bytes(1400), 0, time.monotonic()
		while (now := time.monotonic() - begin) < seconds:
		    due = int(now * mbps * 1e6 / 8 / 1442) - sent
		    for _ in range(min(due, 256)):
		        out.sendto(payload, (to, 9))
		        sent += 1
		    if due < 256:
		        time.sleep(0.001)
	END
}

# received NS PORT: bytes of all frames that came in by a port so far
received() {
	in_ns "$1" cat "/sys/class/net/$2/statistics/rx_bytes"
}

# dump [ROUTER...]: all that routers have of routes, qdiscs, classes and filters
dump() {
	local name port
	[ $# -gt 0 ] || set -- r1 r2 r3
	for name; do
		echo "== $name"
		in_ns "$name" ip -4 route show table all | sort
		in_ns "$name" tc qdisc show
		for port in $(in_ns "$name" ls /sys/class/net); do
			in_ns "$name" tc class show dev "$port" | sort
			in_ns "$name" tc filter show dev "$port"
		done
	done
}

# domain_up: the network, tncd and the routerds, each with its certificate
domain_up() {
	local router
	make_network
	write_inventory
	"$CLIENT" issue "$WORK" snc ctl 10.63.0.1
	configure ctl tncd tnc 10.63.0.1:7702 '[tnc]' "transport=$WORK/transport.xml"
	configure r1 routerd router 10.63.0.21:7706 "controller=tnc@ctl 10.63.0.1:7702"
	configure r2 routerd router 10.63.0.22:7706 "controller=tnc@ctl 10.63.0.1:7702"
	configure r3 routerd router 10.63.0.23:7706 "controller=tnc@ctl 10.63.0.1:7702"
	start ctl tncd
	for router in r1 r2 r3; do
		start $router routerd
	done
}
