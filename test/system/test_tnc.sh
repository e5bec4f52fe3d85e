#!/bin/bash
# tncd and three routerds in network namespaces of their own (tnc_world.sh): paths are pinned hop by
# hop with their rates, come back when somebody breaks them, and leave nothing behind.
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/tnc_world.sh"
N_FAILED=0

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

no_routes() {
	[ -z "$(routes r1)$(routes r2)$(routes r3)" ]
}

no_paths() {
	[ -z "$(client paths)" ]
}

no_orphans() {
	[ -z "$(client orphans)" ]
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

# classes ROUTER PORT: rate and ceiling of each path's class, in order
classes() {
	in_ns "$1" tc class show dev "$2" |
		sed -n 's/^class htb 1:1[0-9a-f][0-9a-f] .* rate \([^ ]*\) ceil \([^ ]*\) .*/\1 \2/p' | sort
}

has_classes() {
	equal "$(classes "$1" "$2")" "$3"
}

each_hop_has_a_class_of_the_rate() {
	has_classes r1 p1 "80Mbit 100Mbit"
	has_classes r1 p0 "80Mbit 1Gbit"
	has_classes r2 p1 "80Mbit 100Mbit"
	has_classes r2 p0 "80Mbit 1Gbit"
	equal "$(classes r1 p2)$(classes r3 p0)$(classes r3 p1)" ""
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

a_class_comes_back() {
	in_ns r1 tc filter del dev p1 parent 1: prio 118
	eventually is_shaped
	in_ns r1 tc qdisc del dev p0 root
	in_ns r1 tc qdisc del dev p1 root
	eventually is_shaped
	in_ns r1 tc class change dev p1 classid 1:100 htb rate 1Mbit
	in_ns r1 tc class add dev p1 parent 1:1 classid 1:1ff htb rate 1Mbit
	eventually is_shaped
}

is_shaped() {
	has_classes r1 p1 "80Mbit 100Mbit" &&
		has_classes r1 p0 "80Mbit 1Gbit
90Mbit 1Gbit" &&
		has_filters p1 0a410002 &&
		has_filters p0 "0a410001
0a410003"
}

# has_filters PORT ADDRESSES: those of r1 that have a filter there, in order
has_filters() {
	equal "$(in_ns r1 tc filter show dev "$1" | sed -n 's,.*match \([0-9a-f]*\)/ffffffff at 16.*,\1,p' | sort)" "$2"
}

dumps_as() {
	equal "$(dump "${@:2}")" "$1"
}

# The rate of the path goes up and down, its routerds die and start again: no packet is lost.
nothing_is_lost_meanwhile() {
	local pinging before
	before=$(dump)
	in_ns a ping -q -c 250 -i 0.01 -W 10 -I "$(value address_a <"$WORK/s1")" \
		"$(value address_b <"$WORK/s1")" >"$WORK/pinged" &
	pinging=$!
	reserve 5 10000000 >"$WORK/s5"
	client commit 5
	equal "$(value path <"$WORK/s5")" "$(value path <"$WORK/s1")"
	has_classes r1 p1 "90Mbit 100Mbit"
	has_classes r2 p1 "90Mbit 100Mbit"
	stop r1
	stop r2
	start r1 routerd
	start r2 routerd
	eventually no_orphans
	client release 5
	eventually has_classes r1 p1 "80Mbit 100Mbit"
	eventually has_classes r2 p1 "80Mbit 100Mbit"
	wait $pinging
	grep '250 received' "$WORK/pinged"
	eventually dumps_as "$before"
}

# Two paths with nothing in common but r1's port to r2, and both offer more than they have.
a_flood_takes_nothing_from_others() {
	PORT=u1 reserve 6 20000000 >"$WORK/s6"
	client commit 6
	equal "$(value latency_us <"$WORK/s6")" 3000
	has_classes r1 p1 "20Mbit 100Mbit
80Mbit 100Mbit"
	endpoints "$WORK/s6"
	one_of_five keeps_its_rate
	client release 6
	eventually has_classes r1 p1 "80Mbit 100Mbit"
}

# bench/path_isolation.sh measures; what is missing here is more than a busy machine explains.
keeps_its_rate() {
	local before rate dropped
	before=$(dropped)
	pour "$WORK/s1" 300 4 &
	pour "$WORK/s6" 40 4 &
	sleep 1
	rate=$(rate_of 2)
	dropped=$(dropped)
	wait
	echo "dropped $before $dropped, rate $rate"
	[ "$dropped" -gt "$before" ] && [ "$rate" -gt 19400000 ]
}

# Packets that r1's queues to r2 refused.
dropped() {
	in_ns r1 tc -s qdisc show dev p1 root | sed -n 's/.*(dropped \([0-9]*\),.*/\1/p'
}

# rate_of SECONDS: bit/s that come in at b:u1
rate_of() {
	in_ns b python3 -c '
import sys, time
def look():
    with open("/sys/class/net/u1/statistics/rx_bytes") as file:
        return int(file.read()), time.monotonic()
bytes_0, time_0 = look()
time.sleep(float(sys.argv[1]))
bytes_1, time_1 = look()
print(int((bytes_1 - bytes_0) * 8 / (time_1 - time_0)))' "$1"
}

# It succeeds once in five times: others on the machine may spoil a measurement of a few seconds.
one_of_five() {
	local n
	for n in 1 2 3 4 5; do
		(
			trap - EXIT
			"$@"
		) &
		! wait $! || return 0
	done
	return 1
}

# What a routerd finds at its start without a row goes.
nothing_without_a_row_outlives_a_start() {
	PORT=u1 reserve 7 20000000 >"$WORK/s7"
	client commit 7
	stop r1
	client release 7
	has_classes r1 p3 "20Mbit 1Gbit"
	start r1 routerd
	eventually has_classes r1 p3 ""
	eventually has_classes r1 p1 "80Mbit 100Mbit"
	eventually no_orphans
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
	equal "$(client view)" "$(<"$WORK/view")"
	dumps_as "$(<"$WORK/dump")"
}

domain_up

test_case "all routers say hello" eventually all_up
client view >"$WORK/view"
dump >"$WORK/dump"
test_case "a committed share has a path that carries packets" a_path_is_made
test_case "each hop has a class of the path's rate" each_hop_has_a_class_of_the_rate
test_case "a second way is taken when the first is full, and each path keeps to its hops" \
	a_second_way_is_taken_when_the_first_is_full
test_case "a wish for the same hops shares the path and its capacity" a_wish_shares_the_path
test_case "where a path could run, and why not, is told on the command line" \
	the_noc_is_told_where_a_path_could_run
test_case "what does not fit is refused with the best offer" a_refusal_names_the_best_offer
test_case "a repeated reserve answers the same and charges once" a_reserve_may_be_repeated
test_case "a route that was deleted or changed by hand comes back" a_deleted_route_comes_back
test_case "a route that belongs to no row is swept" a_strange_route_is_swept
test_case "classes and filters that were deleted or changed by hand come back" a_class_comes_back
test_case "the rate changes and routerds are killed: no packet is lost" nothing_is_lost_meanwhile
test_case "a path that floods takes nothing from another one at the same hop" \
	a_flood_takes_nothing_from_others
test_case "what was released while a routerd was away goes at its start" \
	nothing_without_a_row_outlives_a_start
test_case "kill -9 of tncd and a routerd loses nothing" everything_survives_kill
test_case "a router that lost its database gets its rows again" \
	a_router_that_lost_its_rows_gets_them_again
test_case "a path goes with its last share, not before" a_shared_path_outlives_one_share
test_case "tncd dies at each fault point: rows and routers agree afterwards" death_at_every_point
test_case "after the last release routers and ledger are as before" nothing_stays

[ $N_FAILED = 0 ]
