#!/bin/bash
# kill -9 of every daemon in the middle of `slice create` and `slice delete` of a slice of
# containers, at named fault points: afterwards the slice is fully there or fully gone, and books
# and world agree. The daemon dies by itself, by SIGKILL, at the N-th passage of a point; its host
# starts it again.
# shellcheck source=test/system/lib.sh
. "$(dirname "$0")/lib.sh"

MOMENTS=${VNODE_KILL_MOMENTS:-10}
DOCUMENT=$ROOT/examples/ring.xml SLICE=bench-ring

# The fault points that a daemon passes, from the sources, each with its first passages: one moment a line.
moments() {
	local folders=$1
	# shellcheck disable=SC2086 # patterns, expanded in the root
	(cd "$ROOT" && grep -rhoE 'FAULT_POINT\("[^"]+"\)' $folders) | cut -d'"' -f2 | sort -u >"$WORK/points"
	for passage in 1 2 3; do
		sed "s/\$/:$passage/" "$WORK/points"
	done | awk -v n="$MOMENTS" '{line[NR] = $0} END {
		step = NR > n ? NR / n : 1
		for (i = 1; i <= NR && printed < n; i += step) { print line[int(i)]; printed++ }
	}'
}

deaths() {
	grep -c "program=$2 status=137" "$(host_state "$1")/log/host.log" || true
}

# Starts a daemon anew, so that it dies at the given moment.
arm() {
	local host=$1 daemon=$2 moment=$3 pid
	echo "VNODE_CRASH=$moment" >"$(host_state "$host")/etc/$daemon.env"
	pid=$(on "$host" pidof "$daemon")
	on "$host" kill -9 "$pid"
	eventually 20 answers "$host" "$daemon" "$pid"
}

answers() {
	local now
	now=$(on "$1" pidof "$2") && [ "$now" != "$3" ] && vnode host list >/dev/null && all_up
}

all_up() {
	[ "$(vnode host list --json | jq '[.hosts[] | select(.state == "up")] | length')" = 4 ]
}

slice_state() {
	vnode slice list --json | jq -r ".slices[] | select(.name == \"$SLICE\") | .state + \" \" + .progress + \" \" + (.degraded | tostring)"
}

# RUNNING, nothing under way and nothing missing; or at rest without any resource; or gone.
is_settled() {
	local state
	state=$(slice_state) || return 1
	case $state in
	'' | 'RUNNING  false' | 'DEFINED  false') ;;
	*) return 1 ;;
	esac
}

no_orphans() {
	local found
	found=$(vnode orphans) && [ -z "$found" ] || { echo "$found" && return 1; }
}

every_link_answers() {
	vnode node exec "$SLICE/n1" -- ping -c 1 -W 2 10.1.12.2 &&
		vnode node exec "$SLICE/n2" -- ping -c 1 -W 2 10.1.23.3 &&
		vnode node exec "$SLICE/n3" -- ping -c 1 -W 2 10.1.31.1
}

fully_there_or_gone() {
	eventually 60 is_settled
	case $(slice_state) in
	RUNNING*) eventually 10 every_link_answers ;;
	esac
	eventually 20 no_orphans
}

remove_slice() {
	eventually 60 slice_is_gone
	eventually 20 no_orphans
	[ -z "$(on koganei virsh -c lxc:/// list --all --name 2>/dev/null)" ]
}

slice_is_gone() {
	[ -n "$(slice_state)" ] || return 0
	vnode slice delete "$SLICE" --yes --wait --timeout 20s && [ -z "$(slice_state)" ]
}

create_with_death() {
	arm "$1" "$2" "$3"
	vnode slice create "$DOCUMENT" --wait --timeout 30s || true
	fully_there_or_gone
	remove_slice
}

delete_with_death() {
	vnode slice create "$DOCUMENT" --wait --timeout 30s
	arm "$1" "$2" "$3"
	vnode slice delete "$SLICE" --yes --wait --timeout 20s || true
	remove_slice
}

daemon_dies_well() {
	local host=$1 daemon=$2 folders=$3 moment before
	before=$(deaths "$host" "$daemon")
	while read -r moment <&3; do
		test_case "$daemon killed at $moment of a create" create_with_death "$host" "$daemon" "$moment"
		test_case "$daemon killed at $moment of a delete" delete_with_death "$host" "$daemon" "$moment"
	done 3< <(moments "$folders")
	# Each moment is one kill to arm; most must have been reached, or the test tests nothing.
	test_case "$daemon died in at least half of the moments" \
		test $(($(deaths "$host" "$daemon") - before)) -ge $((MOMENTS * 3))
}

testbed up --no-slice >"$WORK/up.log" 2>&1 || { cat "$WORK/up.log"; exit 1; }
daemon_dies_well ctl sncd 'snc lib/engine/controller*'
daemon_dies_well ctl tncd 'tnc/*.c lib/engine'
daemon_dies_well koganei redirectord 'redirector lib/engine/manager*'
daemon_dies_well koganei programmerd 'programmer lib/engine/manager*'
finish
