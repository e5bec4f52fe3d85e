#!/bin/bash
# Slices in time, with leases of seconds: what is booked holds its capacity over a killed sncd,
# starts and ends by itself, is warned of and renewed, and leaves nothing behind; what does not fit
# is told what would.
# measures nothing
# shellcheck source=test/system/lib.sh
. "$(dirname "$0")/lib.sh"

# pair NAME CPUS: two containers on nagoya, the first with so many CPUs
pair() {
	sed -e "s/local-pair/$1/g" -e 's/image:vm-minimal/image:container-minimal/' \
		-e "0,/value=\"256MiB\"/s//value=\"64MiB\"\/><resource key=\"cpu\" value=\"$2\"/" \
		"$ROOT/examples/local-pair.xml" >"$WORK/$1.xml"
	echo "$WORK/$1.xml"
}

state_of() {
	vnode slice show "$1" --json | jq -r '.slices[0].state'
}

is_in_state() {
	[ "$(state_of "$1")" = "$2" ]
}

is_gone() {
	[ "$(vnode slice list --json | jq '[.slices[] | select(.name == "'"$1"'")] | length')" = 0 ]
}

# told ID WHAT
told() {
	vnode event list --slice "$1" --json | jq -e --arg what "$2" 'any(.events[]; .what == $what)'
}

no_orphans() {
	local found
	found=$(vnode orphans) && [ -z "$found" ] || { echo "$found" && return 1; }
}

# What is mapped to a host in maintenance is refused, also by a sncd that was killed, told when it
# would fit, and placed when that is over.
host_in_maintenance_takes_nothing_new() {
	local status=0
	pair drained 1
	vnode host drain nagoya --until +2h --reason "new switch"
	on ctl sh -c 'kill -9 $(pidof sncd)'
	eventually 20 vnode host show nagoya
	vnode host show nagoya | grep "maintenance  until .*: new switch"
	vnode slice create "$WORK/drained.xml" >"$WORK/said" 2>&1 || status=$?
	cat "$WORK/said"
	assert_equal 6 "$status"
	grep "'nagoya' is in maintenance until .*: new switch.*\[R05\]" "$WORK/said"
	vnode slice find-slot "$WORK/drained.xml" --duration 1h | grep -- "--from $(drain_end nagoya)"
	vnode host undrain nagoya
	vnode slice check "$WORK/drained.xml"
	no_orphans
}

# drain_end HOST: as people write it
drain_end() {
	vnode host list --json | jq -r '.hosts[] | select(.name == "'"$1"'") | .maintenance' |
		sed 's/^until \([^ ]*\): .*/\1/'
}

cpus_of_nagoya() {
	vnode host list --json | jq '.hosts[] | select(.name == "nagoya") | .cpu'
}

