#!/bin/bash
# tncd and three routerds in network namespaces of their own: paths are pinned hop by hop, come
# back when somebody breaks them, and leave nothing behind.
#
#   a:u0 --- r1 --(100 Mbps, 1 ms)-- r2 --- b:u0
#             `-------- r3 ---------'            (1 Gbps, 2 + 2 ms)
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BIN=${BUILD:-$ROOT/build}
WORK=$(mktemp -d /tmp/vnode-test-tnc-XXXXXX)
PREFIX=tnc-$$
CLIENT=$BIN/test/tnc_client
N_FAILED=0

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
	cable b u0 10.64.0.5 r2 p0 10.64.0.6
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

is_dead() {
	local pid
	pid=$(<"$WORK/$1/pid")
	! [ -d "/proc/$pid" ] || grep -q '^State:[[:space:]]*Z' "/proc/$pid/status"
}

client() {
	local what=$1
	shift
	in_ns ctl "$CLIENT" "$what" 10.63.0.1:7702 "$WORK" "$@"
}

# share RATE [LINE...]: the lines of a share from a to b
share() {
	printf '%s\n' slice=s link=l a=a:u0 b=b:u0 "rate_ab_bps=$1" "rate_ba_bps=$1" latency_us=0 "${@:2}"
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

# Until the command succeeds; fails after ten seconds.
eventually() {
	local end=$((SECONDS + 10))
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

test_case() {
	local sentence=$1 status=0
	shift
	(
		trap - EXIT
		set -e
		"$@"
	) >"$WORK/case.log" 2>&1 &
	wait $! || status=$? # in the background: inside an `||` list bash ignores `set -e`
	if [ $status = 0 ]; then
		echo "ok $sentence"
		return
	fi
	echo "FAILED $sentence"
	sed 's/^/    /' "$WORK/case.log"
	tail -n 20 "$WORK"/*/log | sed 's/^/    | /'
	N_FAILED=$((N_FAILED + 1))
}

all_up() {
	[ "$(client routers | grep -c ' up$')" = 3 ]
}

no_routes() {
	[ -z "$(routes r1)$(routes r2)$(routes r3)" ]
}

no_paths() {
	[ -z "$(client paths)" ]
}

no_orphans() {
	[ -z "$(client orphans)" ]
}

# endpoints RID: gives both hosts the path's addresses, as a user of the path would.
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

a_path_is_made() {
	reserve 1 80000000 >"$WORK/s1"
	equal "$(value state <"$WORK/s1")" held
	equal "$(value next_hop_a <"$WORK/s1")" 10.64.0.2
	equal "$(value next_hop_b <"$WORK/s1")" 10.64.0.6
	equal "$(value latency_us <"$WORK/s1")" 3000
	client commit 1 >"$WORK/c1"
	equal "$(value real <"$WORK/c1")" 1
	equal "$(client paths | cut -d' ' -f2-6)" "ACTIVE a:u0 b:u0 10.65.0.1 10.65.0.2"
	endpoints "$WORK/s1"
	ping_path "$WORK/s1"
}

a_second_way_is_taken_when_the_first_is_full() {
	reserve 2 80000000 >"$WORK/s2"
	client commit 2
	equal "$(value latency_us <"$WORK/s2")" 6000
	equal "$(client paths | wc -l)" 2
	endpoints "$WORK/s2"
	ping_path "$WORK/s1" >"$WORK/ping1"
	ping_path "$WORK/s2" >"$WORK/ping2"
	equal "$(grep -c 'ttl=62' "$WORK/ping1")" 3 # two routers
	equal "$(grep -c 'ttl=61' "$WORK/ping2")" 3 # three
}

a_wish_shares_the_path() {
	reserve 3 10000000 edge=a-r1 edge=r1-r3 edge=r3-r2 edge=b-r2 >"$WORK/s3"
	client commit 3
	equal "$(value path <"$WORK/s3")" "$(value path <"$WORK/s2")"
	equal "$(client view | sed -n 's/^r1-r3 //p')" "r1 r3 910000000 910000000"
}

vnode() {
	VNODE_CONFIG=$WORK/config.ini "$BIN/bin/vnode" "$@"
}

noc_config() {
	"$CLIENT" issue "$WORK" noc staff 10.63.0.1
	printf '%s\n' '[vnode]' context=noc '[context noc]' "tnc=unix:$WORK/ctl/tncd.sock" \
		"ca=$WORK/ca.crt" "cert=$WORK/noc-staff.crt" "key=$WORK/noc-staff.key" >"$WORK/config.ini"
}

the_noc_is_told_where_a_path_could_run() {
	local path code=0
	noc_config
	vnode path candidates a b --rate 15Mbps | tee "$WORK/ways"
	equal "$(sed -n '2,3s/ .*//p' "$WORK/ways" | tr '\n' ' ')" "r1 r1 "
	grep -q '^r1 r2  *a-r1 r1-r2 b-r2  *3 ms  *3  *20 Mbps  *-$' "$WORK/ways"
	vnode path candidates a b --rate 50Mbps --metric widest --k 1 --json | tee "$WORK/json"
	grep -q '"hops": "r1 r3 r2"' "$WORK/json"
	vnode path candidates a b --rate 50Mbps --latency 4ms 2>"$WORK/why" || code=$?
	cat "$WORK/why"
	equal "$code" 6
	grep -q '^  link r1-r2 lacks 30 Mbps$' "$WORK/why"
	grep -q '^  try: --rate 20000kbps$' "$WORK/why"
	grep -q '^  try: --latency 6000us$' "$WORK/why"
	path=$(value path <"$WORK/s1")
	vnode path show "$path" | grep -q '^links  *a-r1 r1-r2 b-r2$'
	if vnode path candidates a b 2>"$WORK/why"; then return 1; fi
	if vnode path show none 2>"$WORK/why"; then return 1; fi
	grep -q "there is no transport path 'none'" "$WORK/why"
}

a_refusal_names_the_best_offer() {
	if reserve 4 2000000000 >"$WORK/s4"; then return 1; fi
	equal "$(value code <"$WORK/s4")" R03
	grep -q "the best offer is 830 Mbps" "$WORK/s4"
}

a_reserve_may_be_repeated() {
	reserve 1 80000000 >"$WORK/again"
	equal "$(value address_a <"$WORK/again")" "$(value address_a <"$WORK/s1")"
	equal "$(client view | sed -n 's/^r1-r2 //p')" "r1 r2 20000000 20000000"
}

a_deleted_route_comes_back() {
	in_ns r1 ip route del 10.65.0.2/32
	eventually ping_path "$WORK/s1"
	in_ns r1 ip route replace 10.65.0.2/32 via 10.64.0.14 proto 118
	eventually is_direct
}

is_direct() {
	routes r1 | grep -q '^10.65.0.2 via 10.64.0.10 dev p1'
}

a_strange_route_is_swept() {
	in_ns r2 ip route add 10.65.0.77/32 via 10.64.0.9 proto 118
	eventually gone r2 10.65.0.77
}

gone() {
	! routes "$1" | grep -q "^$2 "
}

everything_survives_kill() {
	local paths
	paths=$(client paths)
	stop ctl
	stop r2
	in_ns r2 ip route flush proto 118
	start r2 routerd
	start ctl tncd
	eventually client paths
	equal "$(client paths)" "$paths"
	eventually ping_path "$WORK/s1"
	eventually ping_path "$WORK/s2"
	eventually no_orphans
}

a_router_that_lost_its_rows_gets_them_again() {
	stop r1
	rm -rf "$WORK/r1/state"
	in_ns r1 ip route flush proto 118
	start r1 routerd
	eventually ping_path "$WORK/s1"
	eventually no_orphans
}

a_shared_path_outlives_one_share() {
	client release 2
	equal "$(client paths | wc -l)" 2
	ping_path "$WORK/s2"
	client release 3
	eventually one_path
	eventually gone r3 10.65.0.4
}

one_path() {
	[ "$(client paths | wc -l)" = 1 ]
}

# tncd dies at each of its points; whether the verb came through or not, rows and routers agree
# afterwards and a release takes all away.
death_at_every_point() {
	local point rid=1000
	for point in tnc.path.before tnc.path.after manager.reserve.before manager.reserve.after \
		controller.admit.after; do
		rid=$((rid + 1))
		die_at $point $rid reserve $rid 900000000
	done
	for point in tnc.release.before tnc.release.after manager.remove.after \
		manager.released.before; do
		rid=$((rid + 1))
		reserve $rid 900000000
		client commit $rid
		die_at $point $rid client release $rid
	done
}

# die_at POINT RID COMMAND...
die_at() {
	local point=$1 rid=$2
	shift 2
	echo "point $point"
	stop ctl
	start ctl tncd "VNODE_CRASH=$point:1"
	eventually all_up
	"$@" || true
	eventually is_dead ctl
	start ctl tncd
	eventually all_up
	eventually no_orphans
	client release "$rid"
	eventually one_path
	eventually no_orphans
}

nothing_stays() {
	client release 1
	eventually no_paths
	eventually no_routes
	eventually no_orphans
	equal "$(client view | awk 'NR > 1 { print $1, $4, $5 }')" "a-r1 1000000000 1000000000
b-r2 1000000000 1000000000
r1-r2 100000000 100000000
r1-r3 1000000000 1000000000
r3-r2 1000000000 1000000000"
}

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

test_case "all routers say hello" eventually all_up
test_case "a committed share has a path that carries packets" a_path_is_made
test_case "a second way is taken when the first is full, and each path keeps to its hops" \
	a_second_way_is_taken_when_the_first_is_full
test_case "a wish for the same hops shares the path and its capacity" a_wish_shares_the_path
test_case "where a path could run, and why not, is told on the command line" \
	the_noc_is_told_where_a_path_could_run
test_case "what does not fit is refused with the best offer" a_refusal_names_the_best_offer
test_case "a repeated reserve answers the same and charges once" a_reserve_may_be_repeated
test_case "a route that was deleted or changed by hand comes back" a_deleted_route_comes_back
test_case "a route that belongs to no row is swept" a_strange_route_is_swept
test_case "kill -9 of tncd and a routerd loses nothing" everything_survives_kill
test_case "a router that lost its database gets its rows again" \
	a_router_that_lost_its_rows_gets_them_again
test_case "a path goes with its last share, not before" a_shared_path_outlives_one_share
test_case "tncd dies at each fault point: rows and routers agree afterwards" death_at_every_point
test_case "after the last release nothing stays" nothing_stays

[ $N_FAILED = 0 ]
