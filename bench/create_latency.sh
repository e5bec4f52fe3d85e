#!/bin/bash
# How long from `vnode slice create` to the first ping answered on every link, for a ring of three
# containers on a warm testbed? Wants a median below 2 s. Needs `./testbed up`.
# Usage: bench/create_latency.sh [RUNS]
set -euo pipefail
. "$(dirname "$0")/ring_lib.sh"
SLICE=bench-ring RUNS=${1:-5}

now_ms() {
	date +%s%3N
}

# One ping at a time until it is answered, from inside the node: no time is lost between.
first_ping() {
	in_node "$1" sh -c "until ping -c 1 -W 0.1 -q $2 >/dev/null 2>&1; do :; done"
}

trap '"$VNODE" slice delete "$SLICE" --yes --wait >/dev/null 2>&1 || true' EXIT
totals=() creates=()
for ((i = 0; i < RUNS; i++)); do
	start=$(now_ms)
	"$VNODE" slice create "$ROOT/examples/ring.xml" --wait >/dev/null 2>"/tmp/vnode-bench-$$"
	running=$(now_ms)
	pids=()
	first_ping n1 10.1.12.2 & pids+=($!)
	first_ping n2 10.1.23.3 & pids+=($!)
	first_ping n3 10.1.31.1 & pids+=($!)
	wait "${pids[@]}"
	end=$(now_ms)
	totals+=($((end - start))) creates+=($((running - start)))
	[ "$i" -gt 0 ] || { echo "## steps of the first run" && cat "/tmp/vnode-bench-$$"; }
	"$VNODE" slice delete "$SLICE" --yes --wait >/dev/null 2>&1
done
rm -f "/tmp/vnode-bench-$$"
echo "## command to RUNNING: ${creates[*]} ms, median $(median "${creates[@]}") ms"
echo "## command to first ping on every link: ${totals[*]} ms, median $(median "${totals[@]}") ms (wanted below 2000)"
within "$(median "${totals[@]}")" 0 2000
