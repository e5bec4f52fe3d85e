#!/bin/bash
# Does each saturated link get its rate, and no more? Links of 1 to 200 Mbit/s of own full frames on
# one port, each offered 1.2 times as much; what its far port received in 16 s against its rate (a
# full frame is 0.08 % of what 1 Mbit/s carries in that time). The
# counters of all far ports are read at one moment; the first second (saved-up bursts) is left out.
# usage: bench/rate_accuracy.sh [SECONDS] [RUNS]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/plane_lib.sh"

SECONDS_EACH=${1:-16} RUNS=${2:-5}
RATES=(1 2 5 10 25 50 100 200)

# run: bytes of each far port at the start and at the end, with the time
run() {
	local i senders=() devices=()
	for i in "${!RATES[@]}"; do
		frames_start from /dev/null burst $FRAME $((RATES[i] * 1200000 / 8 / FRAME)) 4 \
			$((SECONDS_EACH + 2)) "e$i"
		senders+=($!) devices+=("e$i")
	done
	sleep 1
	in_ns to nice -n -20 "$FRAMES" rates $((SECONDS_EACH * 1000)) 2 "${devices[@]}"
	wait "${senders[@]}"
}

plane_up 1Gbps
for i in "${!RATES[@]}"; do
	n=$((11 + 2 * i)) bps=$(wire_bps $((RATES[i] * 1000000)))
	container from v1 $n "192.168.$i.1" "e$i"
	container to v2 $((n + 1)) "192.168.$i.2" "e$i"
	link_up $n "slice=s$((i / 2))" "link=l$i" "rate_bps=$bps" "ceil_bps=$bps"
done
for round in $(seq "$RUNS"); do
	run
done >"$WORK/samples"
worst=$(python3 - "$WORK/samples" "${RATES[@]}" <<'END'
import statistics, sys
samples = [list(map(int, line.split())) for line in open(sys.argv[1])]
print("Mbit/s  delivered: median  error of the median, least, most of the runs", file=sys.stderr)
worst = 0
for i, rate in enumerate(map(int, sys.argv[2:])):
    got = [(b[1 + 2 * i] - a[1 + 2 * i]) * 8e3 / (b[0] - a[0])
           for a, b in zip(samples[::2], samples[1::2])]
    errors = [mbps / rate - 1 for mbps in got]
    middle = statistics.median(errors)
    worst = max(worst, abs(middle))
    print(f"{rate:6} {statistics.median(got):18.3f} {middle:+20.3%} {min(errors):+.3%} {max(errors):+.3%}",
          file=sys.stderr)
print(f"{worst:.5f}")
END
)
bar "largest error of a link" "$worst" '<=' 0.001
plane_verdict
