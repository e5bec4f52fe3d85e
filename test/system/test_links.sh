#!/bin/bash
# Links as their owners see and change them while they run: what is in force, counters and rates, other
# rates under traffic without a lost frame, and captures that tshark decodes.
# shellcheck source=test/system/lib.sh
. "$(dirname "$0")/lib.sh"

LINK=bench-ring/l12

# value NAME: of the link as it is shown
value() {
	vnode link list --slice bench-ring --json | jq -r ".links[] | select(.name == \"l12\") | .$1"
}

# change FLAG…: real when it returns
change() {
	vnode link set "$LINK" "$@" --timeout 30s
}

# goodput SECONDS: TCP from n1 to n2
goodput() {
	vnode node exec bench-ring/n1 -- iperf3 -c 10.1.12.2 -p 5205 -t "$1" -O 1 -J | jq '.end.sum_received.bits_per_second'
}

# about VALUE MBPS: goodput of a link of so many
about() {
	echo "goodput $1, of $2 Mbps"
	awk -v g="$1" -v r="$2" 'BEGIN { share = g / (r * 1e6 * 1448 / 1514); exit !(share > 0.8 && share < 1.05) }'
}

shown_as_in_the_document() {
	vnode link show "$LINK" | tee "$WORK/show"
	grep -q 'end  *n1.to2 on ' "$WORK/show"
	grep -q 'type  *GRE' "$WORK/show"
	grep -q 'isolation  *shaping' "$WORK/show"
	grep -Eq 'n1.to2 +20 Mbps +20 Mbps +20 Mbps' "$WORK/show"
	grep -q 'dropped: queue full' "$WORK/show"
}

# Nothing is lost while rates go down and up under a ping as fast as it goes.
changes_lose_nothing() {
	local ping rate
	vnode node exec bench-ring/n1 --timeout 60s -- ping -f -c 6000 -i 0.002 -q 10.1.12.2 >"$WORK/ping" &
	ping=$!
	for rate in 5 20 10 20; do
		change --rate "${rate}Mbps"
		assert_equal "${rate}000000" "$(value rate_ab_bps)"
	done
	change --isolation besteffort --max 20Mbps
	change --isolation shaping --priority 4
	change --priority 0
	wait "$ping"
	cat "$WORK/ping"
	grep -q ' 0% packet loss' "$WORK/ping"
	assert_equal 20000000 "$(value rate_ab_bps)"
	assert_equal open "$(value state)"
}

a_changed_rate_is_what_is_carried() {
	vnode node exec bench-ring/n2 -- iperf3 -s -D -p 5205
	about "$(goodput 3)" 20
	change --rate 5Mbps
	about "$(goodput 3)" 5
	change --rate 5Mbps --max 40Mbps
	about "$(goodput 3)" 40
	change --rate-up 20Mbps --rate-down 20Mbps --max 20Mbps
	about "$(goodput 3)" 20
	vnode event list --slice bench-ring | grep 'link l12 .*changed.*guaranteed to b 5 Mbps, was 20 Mbps'
}

more_than_reserved_is_refused() {
	local status=0
	vnode link set "$LINK" --rate 21Mbps >"$WORK/out" 2>&1 || status=$?
	cat "$WORK/out"
	assert_equal 6 "$status"
	grep -q '20 Mbps are reserved.*\[R02\]' "$WORK/out"
	grep -q 'try: at most 20 Mbps' "$WORK/out"
}

the_busiest_link_is_on_top() {
	local iperf
	vnode node exec bench-ring/n1 --timeout 30s -- iperf3 -c 10.1.12.2 -p 5205 -t 6 >"$WORK/iperf" &
	iperf=$!
	eventually 10 is_busy
	vnode link top --once | tee "$WORK/top"
	wait "$iperf"
	sed -n 2p "$WORK/top" | grep -q "$LINK"
	vnode link top --once --slice bench-ring --json | jq -e '.ends | length == 6'
}

is_busy() {
	vnode link top --once --json |
		jq -e '.ends[] | select(.slice == "bench-ring" and .link == "l12" and .node == "n1.to2") | .tx_bps > 10000000'
}

captured_and_decoded() {
	vnode link capture "$LINK" -o "$WORK/l12.pcapng" --filter icmp --count 4 &
	local capture=$!
	eventually 10 test -s "$WORK/l12.pcapng"
	vnode node exec bench-ring/n1 -- ping -c 3 -i 0.2 -q 10.1.12.2
	wait "$capture"
	assert_equal 4 "$(tshark -r "$WORK/l12.pcapng" -Y icmp 2>/dev/null | wc -l)"
	assert_equal n1.to2 "$(tshark -r "$WORK/l12.pcapng" -T fields -e frame.interface_name 2>/dev/null | sort -u)"
}

# As a stream into a pipe, from both ends: each echo is seen leaving and arriving.
both_ends_into_a_pipe() {
	(vnode link capture "$LINK" --end all --filter 'icmp and host 10.1.12.2' --for 4s |
		tshark -r - -T fields -e frame.interface_name -e icmp.type) >"$WORK/both" 2>"$WORK/both.err" &
	local capture=$!
	eventually 10 grep -q capturing "$WORK/both.err"
	sleep 0.5
	vnode node exec bench-ring/n1 -- ping -c 2 -i 0.2 -q 10.1.12.2
	wait "$capture"
	cat "$WORK/both" "$WORK/both.err"
	assert_equal "2 n1.to2	0,2 n1.to2	8,2 n2.to1	0,2 n2.to1	8" \
		"$(sort "$WORK/both" | uniq -c | sed 's/^ *//' | paste -sd,)"
}

a_stop_keeps_what_was_changed() {
	change --rate 10Mbps
	vnode slice stop bench-ring --wait
	assert_equal closed "$(value state)"
	vnode slice run bench-ring --wait
	assert_equal 10000000 "$(value rate_ab_bps)"
	assert_equal 20000000 "$(value reserved_ab_bps)"
}

testbed up >"$WORK/up.log" 2>&1 || { cat "$WORK/up.log"; exit 1; }
vnode slice create "$ROOT/examples/ring.xml" --wait
eventually 20 vnode node exec bench-ring/n1 -- ping -c 1 -W 1 -q 10.1.12.2
test_case "a link is shown with what is in force" shown_as_in_the_document
test_case "changes under a flood of pings lose nothing" changes_lose_nothing
test_case "a changed rate is what is carried" a_changed_rate_is_what_is_carried
test_case "more than what is reserved is refused" more_than_reserved_is_refused
test_case "the busiest link is on top" the_busiest_link_is_on_top
test_case "a capture is decoded by tshark" captured_and_decoded
test_case "both ends go into one stream" both_ends_into_a_pipe
test_case "a stop keeps what was changed" a_stop_keeps_what_was_changed
finish
