#!/bin/bash
# sncd, alone with N_HOSTS VNodes whose drivers do nothing (test/support/many_managers.c), in a network
# namespace of its own: admissions a second of CLIENTS clients on an empty domain and on one that holds
# HELD slices of NODES nodes, each linked with each, memory, and the start after kill -9. The state of sncd is on the
# disk of STATE, that of the others in memory.
#     bench/admissions.sh [HELD [N_HOSTS [CLIENTS [NODES]]]]
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
HELD=${1:-10000} N_HOSTS=${2:-8} CLIENTS=${3:-32} NODES=${4:-5}
SAMPLE=$((HELD / 20)) BOOKED=2000
if [ -z "${VNODE_BENCH_INSIDE:-}" ]; then
	VNODE_BENCH_INSIDE=1 exec unshare --net -- bash "$0" "$@"
fi
ip link set lo up
ulimit -n $((N_HOSTS > 400 ? 20000 : 12000))
WORK=$(mktemp -d /dev/shm/vnode-admissions-XXXXXX)
STATE=$(mktemp -d "${STATE:-/tmp}/vnode-admissions-XXXXXX")
DOMAIN=$WORK/domain
ln -s "$STATE" "$WORK/state"
SNCD='' MANY=()
: >"$WORK/acknowledged"

at_end() {
	for pid in $SNCD "${MANY[@]}"; do
		kill -9 "$pid" 2>/dev/null || true
	done
	wait 2>/dev/null || true
	rm -rf "$WORK" "$STATE"
}
trap at_end EXIT
trap 'exit 1' INT TERM

say() { printf '%s\n' "$*"; }
client() { "$ROOT/build/bench/admissions" "$DOMAIN" "$@"; }
memory() { awk '/^VmRSS/ {rss = $2} /^VmHWM/ {top = $2} END {printf "memory %d MB, at most %d MB\n", rss / 1024, top / 1024}' "/proc/$SNCD/status"; }
used_by() { cat "${@/%//stat}" | awk '{n += $14 + $15} END {print n}'; } # processor time, in 10 ms
used_by_all() { awk '/^cpu / {print $2 + $3 + $4 + $7 + $8 + $9}' /proc/stat; } # by whoever

# create PREFIX N [IN_S]: what it took, and what of it went to sncd, to the hosts and to the machine in all
create() {
	local from sncd many all n
	from=$(date +%s%N) sncd=$(used_by "/proc/$SNCD") many=$(used_by "${MANY[@]/#//proc/}") all=$(used_by_all)
	n=$(wc -l <"$WORK/acknowledged")
	client create "$WORK/acknowledged" "$2" "$CLIENTS" "$1" "$NODES" "${3:-0}"
	awk -v n=$(($(wc -l <"$WORK/acknowledged") - n)) -v sncd=$(($(used_by "/proc/$SNCD") - sncd)) \
		-v many=$(($(used_by "${MANY[@]/#//proc/}") - many)) -v all=$(($(used_by_all) - all)) \
		-v cpus="$(nproc)" -v ns=$(($(date +%s%N) - from)) 'BEGIN {
			all_there_is = ns / 1e7 * cpus
			printf "sncd used %.1f s: %.0f admissions a processor second, beside the bringing up;" \
				" of the machine sncd %.0f %%, hosts %.0f %%, others and clients %.0f %%\n",
				sncd / 100, n / (sncd / 100), 100 * sncd / all_there_is, 100 * many / all_there_is,
				100 * (all - sncd - many) / all_there_is
		}'
}

sncd_start() {
	"$ROOT/build/bin/sncd" --config "$DOMAIN/sncd.conf" 2>>"$WORK/sncd.log" &
	SNCD=$!
}

hosts_up() {
	local until=$((SECONDS + 120))
	until client hosts "$N_HOSTS" >"$WORK/hosts" 2>&1; do
		[ $SECONDS -lt $until ] || { cat "$WORK/hosts" && exit 1; }
		sleep 0.2
	done
}

# hosts_start [FROM]: 500 of them, from the first or from there on
hosts_start() {
	local ready=$WORK/ready${1:-}
	"$ROOT/build/test/many_managers" "$DOMAIN" "$N_HOSTS" "$@" >"$ready" 2>>"$WORK/many.log" &
	MANY+=($!)
	until grep -q ready "$ready" 2>/dev/null; do
		kill -0 $! || { cat "$WORK/many.log" && exit 1; }
		sleep 0.1
	done
}

hosts_start
for ((from = 500; from < N_HOSTS; from += 500)); do
	hosts_start "$from"
done
sncd_start
client first
hosts_up
say "all hosts are up after $SECONDS s"
say "== $N_HOSTS hosts, $CLIENTS clients, empty: $SAMPLE slices"
create a "$SAMPLE"
memory
say "== up to $HELD slices"
create b $((HELD - 2 * SAMPLE))
client settle 600
say "== holding $((HELD - SAMPLE)), $SAMPLE more"
create c "$SAMPLE"
client settle 600
memory
say "== kill -9 and start"
kill -9 $SNCD
wait $SNCD 2>/dev/null || true
sncd_start
[ -z "${PROFILE_START:-}" ] || perf record -q -p $SNCD -o "$PROFILE_START" -- sleep 5 &
client first
client verify "$WORK/acknowledged"
hosts_up
client create "$WORK/acknowledged" 1 1 d "$NODES" 0
memory
client settle 600
client verify "$WORK/acknowledged"
client orphans
say "== $BOOKED that start tomorrow"
create e "$BOOKED" 86400
[ ! -s "$WORK/sncd.log" ] || { say "== log of sncd, last lines" && tail -5 "$WORK/sncd.log"; }
