#!/bin/bash
# What the simulator is worth: errors are put into the engine and the store, one at a time, and each
# must break an invariant within a bounded number of schedules, which the engine as it is survives.
# An error is test/fault/mutants/NAME.mutant: a line that says what it breaks, the file, and lines
# (-) with what stands there instead (+). They must be there exactly once, indented however. In
# mutants/rare are those that take longer to be found.
# Usage: check_mutants.sh BUILD often|all|NAME…
set -euo pipefail
MUTANTS=$(cd "$(dirname "$0")" && pwd)/mutants
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$(cd "$1" && pwd)
shift
SEEDS=60 # an error that survives more of them is too rare for each check
SEEDS_RARE=2000
WORK=$BUILD/mutants

say() {
	printf '%s\n' "$*"
}

without_indent() {
	sed 's/^[ \t]*//' "$1"
}

# mutate MUTANT SOURCE: the source with the error in it.
mutate() {
	local text line from='' to='' n=0
	text=$(without_indent "$2")
	replace() {
		local rest=${text#*"$from"}
		[ -n "$from" ] || return 0
		[ "$rest" != "$text" ] || { say "nothing stands in $2 like: $from" >&2; return 1; }
		[ "${rest#*"$from"}" = "$rest" ] || { say "more than once in $2: $from" >&2; return 1; }
		text=${text%%"$from"*}$to$rest
		n=$((n + 1)) from='' to=''
	}
	while IFS= read -r line; do
		case $line in
		-*) from+=${from:+$'\n'}${line#-} ;;
		+*) to+=${to:+$'\n'}${line#+} ;;
		'') replace "$@" || return 1 ;;
		esac
	done <"$1"
	replace "$@" || return 1
	[ $n -gt 0 ] && printf '%s\n' "$text"
}

# build FOLDER SOURCE MUTATED: the simulator with one file compiled anew, which hides its brother in
# the library. The commands are those of the build itself.
build() {
	local compile link
	compile=$(sed -n "s| -o [^ ]* -c $ROOT/$2\$||p" "$WORK/commands" | head -1)
	link=$(grep -- ' -o test/engine_sim ' "$WORK/commands" | sed 's/^: && //; s/ && :$//')
	[ -n "$compile" ] && [ -n "$link" ] || { say "no command builds $2" >&2; return 1; }
	compile=${compile% -MD *}
	link=${link/ -o test\/engine_sim / "$1/mutant.o" -o "$1/engine_sim" }
	(cd "$BUILD" && eval "$compile -w -O1 -o $1/mutant.o -c $3" && eval "$link") >"$1/build.log" 2>&1
}

# hunt SIMULATOR LOG: true when an invariant was broken; ends with the first.
hunt() {
	local test
	for test in whatever_happens_nothing_is_lost_or_leaked an_error_of_any_call_of_the_disk_is_survived \
		rows_that_kill_take_nobody_with_them a_crash_at_any_point_is_survived; do
		VNODE_SEEDS=$SEEDS VNODE_STOP=1 "$1" $test >>"$2" 2>&1 || true
		! grep -q 'violated: ' "$2" || return 0
	done
	return 1
}

# try NAME: 0 when it was caught.
try() {
	local mutant folder=$WORK/$1 source what
	mutant=$(find "$MUTANTS" -name "$1.mutant")
	what=$(sed -n '1s/^# //p' "$mutant")
	[[ $mutant != */rare/* ]] || SEEDS=$SEEDS_RARE
	source=$(sed -n 's/^in //p' "$mutant")
	rm -rf "$folder"
	mkdir -p "$folder"
	if ! mutate "$mutant" "$ROOT/$source" >"$folder/${source##*/}" 2>"$folder/why"; then
		say "FAILED $1: $(cat "$folder/why")"
	elif ! build "$folder" "$source" "$folder/${source##*/}"; then
		say "FAILED $1: it does not build: $(tail -1 "$folder/build.log")"
	elif ! hunt "$folder/engine_sim" "$folder/log"; then
		say "FAILED $1: missed: $what"
	else
		say "ok $1: $(sed -n 's/.*violated: //p' "$folder/log" | head -1)"
		rm -f "$folder/engine_sim"
		return 0
	fi
	return 1
}

# The whole way with nothing changed: what is found is the error's doing.
control() {
	local folder=$WORK/control source=lib/engine/manager_verb.c
	rm -rf "$folder"
	mkdir -p "$folder"
	without_indent "$ROOT/$source" >"$folder/manager_verb.c"
	if build "$folder" "$source" "$folder/manager_verb.c" && ! hunt "$folder/engine_sim" "$folder/log" &&
		[ "$(grep -c '^passed' "$folder/log")" = 4 ]; then
		say "ok the engine as it is survives all of it"
	else
		say "FAILED the engine as it is: see $folder"
	fi
}

list() {
	find "$MUTANTS" "$@" -name '*.mutant' -printf '%f\n' | sed 's/\.mutant$//' | sort
}

main() {
	local names=("$@")
	mkdir -p "$WORK"
	ninja -C "$BUILD" -t commands test/engine_sim >"$WORK/commands"
	case $1 in
	often) mapfile -t names < <(list -maxdepth 1) ;;
	all) mapfile -t names < <(list) ;;
	esac
	[ ${#names[@]} -gt 0 ]
	{
		printf '%s\n' control "${names[@]/#/try }" | xargs -P "$(nproc)" -L 1 "$0" "$BUILD" || true
	} | tee "$WORK/report"
	say "$(grep -c '^ok ' "$WORK/report") of $((${#names[@]} + 1)) as it should be"
	! grep -q '^FAILED' "$WORK/report" &&
		[ "$(grep -c '^ok ' "$WORK/report")" = $((${#names[@]} + 1)) ]
}

case $1 in
control | try) "$@" || true ;;
*) main "$@" ;;
esac
