#!/bin/bash
# The resource protocol, checked by spin in full: nothing that it can do breaks an invariant. And
# the check itself, by errors put into the model: each must be found.
# Usage: check_model.sh variants|mutants
set -euo pipefail
cd "$(dirname "$0")"
MODEL=$PWD/protocol.pml
WORK=$(mktemp -d /tmp/vnode-model-XXXXXX)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK"

VARIANTS=('' -DEXPIRY -DFORGET '-DEXPIRY -DFORGET')

# Number, variant in which it must be found, what is wrong. Most are looked for without expiry: a
# hold that ends by itself tidies up after many an error.
MUTANTS='
1  -          active when all rows are merely held
2  -          committed is answered before the object is there
3  -          the room is free before the object is gone
4  -          a manager that does not answer is given up
5  -          what is committed ends by the clock
6  -          a late commit revives what was released
7  -          a call leaves before the row is stored
8  -          only rows that answered are released
9  -          release of an unknown row leaves no tombstone
10 -DFORGET   tombstones are dropped, calls below the floor are not refused
11 -          a late commit brings back older attributes
12 -          a revision is answered before it is real
13 -DEXPIRY   a reservation does not notice that a hold has ended
14 -DEXPIRY   a hold that has ended is taken once more
15 -          the room is tested without the holds of others
'

# explore LEVEL DEFINE…: spin's report, on all that the model can do, or up to the first error. An
# error is found early: there optimising would take longer than searching.
explore() {
	local level=$1
	shift
	spin -a "$@" "$MODEL" >spin.log
	gcc "$level" -DSAFETY -DNOREDUCE -DMEMLIM=2000 -o pan pan.c
	./pan -m10000 -w24
}

variants() {
	local variant states failed=0
	for variant in "${VARIANTS[@]}"; do
		# shellcheck disable=SC2086 # a variant is several words
		explore -O1 $variant >pan.log || true
		states=$(sed -n 's/^ *\([0-9e.+]*\) states, stored.*/\1/p' pan.log)
		echo "variant '$variant': $states states"
		if ! grep -q 'errors: 0$' pan.log || grep -q 'search not completed\|max search depth' pan.log; then
			cat pan.log
			# shellcheck disable=SC2086
			spin -t -p $variant "$MODEL" | tail -60 || true
			failed=1
		fi
	done
	return $failed
}

mutants() {
	local number variant what n=0 missed=0
	while read -r number variant what; do
		[ -n "$number" ] || continue
		n=$((n + 1))
		[ "$variant" != - ] || variant=
		explore -O0 "-DMUTANT=$number" ${variant:+"$variant"} >pan.log || true
		if grep -q 'errors: 1$' pan.log; then
			echo "found: $what"
		else
			echo "missed: $what"
			missed=$((missed + 1))
		fi
	done <<<"$MUTANTS"
	echo "$((n - missed)) of $n errors found"
	[ $missed = 0 ] && [ $n -ge 15 ]
}

"$1"
