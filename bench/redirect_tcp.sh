#!/bin/bash
# What TCP gets of a link's ceiling, for several rates, over the underlay and over the loop: goodput
# of iperf3, one second left out, against ceiling x 1448 / 1514. Median of RUNS.
# usage: bench/redirect_tcp.sh [SECONDS] [RUNS]
# shellcheck source-path=SCRIPTDIR/../test/system
. "$(dirname "$0")/../test/system/lib.sh"
. "$ROOT/test/system/redirector_world.sh"

SECONDS_EACH=${1:-5} RUNS=${2:-5}
RATES=(2 10 50 100 500)

# What programmerd sets at a node's end: no frame larger than a quarter of the leaf's queue.
segments() {
	local limit=$((RATES[$1] * 30 * 1000 / 8))
	[ $limit -ge 12000 ] || limit=12000
	limit=$((limit / 4 / 1500))
	[ $limit -ge 1 ] || limit=1
	[ $limit -le 43 ] || limit=43
	echo $limit
}

# link_over WAY INDEX: a link of RATES[INDEX] between ${WAY}aINDEX and ${WAY}bINDEX
link_over() {
	local n=$((100 * ($2 + 1))) rate host=v2
	rate="rate_bps=$(wire "${RATES[$2]}")"
	[ "$1" = underlay ] || host=v1 n=$((n + 10))
	container "$1a$2" v1 $n 192.168.9.1 e0 "$(segments "$2")"
	container "$1b$2" $host $((n + 1)) 192.168.9.2 e0 "$(segments "$2")"
	if [ "$1" = underlay ]; then
		link_up $n "$rate" "${rate/rate/ceil}"
	else
		link_files "l$n" port=$n key=$n underlay=loop0 "$rate" "${rate/rate/ceil}"
		link_files "m$n" port=$((n + 1)) key=$n underlay=loop1 "$rate" "${rate/rate/ceil}"
		end_up v1 $n "l$n" && end_up v1 $((n + 1)) "m$n"
	fi
	iperf_serve "$1b$2"
}

world_up
for host in v1 v2; do
	daemon_config $host 2Gbps
	daemon_start $host
done
for way in underlay loop; do
	for i in "${!RATES[@]}"; do
		link_over $way "$i"
		for run in $(seq "$RUNS"); do
			echo "$way ${RATES[$i]} $(tcp_bps "${way}a$i" 192.168.9.2 "$SECONDS_EACH")"
		done
	done
done | python3 -c '
import statistics, sys
runs = {}
for line in sys.stdin:
    way, rate, bps = line.split()
    runs.setdefault((way, int(rate)), []).append(int(bps) / (int(rate) * 1e6 * 1448 / 1514))
print("over      ceiling Mbit/s  share of ceiling x 1448/1514: median, least, most")
for (way, rate), got in runs.items():
    print(f"{way:9} {rate:14}  {statistics.median(got):.4f} {min(got):.4f} {max(got):.4f}")'
