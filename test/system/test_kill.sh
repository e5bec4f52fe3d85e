#!/bin/bash
# kill -9 of every daemon in the middle of `slice create` and `slice delete` of a slice of
# containers, at named fault points: afterwards the slice is fully there or fully gone, and books
# and world agree. The daemon dies by itself, by SIGKILL, at the N-th passage of a point; its host
# starts it again.
# measures nothing
# shellcheck source=test/system/lib.sh
. "$(dirname "$0")/lib.sh"

MOMENTS=${VNODE_KILL_MOMENTS:-4}
DOCUMENT=$ROOT/examples/ring.xml SLICE=bench-ring

# The moments at which a daemon may die, from the fault points in its sources: first passages first,
# a moment a line, and the points of a passage mixed, so that the first few are not all of one
# file. What only a hold's end, a sweep, a lease or a modify passes lies on the way of neither.
moments() {
	local folders=$1 way=$2 passage
	# shellcheck disable=SC2086
	(cd "$ROOT" && grep -rhoE 'FAULT_POINT\("[^"]+"\)' $folders) | cut -d'"' -f2 | sort -u |
		grep -Ev 'expire|sweep|snc[.](start|renew|modify|change)|merge|part|evict|readmit|resume' >"$WORK/points"
	case $way in
	create) sed -i -E '/release|remove|delete/d' "$WORK/points" ;;
	delete) sed -i -E '/admit|reserve|commit|ensure|define|[.]put|[.]run/d' "$WORK/points" ;;
	esac
	for passage in 1 2 3 4 5 6; do
		sort -R --random-source=<(yes "$way") "$WORK/points" | sed "s/\$/:$passage/"
	done
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
	now=$(on "$1" pidof "$2") && [ "$now" != "$3" ] && all_up && vnode path list >/dev/null
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
	eventually 5 no_containers
}

no_containers() {
	local left
	left=$(on koganei virsh -q -c lxc:/// list --all --name) && [ -z "$left" ] || { echo "left: $left" && return 1; }
}

# No answer is no proof.
slice_is_gone() {
	local state
	state=$(slice_state) || return 1
	[ -n "$state" ] || return 0
	vnode slice delete "$SLICE" --yes --wait --timeout 20s && return 1
}

# Did it die? If not it is started anew, so that the moment does not lie in wait for the next case.
has_died() {
	local host=$1 daemon=$2 before=$3
	[ "$(deaths "$host" "$daemon")" -gt "$before" ] && return
	on "$host" sh -c "kill -9 \$(pidof $daemon)" || true
	return 1
}

# Its host starts a daemon that died often a little later each time.
all_answer() {
	all_up && vnode path list >/dev/null && [ -z "$(vnode orphans)" ]
}

create_with_death() {
	eventually 30 all_answer
	eventually 60 slice_is_gone
	arm "$1" "$2" "$3"
	deaths "$1" "$2" >"$WORK/deaths"
	vnode slice create "$DOCUMENT" --wait --timeout 30s || true
	fully_there_or_gone
	remove_slice
}

delete_with_death() {
	eventually 30 all_answer
	eventually 60 slice_is_gone
	vnode slice create "$DOCUMENT" --wait --timeout 30s
	arm "$1" "$2" "$3"
	deaths "$1" "$2" >"$WORK/deaths"
	vnode slice delete "$SLICE" --yes --wait --timeout 20s || true
	remove_slice
}

# Goes through the moments until the daemon has died at so many of them on the way of this operation,
# or at each of its points and then at none: it has one row only to care for.
daemon_dies() {
	local host=$1 daemon=$2 folders=$3 way=$4 moment n=0 passage=1 n_before=0
	while [ "$n" -lt "$MOMENTS" ] && read -r moment <&3; do
		if [ "${moment##*:}" != "$passage" ]; then
			[ "$n" -gt "$n_before" ] || break
			passage=${moment##*:} n_before=$n
		fi
		test_case "$daemon killed at $moment of a $way" "${way}_with_death" "$host" "$daemon" "$moment"
		! has_died "$host" "$daemon" "$(cat "$WORK/deaths")" || n=$((n + 1))
	done 3< <(moments "$folders" "$way")
	test_case "$daemon died at $MOMENTS moments of a $way, or at all there are" has_died_enough "$n"
}

has_died_enough() { [ "$1" = "$MOMENTS" ] || [ "$1" = "$(wc -l <"$WORK/points")" ]; }

# A container of which programmerd dies each time that it is to be made: it finds that out, and the slice
# beside it comes up. Mended, it makes that one, too.
one_node_kills_and_the_others_come_up() {
	local always
	always=$(host_state koganei)/etc/programmerd.always.env
	eventually 60 all_answer
	sed 's/bench-ring/deadly/; s/64MiB/77MiB/' "$DOCUMENT" >"$WORK/deadly.xml"
	echo 'VNODE_CRASH=manager.ensure/memory_bytes=80740352' >"$always"
	on koganei sh -c 'kill -9 $(pidof programmerd)'
	eventually 60 all_answer
	vnode slice create "$WORK/deadly.xml" --wait --timeout 180s >"$WORK/deadly.out" 2>&1 && return 1
	grep -q O07 "$WORK/deadly.out" || { cat "$WORK/deadly.out" && return 1; }
	vnode slice create "$DOCUMENT" --wait --timeout 180s
	eventually 60 every_link_answers
	rm "$always"
	on koganei sh -c 'kill -9 $(pidof programmerd)'
	eventually 60 all_up
	eventually 60 vnode host retry koganei
	vnode slice delete deadly --yes --wait --timeout 180s || true
	vnode slice create "$WORK/deadly.xml" --wait --timeout 180s
	vnode slice delete deadly --yes --wait --timeout 180s
	remove_slice
}

testbed up --no-slice >"$WORK/up.log" 2>&1 || { cat "$WORK/up.log"; exit 1; }
for way in create delete; do
	daemon_dies ctl sncd 'snc lib/engine/controller* lib/store' $way
	daemon_dies ctl tncd 'tnc lib/engine lib/store --exclude-dir=routerd' $way
	daemon_dies koganei redirectord 'redirector lib/engine/manager* lib/store' $way
	daemon_dies koganei programmerd 'programmer lib/engine/manager* lib/store' $way
done
test_case 'a container that kills programmerd is set aside, and the others come up' \
	one_node_kills_and_the_others_come_up
finish
