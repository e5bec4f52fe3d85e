#!/bin/bash
# Slices that are changed into what another document says while they run: links get more and less,
# links and nodes come and go, and not one frame of what is not touched, or is touched without harm,
# is lost. What cannot be had, and a controller that dies in the middle, leave the whole old slice
# or make the whole new one.
# shellcheck source=test/system/lib.sh
. "$(dirname "$0")/lib.sh"

# document NAME [EDIT…]: the ring with a port of n1 to spare, edited
document() {
	sed -e 's|<vport name="to3"/></vports>|<vport name="to3"/><vport name="spare"/></vports>|' "${@:2}" \
		"$ROOT/examples/ring.xml" >"$WORK/$1.xml"
}

modify() {
	vnode slice modify bench-ring "$WORK/$1.xml" --yes --wait "${@:2}"
}

# rate NAME MBPS: a document in which all links have so much
rate() {
	document "$1" -e "s/value=\"20Mbps\"/value=\"$2Mbps\"/"
}

# One more node and a link to it, on the port to spare.
with_n4() {
	document n4 \
		-e 's|</linkSlivers>|<linkSliver name="l14" subtype="GRE"><vports><vport name="e1"/><vport name="e2"/></vports><resources><resource key="bandwidth" value="5Mbps"/></resources></linkSliver>&|' \
		-e 's|</nodeSlivers>|<nodeSliver name="n4"><instance type="prog" subtype="SlowPath_VM"><resources><resource key="memory" value="64MiB"/></resources><params><param key="bootImage" value="image:container-minimal"/><param key="userData" value="ip addr add 10.1.14.4/24 dev to1"/></params></instance><vports><vport name="to1"/></vports></nodeSliver>&|' \
		-e 's|</structure>|<bind name="b7"><vport slivername="n1" portname="spare"/><vport slivername="l14" portname="e1"/></bind><bind name="b8"><vport slivername="l14" portname="e2"/><vport slivername="n4" portname="to1"/></bind>&|'
}

# value LINK NAME
value() {
	vnode link list --slice bench-ring --json | jq -r ".links[] | select(.name == \"$1\") | .$2"
}

state() {
	vnode slice list --json | jq -r '.slices[] | select(.name == "bench-ring") | .state'
}

no_orphans() {
	local found
	found=$(vnode orphans) && [ -z "$found" ] || { echo "$found" && return 1; }
}

ping_from() {
	vnode node exec "bench-ring/$1" -- ping -c 1 -W 3 "$2"
}

# ping_through NODE ADDRESS FILE: as fast as it goes, as long as a change takes
ping_through() {
	vnode node exec "bench-ring/$1" --timeout 120s -- ping -f -c "${4:-6000}" -i 0.002 -q "$2" >"$WORK/$3" &
}

lost_nothing() {
	cat "$WORK/$1"
	grep -q ' 0% packet loss' "$WORK/$1"
}

a_plan_is_shown_and_nothing_done() {
	rate more 30
	vnode slice modify bench-ring "$WORK/more.xml" --plan | tee "$WORK/plan"
	grep -Eq '^link l12 .*hitless .*30Mbps, was 20Mbps' "$WORK/plan"
	assert_equal 20000000 "$(value l12 rate_ab_bps)"
	refuses vnode slice modify bench-ring "$WORK/more.xml" </dev/null
	assert_equal RUNNING "$(state)"
}

# Above what was reserved: other shares, other link ends at the same ports.
rates_rise_and_fall_under_traffic() {
	local mbps
	ping_through n1 10.1.12.2 ping12
	ping_through n2 10.1.23.3 ping23
	for mbps in 30 60 20; do
		rate other "$mbps"
		modify other
		assert_equal "${mbps}000000" "$(value l12 rate_ab_bps)"
		assert_equal "${mbps}000000" "$(value l12 reserved_ba_bps)"
		assert_equal open "$(value l12 state)"
	done
	wait
	lost_nothing ping12
	lost_nothing ping23
	eventually 15 no_orphans
}

