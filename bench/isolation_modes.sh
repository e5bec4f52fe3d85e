#!/bin/bash
# Shaping, policing, best effort: what the same traffic gets of a link in each of the three modes. The
# link has 50 Mbit/s (rate and ceiling; ceiling alone as best effort) of a port of 200, on the wire;
# another link of another slice offers 250, as best effort, so that nothing is left over. Then:
#   bursts     full frames, 80 % of the rate on average, but 50 ms worth of them at once
#   overload   full frames at 1.5 times the rate, evenly
#   TCP        one stream of iperf3
# Told: share of frames lost, delay (middle, 99th of 100) and jitter (mean difference between the delays
# of neighbours) in ms, goodput as a share of rate x 1448 / 1556, segments that TCP sent again. What a
# frame costs in each mode: bench/pps.sh. All without a port full of others: isolation_modes.sh N idle
# usage: bench/isolation_modes.sh [ROUNDS] [idle]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/plane_lib.sh"

ROUNDS=${1:-5} PORT=${2:-full}
MBPS=1000000 RATE=50
MODES=(shaping policing besteffort)
PPS=$((RATE * MBPS / 8 / WIRE))

# mode_set REVISION MODE
mode_set() {
	local rate=$((RATE * MBPS))
	[ "$2" != besteffort ] || rate=0
	link_files m port=11 "reserved_bps=$((RATE * MBPS))" "rate_bps=$rate" \
		"ceil_bps=$((RATE * MBPS))" "isolation=$2"
	ctl v1 commit "$(rid 11)" "$WORK/m.attr" "$1" >/dev/null
}

# frames_run VERB NUMBER…: loss and delays of 2 s of frames
frames_run() {
	local receiver lost
	frames_start b0 "$WORK/count" count 500 e0
	receiver=$!
	eventually 5 grep -q ready "$WORK/count"
	in_ns a0 nice -n -15 "$FRAMES" "$@" 2 e0 >"$WORK/sent"
	wait $receiver
	lost=$(calc "1 - $(value received <"$WORK/count") / $(value sent <"$WORK/sent")" .5f)
	echo "$lost $(value delay_p50_us <"$WORK/count") $(value delay_p99_us <"$WORK/count")" \
		"$(value jitter_us <"$WORK/count")"
}

# tcp_run: share of what the link can carry, segments sent again
tcp_run() {
	in_ns a0 iperf3 -c 192.168.9.2 -t 3 -O 1 -J |
		jq -r "[.end.sum_received.bits_per_second / ($RATE * $MBPS * 1448 / $WIRE),
			.end.sum_sent.retransmits] | @tsv"
}

run() {
	echo "$1 $2 bursts $(frames_run burst $FRAME $((PPS * 8 / 10)) 50)"
	echo "$1 $2 overload $(frames_run send $FRAME $((PPS * 15 / 10)))"
	echo "$1 $2 tcp $(tcp_run)"
}

plane_up 200Mbps
container a0 v1 11 192.168.9.1 e0 31
container b0 v2 12 192.168.9.2
link_up 11 "rate_bps=$((RATE * MBPS))" "ceil_bps=$((RATE * MBPS))"
pair 1 0 "ceil_bps=$((200 * MBPS))" isolation=besteffort slice=s2
iperf_serve b0
[ "$PORT" = idle ] || frames_start a1 /dev/null send $FRAME $((250 * MBPS / 8 / WIRE)) 600 e0
revision=1
for round in $(seq "$ROUNDS"); do
	for mode in "${MODES[@]}"; do
		mode_set $((revision += 1)) "$mode"
		run "$round" "$mode"
	done
done >"$WORK/runs"

python3 - "$WORK/runs" "${MODES[@]}" <<'END'
import statistics, sys
runs = [line.split() for line in open(sys.argv[1])]
def medians(mode, what):
    return [statistics.median(c) for c in zip(*[map(float, r[3:]) for r in runs if r[1:3] == [mode, what]])]
print("            bursts: lost    p50    p99 jitter | overload: lost    p50    p99 jitter | TCP: share  sent again")
for mode in sys.argv[2:]:
    line = f"{mode:12}"
    for what in ("bursts", "overload"):
        lost, p50, p99, jitter = medians(mode, what)
        line += f"{lost:12.2%} {p50 / 1e3:6.2f} {p99 / 1e3:6.2f} {jitter / 1e3:6.2f} | "
    share, again = medians(mode, "tcp")
    print(f"{line}{share:10.3f} {again:11.0f}")
END
field() { awk -v mode="$1" -v what="$2" -v n="$3" '$2 == mode && $3 == what {print $n}' "$WORK/runs"; }
mapfile -t lost < <(field shaping bursts 4)
bar "shaping, bursts below the rate: share lost" "$(median "${lost[@]}")" == 0
plane_verdict
