#!/bin/bash
# Is a link that keeps to its guarantee touched by others that do not? Port of 200 Mbit/s on the wire;
# the victim is guaranteed 100 and sends 98 % of that in full frames; two aggressors of another slice
# are guaranteed 50 each and send 250 each. All may use what is left. In turn:
#   alone      the victim without aggressors
#   isolated   with them
#   one queue  the same three links as best effort: one FIFO for all, what it is like without us
# Told: what the senders managed to offer, as a share of what they should (less than 1 for the victim
# or the aggressors: the machine is too busy for this bench); of the victim the rate delivered to its far
# port over 4 s as a share of what entered its near port, frames lost by their numbers, and round trips of
# 1,000 pings that share its queue.
# usage: bench/isolation.sh [ROUNDS]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/plane_lib.sh"

ROUNDS=${1:-5}
MBPS=1000000
GUARANTEES=(100 50 50)
VICTIM_PPS=$((98 * MBPS / 8 / WIRE)) AGGRESSOR_PPS=$((250 * MBPS / 8 / WIRE))

# mode_set REVISION MODE: of all three links
mode_set() {
	local i rate
	for i in 0 1 2; do
		rate=$((GUARANTEES[i] * MBPS))
		[ "$2" = shaping ] || rate=0
		link_files m "port=$((11 + 2 * i))" "reserved_bps=$((GUARANTEES[i] * MBPS))" \
			"rate_bps=$rate" "ceil_bps=$((200 * MBPS))" "isolation=$2"
		ctl v1 commit "$(rid $((11 + 2 * i)))" "$WORK/m.attr" "$1" >/dev/null
	done
}

# run ROUND CASE
run() {
	local i senders=() samplers receiver victim
	frames_start b0 "$WORK/count" count 500 e0
	receiver=$!
	eventually 5 grep -q ready "$WORK/count"
	[ "$2" = alone ] || for i in 1 2; do
		frames_start "a$i" "$WORK/aggressor$i" send $FRAME $AGGRESSOR_PPS 60 e0
		senders+=($!)
	done
	frames_start a0 "$WORK/sent" send $FRAME $VICTIM_PPS 60 e0
	victim=$!
	sleep 0.5
	frames_start v1 "$WORK/near" rates 4000 2 "vn$(rid 11)"
	samplers=($!)
	frames_start b0 "$WORK/far" rates 4000 2 e0
	samplers+=($!)
	in_ns a0 ping -i 0.004 -c 1000 -W 2 192.168.9.2 >"$WORK/ping" || true
	wait "${samplers[@]}"
	kill $victim "${senders[@]}"
	wait $receiver $victim "${senders[@]}"
	echo "$1 $2 $(delivered) $(offered "$WORK/sent" $VICTIM_PPS)" \
		"$([ "$2" = alone ] && echo 0 || offered "$WORK/aggressor1" $AGGRESSOR_PPS)" \
		"$(($(value sent <"$WORK/sent") - $(value received <"$WORK/count")))" \
		"$(round_trips)"
}

# offered OUTPUT PPS
offered() { calc "$(value sent <"$1") * 1e9 / $(value wall_ns <"$1") / $2" .4f; }

# What came out at the far port against what went in at the near one, at the same time.
delivered() {
	awk '{t[NR] = $1; b[NR] = $2}
		END {print (b[4] - b[3]) / (t[4] - t[3]) / ((b[2] - b[1]) / (t[2] - t[1]))}' \
		"$WORK/near" "$WORK/far"
}

# p50, p99 and largest in ms; pings lost
round_trips() {
	python3 - "$WORK/ping" <<-'END'
		import re, sys
		times = sorted(float(t) for t in re.findall(r"time=([\d.]+)", open(sys.argv[1]).read()))
		n = len(times)
		print(times[n // 2], times[n * 99 // 100], times[-1], 1000 - n)
	END
}

plane_up 200Mbps
for i in 0 1 2; do
	pair "$i" $((GUARANTEES[i] * MBPS)) "ceil_bps=$((200 * MBPS))" "slice=s$((i > 0))" "link=l$i"
done
revision=1
for round in $(seq "$ROUNDS"); do
	mode_set $((revision += 1)) shaping
	run "$round" alone
	run "$round" isolated
	mode_set $((revision += 1)) besteffort
	run "$round" one-queue
done >"$WORK/runs"

python3 - "$WORK/runs" <<'END'
import statistics, sys
runs = [line.split() for line in open(sys.argv[1])]
print("           offered: victim  aggressor  delivered/sent  lost (most)  RTT p50   p99  largest ms  pings lost")
for case in ("alone", "isolated", "one-queue"):
    columns = list(zip(*[map(float, run[2:]) for run in runs if run[1] == case]))
    m = [statistics.median(c) for c in columns]
    print(f"{case:10} {m[1]:16.4f} {m[2]:10.4f} {m[0]:15.4f} {m[3]:6.0f} ({max(columns[3]):.0f}) "
          f"{m[4]:8.2f} {m[5]:6.2f} {m[6]:8.2f} {m[7]:11.0f}")
END
column() { awk -v n="$1" '$2 == "isolated" {print $n}' "$WORK/runs"; }
mapfile -t delivered < <(column 3)
mapfile -t lost < <(column 6)
mapfile -t p99 < <(column 8)
bar "victim's rate, error" "$(calc "abs($(median "${delivered[@]}") - 1)" .5f)" '<=' 0.003
bar "victim's frames lost" "$(median "${lost[@]}")" == 0
bar "victim's round trip, p99 in ms" "$(median "${p99[@]}")" '<=' 5
plane_verdict