# Booked over all CPUs but one; sncd dies at once and starts it in time all the same.
booked_slice_survives_sncd_and_runs_its_time() {
	local cpus id domains
	cpus=$(cpus_of_nagoya)
	pair later $((cpus - 1))
	domains=$(on nagoya virsh -q -c lxc:/// list --name | sort)
	vnode slice create "$WORK/later.xml" --from +12s --until +32s --wait
	id=$(vnode slice show later --json | jq -r '.slices[0].id')
	assert_equal RESERVED "$(state_of later)"
	assert_equal "$domains" "$(on nagoya virsh -q -c lxc:/// list --name | sort)"
	on ctl sh -c 'kill -9 $(pidof sncd)'
	eventually 10 is_in_state later RESERVED
	pair rival "$cpus"
	refuses vnode slice create "$WORK/rival.xml" --until +1m
	eventually 30 is_in_state later RUNNING
	eventually 20 vnode node exec later/box -- ping -c 1 -W 1 10.8.1.2
	eventually 30 told "$id" expires
	eventually 30 told "$id" expired
	eventually 30 is_gone later
	eventually 10 told "$id" deleted
	no_orphans
}

# Starts sncd anew, so that it dies by itself at the given moment.
arm() {
	local pid
	echo "VNODE_CRASH=$1" >"$(host_state ctl)/etc/sncd.env"
	pid=$(on ctl pidof sncd)
	on ctl kill -9 "$pid"
	eventually 20 answers_again "$pid"
}

answers_again() {
	local now
	now=$(on ctl pidof sncd) && [ "$now" != "$1" ] && vnode slice list
}

deaths() {
	grep -c 'program=sncd status=137' "$(host_state ctl)/log/host.log"
}

# Just before the start is durable, and just after: it is there once, with all that belongs to it.
sncd_that_dies_in_a_start_has_started_it_once() {
	local moment before
	for moment in snc.start.before:1 snc.start.after:1; do
		pair mortal 1
		arm "$moment"
		before=$(deaths)
		vnode slice create "$WORK/mortal.xml" --from +4s --until +10m --wait
		eventually 40 is_in_state mortal RUNNING
		[ "$(deaths)" -gt "$before" ]
		eventually 20 vnode node exec mortal/box -- ping -c 1 -W 1 10.8.1.2
		assert_equal 2 "$(vnode node list --slice mortal --json | jq '.nodes | length')"
		no_orphans
		vnode slice delete mortal --yes --wait
		no_orphans
	done
}

# The slot that is found is printed as create takes it, and is the first after the other's end.
slot_that_is_found_can_be_created() {
	local cpus slot
	cpus=$(cpus_of_nagoya)
	pair first $((cpus - 1))
	pair second $((cpus - 1))
	vnode slice create "$WORK/first.xml" --until +1h --wait
	refuses vnode slice check "$WORK/second.xml" --until +1m
	slot=$(vnode slice find-slot "$WORK/second.xml" --duration 30m | head -1)
	echo "$slot"
	# shellcheck disable=SC2086
	vnode slice create "$WORK/second.xml" $slot --wait
	assert_equal RESERVED "$(state_of second)"
	refuses vnode slice renew first --until +3h 2>"$WORK/refused"
	grep 'the latest end that is possible\|no later end than' "$WORK/refused"
	vnode slice delete second --yes --wait
	vnode slice renew first --until +3h
	vnode slice renew first
	assert_equal 0 "$(vnode slice show first --json | jq '.slices[0].until_ms')"
	vnode slice delete first --yes --wait
	no_orphans
}

# Everything that a document without a place is told, and nothing is touched.
refusal_says_what_would_fit() {
	local cpus status=0
	cpus=$(cpus_of_nagoya)
	pair huge $((cpus + 1))
	vnode slice check "$WORK/huge.xml" >"$WORK/said" 2>&1 || status=$?
	cat "$WORK/said"
	assert_equal 6 "$status"
	grep -E "^error: node 'vm' asks for cpu $((cpus + 1)); .*\[R01\]" "$WORK/said"
	grep -E "at .*huge.xml:[0-9]+" "$WORK/said"
	grep -E "^  node 'vm': cpu [0-9]+ instead of $((cpus + 1)), line [0-9]+" "$WORK/said"
	grep 'time alone does not help' "$WORK/said"
	is_gone huge
}

times_that_make_no_sense_are_refused() {
	local status=0
	pair odd 1
	vnode slice create "$WORK/odd.xml" --from 2020-01-01T00:00Z >"$WORK/said" 2>&1 || status=$?
	cat "$WORK/said"
	assert_equal 6 "$status"
	grep 'is in the past.*\[R05\]' "$WORK/said"
	grep -E 'at .*odd.xml:[0-9]+' "$WORK/said"
	grep 'try: leave the start out' "$WORK/said"
	refuses vnode slice create "$WORK/odd.xml" --from +2h --until +1h
	refuses vnode slice create "$WORK/odd.xml" --until 2027-02-29T00:00Z
	refuses vnode slice create "$WORK/odd.xml" --until +20h --goal DEFINED
	is_gone odd
}

# dev1 COMMAND…: as the developer
dev1() {
	vnode "$@" --context "$TESTBED-dev1"
}

nagoya_is_up() {
	vnode host list --json | jq -e 'any(.hosts[]; .name == "nagoya" and .state == "up")'
}

# Two of three CPUs are used: the second pair has to wait, also when sncd has died in between.
# It is told in whole seconds.
has_used_cpu() {
	dev1 usage --json | jq -e --arg project "$1" '.usage[] | select(.project == $project and .cpu_seconds > 0)'
}

project_keeps_its_quota_over_a_killed_sncd() {
	local status head
	vnode project create relay --user dev1
	vnode quota set relay --cpu 3
	pair one 1
	pair two 1
	dev1 slice create "$WORK/one.xml" --until +20m --wait
	assert_equal relay "$(dev1 slice show one --json | jq -r '.slices[0].project')"
	head=$(vnode audit verify | sed -n 's/^head //p')
	on ctl sh -c 'kill -9 $(pidof sncd)'
	eventually 30 vnode slice list
	status=0
	dev1 slice create "$WORK/two.xml" --until +20m >"$WORK/said" 2>&1 || status=$?
	cat "$WORK/said"
	assert_equal 9 "$status"
	grep 'cpu: 2 wanted, 2 used then, 3 allowed \[A03\]' "$WORK/said"
	dev1 slice find-slot "$WORK/two.xml" --duration 10m | grep -e '--from'
	eventually 20 has_used_cpu relay
	dev1 slice delete one --yes --wait
	eventually 60 nagoya_is_up
	dev1 slice create "$WORK/two.xml" --until +20m --wait
	dev1 slice delete two --yes --wait
	status=0
	dev1 audit list || status=$?
	assert_equal 4 "$status"
	vnode audit list --slice two --json | jq -e 'any(.records[]; .result == "ok" and .name == "dev1")'
	vnode audit list --user dev1 --json | jq -e 'any(.records[]; .result == "A03")'
	vnode audit verify --head "$head"
	vnode project delete relay
	no_orphans
}

testbed up >"$WORK/up.log" 2>&1 || { cat "$WORK/up.log"; exit 1; }
vnode slice delete hello-ring --yes --wait
test_case "a booked slice survives sncd and runs its time" booked_slice_survives_sncd_and_runs_its_time
test_case "sncd that dies in a start has started it once" sncd_that_dies_in_a_start_has_started_it_once
test_case "a slot that is found can be created, a lease renewed" slot_that_is_found_can_be_created
test_case "a refusal says what would fit" refusal_says_what_would_fit
test_case "a project keeps its quota over a killed sncd" project_keeps_its_quota_over_a_killed_sncd
test_case "a host in maintenance takes nothing new" host_in_maintenance_takes_nothing_new
test_case "times that make no sense are refused" times_that_make_no_sense_are_refused
finish
