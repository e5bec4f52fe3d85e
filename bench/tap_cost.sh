#!/bin/bash
# What a tap costs: nanoseconds a run of vn_encap and vn_decap take (as the kernel counts them,
# kernel.bpf_stats_enabled), small frames, the same frames in each state, RUNS times in turns: no tap,
# a tap whose filter fits nothing, a tap that copies all. With the folder of another build a fourth state:
# its redirectord, which knows no taps. Medians.
# usage: bench/tap_cost.sh [RUNS] [OTHER-BUILD]
# shellcheck source-path=SCRIPTDIR/../test/system
. "$(dirname "$0")/../test/system/lib.sh"
. "$ROOT/test/system/redirector_world.sh"

RUNS=${1:-7} OTHER=${2:-}
FRAMES=20000

stats=$(sysctl -n kernel.bpf_stats_enabled)
at_end() {
	sysctl -qw "kernel.bpf_stats_enabled=$stats"
	world_down
}
sysctl -qw kernel.bpf_stats_enabled=1

# spent HOST PROGRAM: nanoseconds and runs of the newest program of that name that uses the host's maps
spent() {
	local map
	map=$(bpftool -j map show pinned "$(echo "$WORK/$1"/run/bpf/redirect-*/vn_counts)" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
	bpftool -j prog show | python3 -c '
import json, sys
ours = [p for p in json.load(sys.stdin)
        if p.get("name") == sys.argv[1] and int(sys.argv[2]) in p.get("map_ids", [])]
newest = max(ours, key=lambda p: p["id"])
print(newest.get("run_time_ns", 0), newest.get("run_cnt", 0))' "$2" "$map"
}

# measure STATE: a line "STATE ENCAP DECAP" of ns a run
measure() {
	local a b c d
	a=$(spent v1 vn_encap) b=$(spent v2 vn_decap)
	in_ns c1 "$TOOLS/rawframe" send e0 88b5 46 "$FRAMES" 1 2>/dev/null || true
	sleep 0.3
	c=$(spent v1 vn_encap) d=$(spent v2 vn_decap)
	python3 - "$1" "$a $c $b $d" <<-'END'
		import sys
		n = [int(x) for x in sys.argv[2].split()]
		print(sys.argv[1], (n[2] - n[0]) / max(1, n[3] - n[1]), (n[6] - n[4]) / max(1, n[7] - n[5]))
	END
}

tapped() {
	local state=$1 filter=$2 pids=() n
	for n in 1 2; do
		"$TOOLS/managerctl" "unix:$WORK/v$n/run/redirectord.sock" "redirector.v$n.vnode" \
			"$WORK" capture "$(rid $((10 + n)))" "filter=$filter" ms=3600000 >"$WORK/cap$n" 2>/dev/null &
		pids+=($!)
		eventually 5 test -s "$WORK/cap$n"
	done
	measure "$state"
	kill "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null || true
	daemon_kill v1 && daemon_start v1
	daemon_kill v2 && daemon_start v2
}

# other: the same frames through the other build's programs
other() {
	local own=$BIN
	BIN=$OTHER/bin
	daemon_kill v1 && daemon_start v1
	daemon_kill v2 && daemon_start v2
	measure before
	BIN=$own
	daemon_kill v1 && daemon_start v1
	daemon_kill v2 && daemon_start v2
}

world_up
for host in v1 v2; do
	daemon_config $host 10Gbps
	daemon_start $host
done
container c1 v1 11 192.168.9.1
container c2 v2 12 192.168.9.2
link_up 11 rate_bps=5000000000 ceil_bps=5000000000
measure warm >/dev/null
for ((run = 0; run < RUNS; run++)); do
	[ -z "$OTHER" ] || other
	measure off
	tapped unfit "udp and port 4711"
	tapped all ""
done 2>"$WORK/errors" | python3 -c '
import statistics, sys
states = {}
for line in sys.stdin:
    name, encap, decap = line.split()
    states.setdefault(name, []).append((float(encap), float(decap)))
for name, runs in states.items():
    print("%-7s encap %5.0f ns  decap %5.0f ns" % (name, *(statistics.median(r[i] for r in runs) for i in (0, 1))))'
