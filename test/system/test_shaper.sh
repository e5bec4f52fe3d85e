#!/bin/bash
# The shaper of redirectord with real frames: what changes while traffic flows, what each mode lets
# through, what shares a queue. Bounds are wide; bench/ measures.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/redirector_world.sh"

# change N KEY=VALUE…: new attributes for the link end at v1; unnamed keys have link_up's defaults.
# Cases are processes of their own, so the revision is kept in a file: its size.
change() {
	local n=$1
	shift
	echo >>"$WORK/revisions"
	link_files "a$n" "port=$n" "key=$n" "$@"
	ctl v1 commit "$(rid "$n")" "$WORK/a$n.attr" $(($(wc -c <"$WORK/revisions") + 1))
}

# udp CLIENT ADDRESS MBPS SECONDS: offers so much of the slice's own frames; what arrived in bit/s and
# how many datagrams were lost.
udp() {
	in_ns "$1" iperf3 -u -c "$2" -l 1472 -b "$(($3 * 1000000 * 1472 / 1514))" -t "$4" -J | python3 -c '
import json, sys
end = json.load(sys.stdin)["end"]["sum"]
sent = end["packets"] - end["lost_packets"]
print(int(sent * 1514 * 8 / end["seconds"]), end["lost_packets"])'
}

arrived() { udp "$@" | cut -d' ' -f1; }

class_shows() { in_ns v1 tc class show dev u0 | grep "class htb $1 .*$2"; }

# pings_through COMMAND…: not one of 200 echo requests is lost while it runs.
pings_through() {
	local ping
	in_ns c1 ping -q -i 0.01 -c 200 192.168.9.2 >"$WORK/ping" &
	ping=$!
	"$@"
	wait "$ping"
	cat "$WORK/ping"
	grep -q ' 0% packet loss' "$WORK/ping"
}

# ---- cases -----------------------------------------------------------------------------------

change_rates() {
	local rate
	for rate in 1 16 4 18 8; do
		change 11 "rate_bps=$(wire "$rate")" "ceil_bps=$(wire "$rate")"
		sleep 0.2
	done
}

case_live_rate() {
	pings_through change_rates
	carries $((80 * 80000 * 1448 / 1514)) $((1100 * 8000 * 1448 / 1514)) \
		tcp_bps c1 192.168.9.2 2
	change 11 "rate_bps=$(wire 18)" "ceil_bps=$(wire 18)"
	carries $((80 * 180000 * 1448 / 1514)) $((1100 * 18000 * 1448 / 1514)) \
		tcp_bps c1 192.168.9.2 2
}

case_reserved_is_the_most() {
	refuses change 11 "rate_bps=$(wire 21)" "ceil_bps=$(wire 21)" >"$WORK/answer"
	grep 'more than' "$WORK/answer"
	change 11 "rate_bps=$(wire 10)" "ceil_bps=$(wire 10)"
	class_shows 1:11 "rate 10277Kbit"
}

change_modes() {
	change 11 isolation=policing "rate_bps=$(wire 10)"
	refuses class_shows 1:11 rate
	change 11 isolation=besteffort rate_bps=0
	change 11 priority=3 "rate_bps=$(wire 10)"
	class_shows 1:4011 rate
	change 11 "rate_bps=$(wire 10)"
	class_shows 1:11 rate
	refuses class_shows 1:4011 rate
}

case_live_mode() {
	pings_through change_modes
	assert_equal "" "$(ctl v1 orphans)"
}

polices_nothing() {
	local before lost
	before=$(counter v1 11 tx_dropped)
	read -r _ lost <<<"$(udp c1 192.168.9.2 1 2)"
	assert_equal 0 "$lost"
	assert_equal "$before" "$(counter v1 11 tx_dropped)"
}

case_policing() {
	local before
	change 11 isolation=policing "rate_bps=$(wire 2)" "ceil_bps=$(wire 4)"
	before=$(counter v1 11 tx_dropped)
	one_of_five polices_nothing
	carries 3200000 4800000 arrived c1 192.168.9.2 12 2
	[ "$(counter v1 11 tx_dropped)" -gt $((before + 200)) ]
	assert_equal 0 "$(counter v1 11 queue_drops)"
}

# The port's 40 Mbit/s: up to 30 for the shaped link d1 to d2, the rest for what has no guarantee.
shares_the_port() {
	local shaped got
	udp d1 192.168.8.2 34 4 >"$WORK/shaped" &
	shaped=$!
	sleep 1
	got=$(arrived c1 192.168.9.2 30 2)
	wait "$shaped"
	cat "$WORK/shaped"
	within "$got" "$(mbps 5)" "$(mbps 14)"
	within "$(cut -d' ' -f1 "$WORK/shaped")" "$(mbps 25)" "$(mbps 32)"
}

case_best_effort() {
	change 11 isolation=besteffort rate_bps=0 "ceil_bps=$(mbps 40)"
	one_of_five shares_the_port
	carries "$(mbps 24)" "$(mbps 31)" arrived c1 192.168.9.2 30 2
	change 11 "rate_bps=$(wire 10)" "ceil_bps=$(wire 10)"
}