nodes_and_links_come_and_go() {
	with_n4
	ping_through n1 10.1.12.2 ping12
	ping_through n2 10.1.23.3 ping23
	modify n4
	vnode node exec bench-ring/n1 -- ip addr add 10.1.14.1/24 dev spare
	vnode node exec bench-ring/n1 -- ip link set spare up
	eventually 20 ping_from n1 10.1.14.4
	assert_equal 4 "$(vnode node list --slice bench-ring --json | jq '.nodes | length')"
	rate same 20
	modify same
	refuses ping_from n1 10.1.14.4
	wait
	lost_nothing ping12
	lost_nothing ping23
	eventually 15 no_orphans
}

a_restart_wants_a_word() {
	local status=0
	document bigger -e '0,/value="64MiB"/s//value="96MiB"/'
	modify bigger || status=$?
	assert_equal 5 "$status"
	ping_through n2 10.1.23.3 ping23
	modify bigger --restart
	eventually 30 ping_from n1 10.1.12.2
	wait
	lost_nothing ping23
	rate same 20
	modify same --restart
	eventually 30 ping_from n1 10.1.12.2
	eventually 15 no_orphans
}

what_cannot_be_had_changes_nothing() {
	local before status=0
	before=$(value l12 key)
	rate much 90000
	ping_through n1 10.1.12.2 ping12 1000
	modify much || status=$?
	assert_equal 6 "$status"
	wait
	lost_nothing ping12
	assert_equal "$before" "$(value l12 key)"
	assert_equal RUNNING "$(state)"
	no_orphans
}

deaths() {
	grep -c "program=sncd status=137" "$(host_state ctl)/log/host.log" || true
}

# Starts sncd anew, so that it dies at the given moment; without one it does not any more.
arm() {
	local pid
	[ -z "${1:-}" ] || echo "VNODE_CRASH=$1" >"$(host_state ctl)/etc/sncd.env"
	eventually 20 on ctl pidof sncd
	pid=$(on ctl pidof sncd)
	on ctl kill -9 "$pid" || true
	eventually 20 answers "$pid"
}

answers() {
	local now
	now=$(on ctl pidof sncd) && [ "$now" != "$1" ] && all_up && vnode path list >/dev/null
}

all_up() {
	[ "$(vnode host list --json | jq '[.hosts[] | select(.state == "up")] | length')" = 4 ]
}

# Killed wherever it may be: when it is back the slice is the old one or the new one, as a whole.
killed_in_the_middle() {
	local mbps=20 moment before
	for moment in snc.modify.before:1 snc.modify.after:1 controller.call.before:2 controller.tick.before:3 \
		controller.tick.after:4 snc.modify.switch:1 controller.tick.before:7 snc.modify.finish:1 controller.tick.after:10; do
		arm "$moment"
		before=$(deaths)
		mbps=$((mbps + 1))
		rate killed "$mbps"
		vnode slice modify bench-ring "$WORK/killed.xml" --yes || true
		eventually 30 is_whole
		rm -f "$(host_state ctl)/etc/sncd.env"
		echo "$moment: $(($(deaths) - before)) deaths, $(value l12 rate_ab_bps)"
		eventually 30 ping_from n1 10.1.12.2
		eventually 30 no_orphans
	done
	[ "$(deaths)" -ge 10 ]
	arm
}

# All three links as the one document has them, or all as the other.
is_whole() {
	local rates
	[ "$(state)" = RUNNING ] || return 1
	rates=$(for link in l12 l23 l31; do value "$link" rate_ab_bps; done | sort -u)
	[ "$(wc -l <<<"$rates")" = 1 ]
}

a_slice_goes_step_by_step() {
	vnode slice delete bench-ring --yes --wait
	vnode slice define "$WORK/same.xml"
	assert_equal DEFINED "$(state)"
	vnode slice reserve bench-ring --wait
	assert_equal RESERVED "$(state)"
	rate other 40
	modify other
	assert_equal RESERVED "$(state)"
	vnode slice run bench-ring --wait
	eventually 30 ping_from n1 10.1.12.2
	assert_equal 40000000 "$(value l12 rate_ab_bps)"
	vnode slice stop bench-ring --wait
	modify same
	assert_equal STOPPED "$(state)"
	vnode slice run bench-ring --wait
	eventually 30 ping_from n1 10.1.12.2
	assert_equal 20000000 "$(value l12 reserved_ab_bps)"
	vnode slice delete bench-ring --yes --wait
	eventually 15 no_orphans
}

