# For the system tests: an own testbed named after the test, cases that print `ok` or `FAILED`,
# and clean removal however the test ends. A test sources this file, calls `test_case SENTENCE
# COMMAND...` any number of times and ends with `finish`.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TEST=$(basename "$0" .sh)
# The same name in every run, so that a run cleans up after one that was killed; another in another
# checkout.
TESTBED=${TEST#test_}
TESTBED=${TESTBED//[^a-z0-9]/}
TESTBED=${TESTBED:0:10}t$(cksum <<<"$ROOT" | cut -c1-4)
WORK=$(mktemp -d "/tmp/vnode-$TEST-XXXXXX")
N_FAILED=0

trap at_end EXIT
trap 'exit 1' INT TERM

at_end() {
	testbed down >/dev/null 2>&1 || true
	rm -rf "$WORK"
}

testbed() {
	"$ROOT/testbed" --name "$TESTBED" "$@"
}

on() {
	local host=$1
	shift
	testbed exec "$host" -- "$@"
}

vnode() {
	VNODE_TESTBED=$TESTBED "$ROOT/vnode" "$@"
}

host_state() {
	printf '/var/lib/vnode-testbed/%s/%s' "$TESTBED" "$1"
}

# Runs a command as one test. What it printed is shown when it fails.
test_case() {
	local sentence=$1 status=0
	shift
	# In the background: bash would ignore `set -e` inside an `||` list.
	(
		trap - EXIT
		"$@"
	) >"$WORK/case.log" 2>&1 &
	wait $! || status=$?
	if [ $status = 0 ]; then
		echo "ok $sentence"
		return
	fi
	echo "FAILED $sentence"
	sed 's/^/    /' "$WORK/case.log"
	N_FAILED=$((N_FAILED + 1))
}

finish() {
	[ $N_FAILED = 0 ]
	exit
}

# Waits at most $1 seconds until a command succeeds.
eventually() {
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || { echo "never came true: $*" && return 1; }
		sleep 0.05
	done
}

assert_equal() {
	[ "$1" = "$2" ] || { printf 'expected: %s\n     got: %s\n' "$1" "$2" && return 1; }
}

assert_same_file() {
	diff -u "$1" "$2"
}

refuses() {
	! "$@" || { echo "succeeded: $*" && return 1; }
}
