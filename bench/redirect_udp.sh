#!/bin/bash
# What links that share a port deliver when all are offered more than the port can carry: UDP, full
# frames, 1.2 times each ceiling at once; own bytes counted at the far port against the guarantee.
# Means something on an idle machine alone: the senders must be able to offer that much.
# usage: bench/redirect_udp.sh [SECONDS] [RUNS]
# shellcheck source-path=SCRIPTDIR/../test/system
. "$(dirname "$0")/../test/system/lib.sh"
. "$ROOT/test/system/redirector_world.sh"

SECONDS_EACH=${1:-5} RUNS=${2:-3}
PORT_MBPS=200
# guarantee and ceiling of each link in Mbit/s of own frames; the sum of the guarantees fits the
# port, that of the ceilings does not
GUARANTEES=(20 60 100) CEILINGS=(150 150 180)

now_ns() { date +%s%N; }

# rx HOST N: own bytes that arrived, and when
rx() { echo "$(counter "$1" "$2" rx_bytes) $(now_ns)"; }

# flows HOST N: more than handshakes has come since the last run
flows() {
	[ "$(counter "$1" "$2" rx_bytes)" -gt $((${BEFORE[$2]:-0} + 1000000)) ]
}

declare -A BEFORE=()
world_up
for host in v1 v2; do
	daemon_config $host ${PORT_MBPS}Mbps
	daemon_start $host
done
for i in "${!GUARANTEES[@]}"; do
	n=$((11 + 2 * i))
	container "a$i" v1 $n "192.168.$i.1"
	container "b$i" v2 $((n + 1)) "192.168.$i.2"
	link_up $n "slice=s$((i / 2))" "link=l$i" "rate_bps=$(wire "${GUARANTEES[$i]}")" \
		"ceil_bps=$(wire "${CEILINGS[$i]}")"
	iperf_serve "b$i"
done

for run in $(seq "$RUNS"); do
	clients=()
	for i in "${!GUARANTEES[@]}"; do
		(
			exec nsenter --net="/run/netns/$PREFIX-a$i" nice -n -15 iperf3 -u \
				-c "192.168.$i.2" -l 1472 -t 600 \
				-b "$((CEILINGS[i] * 1200000 * 1472 / 1514))"
		) >/dev/null 2>&1 &
		clients+=($!)
	done
	first=() last=()
	for i in "${!GUARANTEES[@]}"; do eventually 10 flows v2 $((12 + 2 * i)); done
	sleep 1 # the burst that idle links have saved up
	for i in "${!GUARANTEES[@]}"; do first+=("$(rx v2 $((12 + 2 * i)))"); done
	sleep "$SECONDS_EACH"
	for i in "${!GUARANTEES[@]}"; do last+=("$(rx v2 $((12 + 2 * i)))"); done
	kill "${clients[@]}"
	wait "${clients[@]}" || true
	for i in "${!GUARANTEES[@]}"; do
		BEFORE[$((12 + 2 * i))]=$(counter v2 $((12 + 2 * i)) rx_bytes)
	done
	for i in "${!GUARANTEES[@]}"; do
		echo "$run $i ${GUARANTEES[$i]} ${CEILINGS[$i]} ${first[$i]} ${last[$i]}"
	done
done | python3 -c '
import statistics, sys
links = {}
for line in sys.stdin:
    run, link, rate, ceil, b0, t0, b1, t1 = map(int, line.split())
    links.setdefault((link, rate, ceil), []).append((b1 - b0) * 8e3 / (t1 - t0))
print("link  guarantee  ceiling  offered  delivered Mbit/s  of guarantee (median, least)")
for (link, rate, ceil), got in sorted(links.items()):
    m = statistics.median(got)
    print(f"{link:4} {rate:10} {ceil:8} {ceil*1.2:8.0f} {m:17.2f} {m/rate:13.4f} {min(got)/rate:.4f}")'
