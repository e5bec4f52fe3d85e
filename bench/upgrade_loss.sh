#!/bin/bash
# Does a link lose frames while redirectord is killed, started again, or replaced by another build?
# Numbered frames of 60 bytes at 100,000 a second; the far end's device counts what comes. In turn:
#   nothing   the control: what the machine itself loses at this rate
#   kill      SIGKILL and restart of both redirectords while frames flow
#   replace   both give way to a build whose BPF programs differ (it sends with another TTL, which is
#             looked for on the wire), next time back again
# A number that is missing at the end is a lost frame, wherever it was lost.
# usage: bench/upgrade_loss.sh [ROUNDS] [PPS]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/plane_lib.sh"

ROUNDS=${1:-5} PPS=${2:-100000}
OTHER=$ROOT/build/bench/other
OWN_BIN=$BIN TTL=64

# The tree once more, built beside ours; its program sends with a TTL less by one, sums included.
other_build() {
	local source=$OTHER/tree/redirector/bpf/redirect.bpf.c
	mkdir -p "$OTHER/tree"
	tar -C "$ROOT" --exclude='./build*' --exclude=./.git -cf - . | tar -C "$OTHER/tree" -xf -
	sed -i -e 's/__builtin_memcpy(head, link->head, sizeof(\*head));/& head->ip.ttl--;/' \
		-e 's/folded(link->ip_sum +/folded(link->ip_sum - 1 +/' "$source"
	assert_equal 2 "$(grep -c 'ip.ttl--;\|ip_sum - 1' "$source")"
	cmake -S "$OTHER/tree" -B "$OTHER" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
		-DVNODE_TESTS=OFF >"$WORK/build.log" &&
		nice cmake --build "$OTHER" -j2 --target redirectord >>"$WORK/build.log" ||
		{ cat "$WORK/build.log" && return 1; }
}

restart_both() {
	local host
	for host in v1 v2; do
		daemon_kill $host 2>/dev/null # bash would tell of it
		daemon_start $host
	done
}

do_nothing() { :; }

do_kill() { restart_both; }

do_replace() {
	if [ "$BIN" = "$OWN_BIN" ]; then
		BIN=$OTHER/bin TTL=63
	else
		BIN=$OWN_BIN TTL=64
	fi
	restart_both
}

# TTL of a tunnel frame between the hosts
ttl_now() {
	in_ns rt tcpdump -lnvi r1 -c 1 'proto gre and src 10.65.0.1' 2>/dev/null |
		sed -n '1s/.*ttl \([0-9]*\),.*/\1/p'
}

backlog_drops() { python3 -c 'print(sum(int(l.split()[1], 16) for l in open("/proc/net/softnet_stat")))'; }

# run ROUND WHAT: a line of the table
run() {
	local before after sender receiver drops ms
	frames_start b0 "$WORK/count" count 1000 e0
	receiver=$!
	eventually 5 grep -q ready "$WORK/count"
	before=$(rx_counts b0 e0)
	drops=$(backlog_drops)
	frames_start a0 "$WORK/sent" send 60 "$PPS" 60 e0
	sender=$!
	sleep 1
	ms=$(date +%s%3N)
	"do_$2"
	ms=$(($(date +%s%3N) - ms))
	assert_equal "$TTL" "$(ttl_now)" >&2
	sleep 1
	kill $sender # it was there all the time, or this fails
	wait $sender
	wait $receiver
	after=$(rx_counts b0 e0)
	echo "$1 $2 $(value sent <"$WORK/sent") $((${after#* } - ${before#* }))" \
		"$(value received <"$WORK/count") $(value late <"$WORK/count") $ms" \
		"$(($(backlog_drops) - drops))"
}

other_build
plane_up 10Gbps
pair 0 1000000000
ip -n "$PREFIX-b0" link set e0 arp off
for round in $(seq "$ROUNDS"); do
	for what in nothing kill replace; do
		run "$round" $what
	done
done >"$WORK/runs"

echo "round what       sent at device  at receiver  late  restarts took ms  dropped by the machine's backlogs"
while read -r round what sent device receiver late ms drops; do
	printf '%5s %-8s %8s %8s %12s %5s %17s %s\n' "$round" "$what" "$sent" "$device" "$receiver" "$late" \
		"$ms" "$drops"
done <"$WORK/runs"
lost() { awk -v what="$1" '$2 == what {n += $3 - $5} END {print n + 0}' "$WORK/runs"; }
for what in nothing kill replace; do
	bar "frames lost of $(awk -v what=$what '$2 == what {n += $3} END {print n}' "$WORK/runs"), $what" \
		"$(lost $what)" == 0
done
plane_verdict
