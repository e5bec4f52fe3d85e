# The tests, in stages: cheap ones first. Every stage ends with its own `N passed, N failed`, the
# whole with the sum.
# shellcheck shell=bash

# stage, how it is run, with what, when: always, or only in `check long`
CHECK_STAGES='
lint     ctest    lint     always
unit     ctest    unit     always
fault    ctest    fault    always
model    ctest    model    always
clang    build    clang    always
asan     preset   asan     always
analyze  build    analyze  always
tidy     tidy     dev      always
system   scripts  system   always
tsan     preset   tsan     long
valgrind memcheck unit     long
sweep    ctest    sweep    long
'
PASSED=0 FAILED=0

check_run() {
	local stage how what when wanted=" $* "
	case ${1:-} in
	--list) awk 'NF { print $1 }' <<<"$CHECK_STAGES" && return ;;
	esac
	check_known "$@"
	[[ $wanted != *" long "* ]] || export VNODE_KILL_MOMENTS=10
	cd "$ROOT" || exit 1
	# A test that runs in a process group of its own would outlive us.
	trap 'kill $(jobs -p) 2>/dev/null; exit 143' INT TERM
	if ! "$ROOT/testbed" build; then
		say "0 passed, 1 failed"
		return 1
	fi
	while read -r stage how what when <&3; do
		[ -n "$stage" ] || continue
		if [ $# = 0 ]; then
			[ "$when" = always ] || continue
		elif [[ $wanted != *" $stage "* && $wanted != *" long "* ]]; then
			continue
		fi
		check_stage "$stage" "$how" "$what"
	done 3<<<"$CHECK_STAGES"
	say
	say "$PASSED passed, $FAILED failed"
	[ $FAILED = 0 ] && [ $PASSED -gt 0 ]
}

check_known() {
	local stage
	for stage in "$@"; do
		[ "$stage" = long ] || grep -q "^$stage " <<<"$CHECK_STAGES" ||
			die "no stage '$stage'; see ./testbed check --list"
	done
}

# Runs one stage; its log goes to build/check/STAGE.log and, when something failed, to the screen.
check_stage() {
	local log=$ROOT/build/check/$1.log passed failed started=$SECONDS
	mkdir -p "$ROOT/build/check"
	say "== $1"
	"check_$2" "$3" >"$log" 2>&1 || true
	read -r passed failed < <(tail -1 "$log")
	[[ "$passed $failed" =~ ^[0-9]+\ [0-9]+$ ]] || { passed=0 failed=1; }
	# A stage that tests nothing has not passed.
	[ $((passed + failed)) -gt 0 ] || failed=1
	[ "$failed" = 0 ] || check_show "$log"
	PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed))
	say "$1: $passed passed, $failed failed ($((SECONDS - started)) s)"
}

# What went wrong, from a stage's log: of each test that failed under ctest, the lines that are
# neither log nor of cases that passed; or the lines that say so, without the compilers' command lines.
check_show() {
	if grep -q '^Test project' "$1"; then
		awk '
			/^[0-9]+: / && !/(^[0-9]+: *|\.\.\.)passed$| info / { n = $1 + 0; last[n, count[n]++ % 40] = $0 }
			/ Test +#[0-9]+: .*\*\*\*/ {
				match($0, /#[0-9]+/); n = substr($0, RSTART + 1, RLENGTH - 1) + 0
				print
				for (i = count[n] > 40 ? count[n] - 40 : 0; i < count[n]; i++) print "    " last[n, i % 40]
			}' "$1"
	else
		grep -E '^FAILED [^ ]|error:|warning:|^    ' "$1" | grep -v ' -Wall ' | head -60 || tail -40 "$1"
	fi
	say "the whole log: $1"
}

# All tests of a label. CUnit programs count by their tests, others as one.
check_ctest() {
	local folder=${2:-$ROOT/build}
	ctest --test-dir "$folder" -V -j "$(nproc)" -L "^$1\$" | tee "$folder/ctest.log" || true
	check_count <"$folder/ctest.log"
}