# TCP fills the link: an echo of DSCP 46 does not wait behind it.
overtakes() {
	local low
	tcp_bps c1 192.168.9.2 4 >"$WORK/low" &
	low=$!
	sleep 1
	in_ns c1 ping -q -Q 0xb8 -c 50 -i 0.02 192.168.9.2 >"$WORK/first"
	in_ns c1 ping -q -c 50 -i 0.02 192.168.9.2 >"$WORK/rest"
	wait "$low"
	grep rtt "$WORK/first" "$WORK/rest"
	python3 - "$WORK/first" "$WORK/rest" <<-'END'
		import re, sys
		first, rest = (float(re.search("= [^/]*/([^/]*)/", open(p).read())[1]) for p in sys.argv[1:])
		sys.exit(not first * 2 < rest)
	END
}

case_priority() {
	change 11 priority=5 "rate_bps=$(wire 4)" "ceil_bps=$(wire 4)"
	one_of_five overtakes
	change 11 "rate_bps=$(wire 10)" "ceil_bps=$(wire 10)"
}

case_restart_keeps_sums() {
	local before
	before=$(in_ns v1 tc class show dev u0 | sort)
	pings_through restart_v1
	assert_equal "$before" "$(in_ns v1 tc class show dev u0 | sort)"
	assert_equal "" "$(ctl v1 orphans)"
}

restart_v1() {
	daemon_kill v1
	daemon_start v1
}

case_queues_end() {
	sed -i '/^\[shaper\]/,$d' "$WORK/v1/redirectord.conf"
	printf '[shaper]\nqueues=2\n' >>"$WORK/v1/redirectord.conf"
	restart_v1
	link_files q port=31 key=31 rate_bps=8000
	refuses ctl v1 reserve "$(rid 31)" link_end "$WORK/q.spec" >"$WORK/answer"
	cat "$WORK/answer"
	grep '^R04 .*all 2 queues' "$WORK/answer"
	link_files q port=31 key=31 rate_bps=8000 queue=none isolation=policing
	ctl v1 reserve "$(rid 31)" link_end "$WORK/q.spec"
	ctl v1 release "$(rid 31)"
}

# per PER N LEAST MOST: what one of two links N and N + 2 of a node gets of the 2 Mbit/s that each may have.
per() {
	local n
	sed -i '/^\[shaper\]/,$d' "$WORK/v1/redirectord.conf"
	printf '[shaper]\nper=%s\n' "$1" >>"$WORK/v1/redirectord.conf"
	restart_v1
	for n in $2 $(($2 + 2)); do
		container "e$n" v1 "$n" 192.168.7.1
		container "f$n" v2 $((n + 1)) 192.168.7.2
		link_up "$n" slice=s9 node=n9 "link=l$n" "rate_bps=$(wire 2)" "ceil_bps=$(wire 2)"
	done
	iperf_serve "f$2"
	carries "$3" "$4" arrived "e$2" 192.168.7.2 8 3
	link_down "$2"
	link_down $(($2 + 2))
}

# Counted by the node, one link alone has what both may have.
case_per_node() {
	per link 41 1800000 2600000
	per node 51 3600000 5000000
}

case_leaves_nothing() {
	link_down 11
	link_down 21
	assert_equal "" "$(ctl v1 orphans)"
	in_ns v1 tc class show dev u0 >"$WORK/classes"
	refuses grep -v 'class htb 1:[1-4] ' "$WORK/classes"
}

world_up
for host in v1 v2; do
	daemon_config $host 40Mbps
	daemon_start $host
done
container c1 v1 11 192.168.9.1 e0 2
container c2 v2 12 192.168.9.2
container d1 v1 21 192.168.8.1
container d2 v2 22 192.168.8.2
iperf_serve c2 d2
link_up 11 link=l1 "rate_bps=$(wire 20)" "ceil_bps=$(wire 20)"
link_up 21 link=l2 slice=s2 "rate_bps=$(mbps 12)" "ceil_bps=$(mbps 30)"
eventually 10 in_ns c1 ping -q -c 1 -W 1 192.168.9.2
eventually 10 in_ns d1 ping -q -c 1 -W 1 192.168.8.2

test_case "rate and ceiling change while frames flow" case_live_rate
test_case "no more is guaranteed than was reserved" case_reserved_is_the_most
test_case "mode and priority change while frames flow" case_live_mode
test_case "policing lets pass what is below the ceiling and drops the rest" case_policing
test_case "best effort has what is left" case_best_effort
test_case "frames of a high DSCP overtake the rest of their link" case_priority
test_case "a restart changes no class and loses no frame" case_restart_keeps_sums
test_case "queues end where the configuration says" case_queues_end
test_case "a link is limited alone, or all of a node together" case_per_node
test_case "nothing is left of released link ends" case_leaves_nothing
finish
