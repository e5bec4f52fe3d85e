#!/bin/bash
# The rate of a link changes while TCP fills it: 100 to 50 to 200 Mbit/s of own frames. The same run
# without a change takes turns with it. What is told: frames that the shaper dropped and TCP sent again
# (no more than without the change is wanted), and when the new rate was there: the far port's counter is
# read every 10 ms; the time is from the begin of the call to redirectord to the first 50 ms that are
# within a tenth of the new rate.
# usage: bench/rate_change.sh [ROUNDS]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/plane_lib.sh"

ROUNDS=${1:-5}
MBPS=1000000

# rate_files NAME RATE: attributes of v1's end with that rate
rate_files() {
	link_files "$1" port=11 key=11 "reserved_bps=$(wire_bps $((200 * MBPS)))" \
		"rate_bps=$(wire_bps "$2")" "ceil_bps=$(wire_bps "$2")"
}

# Frames that the queues of v1's port refused so far.
drops() { in_ns v1 tc -s qdisc show dev u0 root | sed -n 's/.*(dropped \([0-9]*\),.*/\1/p' | head -1; }

# change RATE: prints when the call began and how long it took, in ns
change() {
	local revision
	revision=$(($(cat "$WORK/revision") + 1))
	echo $revision >"$WORK/revision"
	python3 -c '
import subprocess, sys, time
begin = time.monotonic_ns()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(begin, time.monotonic_ns() - begin)' \
		"$TOOLS/managerctl" "unix:$WORK/v1/run/redirectord.sock" redirector.v1.vnode \
		"$WORK" commit "$(rid 11)" "$WORK/r$1.attr" $revision
}

# run ROUND constant|changed
run() {
	local before client sampler
	change 100 >/dev/null
	before=$(drops)
	in_ns a0 iperf3 -c 192.168.9.2 -t 6 -J >"$WORK/iperf" &
	client=$!
	frames_start b0 "$WORK/samples" rates 10 580 e0
	sampler=$!
	: >"$WORK/changes"
	if [ "$2" = changed ]; then
		sleep 2
		echo "50 $(change 50)" >>"$WORK/changes"
		sleep 1.5
		echo "200 $(change 200)" >>"$WORK/changes"
	fi
	wait $client $sampler
	echo "$1 $2 $(($(drops) - before)) $(jq .end.sum_sent.retransmits "$WORK/iperf")" \
		"$(reached)"
}

# How long each change took to be seen, and its call, in ms: "50 SEEN CALL 200 SEEN CALL".
reached() {
	python3 - "$WORK/samples" "$WORK/changes" <<-'END'
		import sys
		samples = [tuple(map(int, line.split()[:2])) for line in open(sys.argv[1])]
		for line in open(sys.argv[2]):
		    rate, begin, took = map(int, line.split())
		    seen = "never"
		    for (t0, b0), (t1, b1) in zip(samples, samples[5:]):
		        if t0 >= begin - 1e7 and abs((b1 - b0) * 8e3 / (t1 - t0) / rate - 1) < 0.1:
		            seen = round(max(t0 - begin, 0) / 1e6, 1)
		            break
		    print(rate, seen, round(took / 1e6, 1), end=" ")
	END
}

plane_up 1Gbps
for rate in 50 100 200; do
	rate_files "r$rate" $((rate * MBPS))
done
container a0 v1 11 192.168.9.1 e0 31
container b0 v2 12 192.168.9.2
link_up 11 "rate_bps=$(wire_bps $((200 * MBPS)))" "ceil_bps=$(wire_bps $((200 * MBPS)))"
echo 1 >"$WORK/revision"
iperf_serve b0
for round in $(seq "$ROUNDS"); do
	for what in constant changed; do
		run "$round" $what
	done
done >"$WORK/runs"

echo "round what     drops  retransmits  rate: ms until reached, ms of the call"
while read -r round what drops again changes; do
	printf '%5s %-8s %5s %12s  %s\n' "$round" "$what" "$drops" "$again" "$changes"
done <"$WORK/runs"
field() { awk -v what="$1" -v n="$2" '$2 == what {print $n}' "$WORK/runs"; }
mapfile -t constant < <(field constant 3)
mapfile -t changed < <(field changed 3)
mapfile -t reached < <(field changed 6 && field changed 9)
bar "drops with the change, median (without: $(median "${constant[@]}"))" "$(median "${changed[@]}")" \
	'<=' "$(median "${constant[@]}")"
bar "ms until the new rate, median of all changes" "$(median "${reached[@]/never/100000}")" '<=' 100
plane_verdict