# pair NAME MBPS: a slice of one link between koganei and nagoya; there are two routes of 200 Mbps
pair() {
	cat >"$WORK/$1.xml" <<-XML
		<slice-design version="1.0"><slicespec name="$1"><sliverdef>
		<linkSlivers><linkSliver name="l1" type="link" subtype="GRE">
		<vports><vport name="e1"/><vport name="e2"/></vports>
		<resources><resource key="bandwidth" value="$2Mbps"/></resources>
		</linkSliver></linkSlivers>
		<nodeSlivers>$(pair_node a 1)$(pair_node b 2)</nodeSlivers></sliverdef><structure>
		<bind name="b1"><vport slivername="a" portname="p"/><vport slivername="l1" portname="e1"/></bind>
		<bind name="b2"><vport slivername="l1" portname="e2"/><vport slivername="b" portname="p"/></bind>
		</structure></slicespec><mapping slice="$1"><aggregate name="local">
		<amap node="a" vnode="koganei"/><amap node="b" vnode="nagoya"/>
		</aggregate></mapping></slice-design>
	XML
}

pair_node() {
	cat <<-XML
		<nodeSliver name="$1"><instance type="prog" subtype="SlowPath_VM">
		<resources><resource key="memory" value="64MiB"/></resources><params>
		<param key="bootImage" value="image:container-minimal"/>
		<param key="userData" value="ip addr add 10.2.1.$2/24 dev p"/>
		</params></instance><vports><vport name="p"/></vports></nodeSliver>
	XML
}

pings() {
	vnode node exec "$1/a" -- ping -c 1 -W 3 10.2.1.2
}

ping_pair() {
	vnode node exec "$1/a" --timeout 120s -- ping -f -c 3000 -i 0.002 -q 10.2.1.2 >"$WORK/ping-$1" &
}

# hitless_moves N: so many would be made.
hitless_moves() {
	assert_equal "$1" "$(vnode slice optimise --plan --json | jq '[.moves[] | select(.way == "hitless")] | length')"
}

# Each route has 90 of its 200 Mbps taken: 150 go nowhere, unless the two links share one.
links_make_room() {
	local status=0 name
	for name in $(vnode slice list --json | jq -r '.slices[].name'); do
		vnode slice delete "$name" --yes --wait
	done
	for name in one two; do
		pair "$name" 90
		vnode slice create "$WORK/$name.xml" --wait
		eventually 30 pings "$name"
	done
	pair large 150
	vnode slice check "$WORK/large.xml" || status=$?
	assert_equal 6 "$status"
	refuses vnode slice optimise </dev/null
	eventually 15 hitless_moves 1
	ping_pair one
	ping_pair two
	vnode slice optimise --yes
	wait
	lost_nothing ping-one
	lost_nothing ping-two
	eventually 15 vnode slice check "$WORK/large.xml"
	vnode slice create "$WORK/large.xml" --wait
	eventually 30 pings large
	pings one
	eventually 15 hitless_moves 0
	for name in one two large; do
		vnode slice delete "$name" --yes --wait
	done
	eventually 15 no_orphans
}

testbed up >"$WORK/up.log" 2>&1 || { cat "$WORK/up.log"; exit 1; }
document first
vnode slice create "$WORK/first.xml" --wait
eventually 30 ping_from n1 10.1.12.2
eventually 30 ping_from n2 10.1.23.3
test_case "a plan is shown, and nothing is done" a_plan_is_shown_and_nothing_done
test_case "rates rise and fall above what was reserved, no frame is lost" rates_rise_and_fall_under_traffic
test_case "nodes and links come and go, the others lose nothing" nodes_and_links_come_and_go
test_case "a node begins anew only when that is allowed" a_restart_wants_a_word
test_case "what cannot be had changes nothing" what_cannot_be_had_changes_nothing
test_case "a controller killed in the middle leaves a whole slice" killed_in_the_middle
test_case "a slice is defined, reserved, run and stopped, and modified in each" a_slice_goes_step_by_step
test_case "links move together, no frame is lost, and what did not fit fits" links_make_room
finish
