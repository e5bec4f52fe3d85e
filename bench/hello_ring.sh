#!/bin/bash
# Does each link of hello-ring carry what the document says? Needs `./testbed up`.
#   TCP over each link alone: goodput / (ceiling x 1448 / 1514), wants 0.97 to 1.005
#   UDP over all links at once, 1.2 x ceiling offered: own bytes at the far port / guarantee, wants >= 0.99
# Usage: bench/hello_ring.sh [RUNS]
set -euo pipefail
. "$(dirname "$0")/ring_lib.sh"
SLICE=hello-ring RUNS=${1:-5} FAILED=0

#     link  client  server  address    flags           ceiling  guarantee  (Mbps)
links() {
	cat <<-'END'
		ab bob   alice 10.0.1.1 -p5203 150 100
		bc bob   carol 10.0.2.3 -p5201 80  40
		ca alice carol 10.0.3.3 -p5202 40  20
	END
}

in_node alice iperf3 -s -D -p 5203

tcp_goodput() { # client address port-flag -> Mbps
	in_node "$1" iperf3 -c "$2" "$3" -t 5 -O 1 -J | jq '.end.sum_received.bits_per_second / 1e6'
}

echo "## TCP over each link alone (5 s after 1 s, median of $RUNS)"
while read -r link client server address flags ceiling guarantee <&3; do
	runs=()
	for ((i = 0; i < RUNS; i++)); do
		runs+=("$(tcp_goodput "$client" "$address" "$flags")")
	done
	got=$(median "${runs[@]}")
	share=$(awk -v g="$got" -v c="$ceiling" 'BEGIN {printf "%.4f", g / (c * 1448 / 1514)}')
	verdict=ok
	within "$share" 0.97 1.005 || { verdict=MISSED && FAILED=1; }
	printf '%s %s->%s ceiling %s Mbps: %.2f Mbps goodput, share %s %s\n' "$link" "$client" "$server" "$ceiling" "$got" "$share" "$verdict"
done 3< <(links)

echo "## UDP over all links at once, 1.2 x ceiling offered (own bytes at the far port over 5 s, median of $RUNS)"
declare -A SHARES=()
for ((i = 0; i < RUNS; i++)); do
	pids=()
	while read -r link client server address flags ceiling guarantee <&3; do
		in_node "$client" iperf3 -u -c "$address" "$flags" -t 9 -l 1472 -b "$((ceiling * 12 / 10))M" >/dev/null &
		pids+=($!)
	done 3< <(links)
	sleep 2
	declare -A BEFORE=() AT=()
	while read -r link client server address flags ceiling guarantee <&3; do
		BEFORE[$link]=$(counter "$link" "$server.$client" rx_bytes) AT[$link]=$(date +%s%N)
	done 3< <(links)
	sleep 5
	while read -r link client server address flags ceiling guarantee <&3; do
		after=$(counter "$link" "$server.$client" rx_bytes) now=$(date +%s%N)
		SHARES[$link]+=" $(awk -v b="${BEFORE[$link]}" -v a="$after" -v t="$((now - AT[$link]))" -v g="$guarantee" \
			'BEGIN {printf "%.4f", (a - b) * 8 / (t / 1e9) / (g * 1e6)}')"
	done 3< <(links)
	wait "${pids[@]}" || true
done
for link in ab bc ca; do
	# shellcheck disable=SC2086
	share=$(median ${SHARES[$link]})
	verdict=ok
	within "$share" 0.99 100 || { verdict=MISSED && FAILED=1; }
	printf '%s: %s of its guarantee %s (runs:%s)\n' "$link" "$share" "$verdict" "${SHARES[$link]}"
done
exit $FAILED
