#!/bin/bash
# What has a guarantee of its own: each virtual link, all of a virtual node, or all of a slice ([shaper]
# per=)? Two links of one node, guaranteed 50 Mbit/s each on the wire; one sends 45, the other 250. By
# link the greedy one hurts itself alone; by node or slice both share one queue.
# usage: bench/isolation_per.sh [ROUNDS]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/plane_lib.sh"

ROUNDS=${1:-5}
MBPS=1000000

# per_set HOW BASE: v1 counts by link, node or slice from now on. The links are new, their rows have
# numbers from BASE on: a number is used once.
per_set() {
	local i n ends=("slice=s1" "rate_bps=$((50 * MBPS))" "ceil_bps=$((50 * MBPS))")
	daemon_kill v1 2>/dev/null
	sed -i '/^\[shaper\]/,$d' "$WORK/v1/redirectord.conf"
	printf '[shaper]\nper=%s\n' "$1" >>"$WORK/v1/redirectord.conf"
	daemon_start v1
	for i in 0 1; do
		n=$((11 + 2 * i))
		link_files a port=$n key=$n "link=l$i" "${ends[@]}"
		link_files b port=$((n + 1)) key=$n "link=l$i" "${ends[@]}" local=10.65.0.2 \
			remote=10.65.0.1 next_hop=10.64.2.254
		end_up v1 $(($2 + n)) a
		end_up v2 $(($2 + n + 1)) b
	done
}

# run ROUND HOW: share of the modest link's frames that were lost, p99 of their delay, rate of the
# greedy one
run() {
	local receiver greedy samples
	frames_start b0 "$WORK/count" count 500 e0
	receiver=$!
	eventually 5 grep -q ready "$WORK/count"
	frames_start a1 "$WORK/greedy" send $FRAME $((250 * MBPS / 8 / WIRE)) 60 e0
	greedy=$!
	sleep 1
	frames_start b1 "$WORK/samples" rates 2000 2 e0
	samples=$!
	in_ns a0 nice -n -15 "$FRAMES" send $FRAME $((45 * MBPS / 8 / WIRE)) 3 e0 >"$WORK/sent"
	wait $samples
	kill $greedy
	wait $receiver $greedy
	echo "$1 $2 $(calc "1 - $(value received <"$WORK/count") / $(value sent <"$WORK/sent")" .5f)" \
		"$(value delay_p99_us <"$WORK/count") $(awk -v w=$WIRE -v f=$FRAME '
		{t[NR] = $1; b[NR] = $2}
		END {print (b[2] - b[1]) * 8e3 / (t[2] - t[1]) * w / f}' "$WORK/samples")"
}

plane_up 200Mbps
for i in 0 1; do
	container "a$i" v1 $((11 + 2 * i)) 192.168.9.1
	container "b$i" v2 $((12 + 2 * i)) 192.168.9.2
done
base=0
for how in link node slice; do
	per_set $how $((base += 100))
	for round in $(seq "$ROUNDS"); do
		run "$round" $how
	done
	for i in 0 1; do link_down $((base + 11 + 2 * i)); done
done >"$WORK/runs"

python3 - "$WORK/runs" <<'END'
import statistics, sys
runs = [line.split() for line in open(sys.argv[1])]
print("counted by  modest link: lost  delay p99 ms   greedy link Mbit/s on the wire")
for how in ("link", "node", "slice"):
    lost, p99, mbps = [statistics.median(c) for c in zip(*[map(float, r[2:]) for r in runs if r[1] == how])]
    print(f"{how:10} {lost:18.2%} {p99 / 1e3:13.2f} {mbps:19.1f}")
END
field() { awk -v how="$1" '$2 == how {print $3}' "$WORK/runs"; }
for how in link node; do
	mapfile -t lost < <(field $how)
	median "${lost[@]}" >"$WORK/lost-$how"
done
bar "modest link's frames lost, counted by link" "$(cat "$WORK/lost-link")" == 0
bar "the same, counted by node (what is shown here is that it suffers)" "$(cat "$WORK/lost-node")" '>' 0.1
plane_verdict
