#!/bin/bash
# What a transport path keeps of its guarantee at a hop of 100 Mbit/s that it shares with another one,
# in the network of test/system/tnc_world.sh: real tncd and routerds. Rates are of whole frames (wire
# rates, as shares have them), counted where they come in at the far host.
#
#   full     80 + 20 guaranteed, nothing left; both offer more: 300 and 40
#   rate     80 + 20 guaranteed; the second offers 20, the first 300
#   half     60 + 20 guaranteed; the second offers 20, the first 300, and has what is left
#   rates    the first path's rate changes up and down all the time while the second is measured
#   change   a ping each ms over the first path, unloaded, while its rate changes; how many are lost
# usage: bench/path_isolation.sh [RUNS [SECONDS [CASE...]]]
# shellcheck source-path=SCRIPTDIR/../test/system
set -euo pipefail
. "$(dirname "$0")/../test/system/tnc_world.sh"

RUNS=${1:-5}
SECONDS_EACH=${2:-10}
CASES=" ${*:3} "

# got PORT SECONDS: Mbit/s that come in there
got() {
	in_ns b python3 -c '
import sys, time
def look():
    with open("/sys/class/net/" + sys.argv[1] + "/statistics/rx_bytes") as file:
        return int(file.read()), time.monotonic()
bytes_0, time_0 = look()
time.sleep(float(sys.argv[2]))
bytes_1, time_1 = look()
print("%.3f" % ((bytes_1 - bytes_0) * 8 / (time_1 - time_0) / 1e6))' "$1" "$2"
}

# change_rates SECONDS: a share of 5 Mbit/s more on the first path comes and goes
change_rates() {
	local end=$((SECONDS + $1)) rid
	while [ $SECONDS -lt $end ]; do
		rid=$(($(<"$WORK/changed") + 1))
		reserve $rid 5000000 >/dev/null
		client commit $rid >/dev/null
		client release $rid >/dev/null
		echo $rid >"$WORK/changed"
	done
}

# measure NAME OFFERED-1 OFFERED-2 [COMMAND...]: with the command running beside it
measure() {
	local run first second
	for run in $(seq "$RUNS"); do
		pour "$WORK/s1" "$2" $((SECONDS_EACH + 2)) &
		pour "$WORK/s2" "$3" $((SECONDS_EACH + 2)) &
		[ $# -lt 4 ] || "${@:4}" &
		sleep 1
		got u0 "$SECONDS_EACH" >"$WORK/first" &
		second=$(got u1 "$SECONDS_EACH")
		wait
		first=$(<"$WORK/first")
		echo "$1 run $run: flooding $first, other $second Mbit/s of 20:" \
			"$(python3 -c 'import sys; print("%+.2f %%" % ((float(sys.argv[1]) / 20 - 1) * 100))' "$second")"
	done
}

# hold RID PORT RATE ANSWER: a share, committed, and the hosts' ends of its path
hold() {
	PORT=$2 reserve "$1" "$3" >"$WORK/$4"
	[ "$(value latency_us <"$WORK/$4")" = 3000 ] # over the hop
	client commit "$1" >/dev/null
	endpoints "$WORK/$4"
}

# How many pings a path loses while its rate changes: sent, received, changes.
lost() {
	local run before
	for run in $(seq "$RUNS"); do
		in_ns a ping -q -c $((SECONDS_EACH * 1000)) -i 0.001 -W 10 \
			-I "$(value address_a <"$WORK/s1")" "$(value address_b <"$WORK/s1")" >"$WORK/pinged" &
		before=$(<"$WORK/changed")
		change_rates "$SECONDS_EACH"
		wait
		echo "change run $run: $(grep -o '[0-9]* packets.*received' "$WORK/pinged")," \
			"$((2 * ($(<"$WORK/changed") - before))) changes"
	done
}

wanted() { [ "$CASES" = "  " ] || [[ $CASES == *" $1 "* ]]; }

domain_up
eventually all_up
echo 1000 >"$WORK/changed"
echo "load $(cut -d' ' -f1-3 /proc/loadavg)"
hold 1 u0 80000000 s1
hold 2 u1 20000000 s2
! wanted full || measure full 300 40
! wanted rate || measure rate 300 20
client release 1 >/dev/null
hold 3 u0 60000000 s1
! wanted half || measure half 300 20
! wanted rates || measure rates 300 20 change_rates "$SECONDS_EACH"
! wanted change || lost
echo "load $(cut -d' ' -f1-3 /proc/loadavg)"