check_count() {
	awk '
		/^[0-9]+: +tests +[0-9]/ { n = $1 + 0; passed[n] = $5; failed[n] = $6 }
		/ Test +#[0-9]+: / {
			match($0, /#[0-9]+/); n = substr($0, RSTART + 1, RLENGTH - 1) + 0
			if ($0 ~ / Passed +[0-9.]+ sec/) p += passed[n] ? passed[n] : 1
			else { p += passed[n]; f += failed[n] ? failed[n] : 1 }
		}
		END { print p + 0, f + 0 }'
}

check_configure() {
	cmake --preset "$1" && cmake --build "$ROOT/build-$1" -- -k 0
}

# Another compiler or the analyzer: passes when everything builds, warnings being errors.
check_build() {
	if check_configure "$1"; then echo 1 0; else echo 0 1; fi
}

# The unit tests and those with faults in another build, for instance with sanitizers.
check_preset() {
	if ! check_configure "$1"; then
		echo 0 1
		return
	fi
	check_ctest '(unit|fault)' "$ROOT/build-$1"
}

# All sources that the compiler reads but those in build; programs for BPF are for another target.
check_tidy() {
	if run-clang-tidy-14 -p "$ROOT/build" -quiet "^$ROOT/(?!build)" | sed "s/\x1b\[[0-9;]*m//g"; then
		echo 1 0
	else
		echo 0 1
	fi
}

check_memcheck() {
	local program passed=0 failed=0
	for program in "$ROOT"/build/test/test_*; do
		if (cd "$ROOT" && valgrind -q --error-exitcode=99 --leak-check=full \
			--errors-for-leak-kinds=definite "$program"); then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			echo "FAILED valgrind $program"
		fi
	done
	echo "$passed $failed"
}

# Each script prints a line `ok SENTENCE` or `FAILED SENTENCE` for every test in it. Those that say
# `# measures nothing` in their head run two at a time, the others alone.
check_scripts() {
	local passed=0 failed=0 ok bad running=0 script
	local -a crowd alone
	mapfile -t crowd < <(grep -l '^# measures nothing$' "$ROOT/test/$1"/test_*)
	mapfile -t alone < <(grep -L '^# measures nothing$' "$ROOT/test/$1"/test_*)
	for script in "${crowd[@]}"; do
		[ $running -lt 2 ] || { wait -n && running=1; }
		check_script "$script" &
		running=$((running + 1))
	done
	wait
	for script in "${alone[@]}"; do
		check_script "$script" &
		wait
	done
	for script in "${crowd[@]}" "${alone[@]}"; do
		read -r ok bad <"$ROOT/build/check/${script##*/}.sum"
		passed=$((passed + ok)) failed=$((failed + bad))
	done
	echo "$passed $failed"
}

# One of them: what it printed, when it has ended.
check_script() {
	local name=${1##*/} status=0 started=$SECONDS ok bad
	local log=$ROOT/build/check/$name.log
	trap 'kill $(jobs -p) 2>/dev/null; exit 143' INT TERM
	echo "0 1" >"$ROOT/build/check/$name.sum"
	timeout -k 30 1800 "$1" >"$log" 2>&1 &
	wait $! || status=$?
	ok=$(grep -c '^ok ' "$log" || true)
	bad=$(grep -c '^FAILED ' "$log" || true)
	if [ "$bad" = 0 ] && { [ $status != 0 ] || [ "$ok" = 0 ]; }; then
		echo "FAILED $name ended with status $status after $ok tests" >>"$log"
		bad=1
	fi
	echo "$ok $bad" >"$ROOT/build/check/$name.sum"
	printf -- '-- %s\n%s\n%s s\n' "$name" "$(<"$log")" $((SECONDS - started))
}
