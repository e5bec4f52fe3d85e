#!/bin/bash
# Slices as their users see them: hello-ring runs and its nodes reach each other; two slices with
# the same names and addresses do not see each other; what cannot be had is refused with its code,
# its line and what is free, and leaves nothing behind.
# shellcheck source=test/system/lib.sh
. "$(dirname "$0")/lib.sh"

# twin NAME: examples/ring.xml under another slice name, on the same hosts
twin() {
	sed "s/bench-ring/$1/g" "$ROOT/examples/ring.xml"
}

ping_from() {
	vnode node exec "$1" -- ping -c 1 -W 3 "$2"
}

slice_count() {
	vnode slice list --json | jq '.slices | length'
}

no_orphans() {
	local found
	found=$(vnode orphans) && [ -z "$found" ] || { echo "$found" && return 1; }
}

hello_ring_reaches_its_neighbours() {
	ping_from hello-ring/alice 10.0.1.2
	ping_from hello-ring/bob 10.0.2.3
	ping_from hello-ring/alice 10.0.3.3
	vnode node console hello-ring/carol --send 'ping -c 1 10.0.3.1 && echo REACH''ED' --expect REACHED --timeout 15s
}

link_of_100_mbps_carries_its_ceiling() {
	local goodput
	vnode node exec hello-ring/alice -- iperf3 -s -D -p 5203
	goodput=$(vnode node exec hello-ring/bob -- iperf3 -c 10.0.1.1 -p 5203 -t 4 -O 1 -J | jq '.end.sum_received.bits_per_second')
	echo "goodput $goodput"
	awk -v g="$goodput" 'BEGIN { share = g / (150e6 * 1448 / 1514); exit !(share > 0.9 && share < 1.03) }'
}

# told SUBJECT PATTERN: the events of hello-ring have a repair of it.
told() {
	vnode event list --slice hello-ring --json |
		jq -e --arg subject "$1" --arg text "$2" 'any(.events[];
			.what == "repaired" and (.subject | test($subject)) and (.text | test($text)))'
}

# Whoever takes a shaper or a node away gets it back, and the slice's owner is told.
what_is_taken_away_is_back_and_told() {
	local domain
	on koganei tc qdisc del dev u0 root
	eventually 15 told '^link .*koganei' 'the shaper has no class'
	on koganei tc class show dev u0 | grep -c 'class htb' >"$WORK/classes"
	[ "$(cat "$WORK/classes")" -gt 4 ]
	domain=$(on koganei virsh -q -c lxc:/// list --name | head -1)
	on koganei virsh -q -c lxc:/// destroy "$domain"
	eventually 30 told '^node alice' 'is not running'
	eventually 30 ping_from hello-ring/alice 10.0.1.2
	eventually 15 no_orphans
}

events_of_no_slice() {
	local status=0
	vnode event list --slice nope || status=$?
	assert_equal 3 "$status"
}

# Both nodes on one VNode: the link stays there and still has its rate.
link_within_a_host_is_shaped() {
	local goodput
	vnode slice create "$ROOT/examples/local-pair.xml" --wait
	eventually 60 vnode node exec local-pair/box -- iperf3 -c 10.8.1.1 -t 1
	goodput=$(vnode node exec local-pair/box -- iperf3 -c 10.8.1.1 -t 4 -O 1 -J | jq '.end.sum_received.bits_per_second')
	echo "goodput $goodput"
	awk -v g="$goodput" 'BEGIN { share = g / (20e6 * 1448 / 1514); exit !(share > 0.8 && share < 1.03) }'
	vnode slice delete local-pair --yes --wait
	no_orphans
}

# Three nodes on three hosts: what one sends to all arrives at both others.
multipoint_link_joins_all_its_ends() {
	local node address
	vnode slice create "$ROOT/examples/multipoint.xml" --wait
	for node in a b c; do
		for address in 10.7.0.1 10.7.0.2 10.7.0.3; do
			eventually 30 ping_from "multipoint/$node" "$address"
		done
	done
	for node in b c; do
		vnode node exec "multipoint/$node" --timeout 30s -- rawframe receive eth 88b5 1400 20 4711 20000 >"$WORK/received.$node" &
	done
	eventually 20 frames_at_both
	wait
	vnode link list --slice multipoint --json >"$WORK/links"
	assert_equal '1 3 open' "$(jq -r '.links | "\(length) \(.[0].ends | length) \(.[0].state)"' "$WORK/links")"
	jq -r '.links[0].path' "$WORK/links" | grep -E '^hub (koganei|nagoya|osaka)$'
	assert_equal 'a.eth lan.e1 b.eth lan.e2 c.eth lan.e3' \
		"$(vnode link show multipoint/lan --json | jq -r '[.ends[].node] | join(" ")')"
	vnode slice stop multipoint --wait
	vnode slice run multipoint --wait
	eventually 30 ping_from multipoint/b 10.7.0.3
	vnode slice delete multipoint --yes --wait
	no_orphans
}

frames_at_both() {
	vnode node exec multipoint/a -- rawframe send eth 88b5 1400 20 4711
	grep -q 'ok 20' "$WORK/received.b" && grep -q 'ok 20' "$WORK/received.c"
}

# A vport without a link: the host behind it answers nothing, not even ARP for its own addresses.
unbound_port_leads_nowhere() {
	sed '/name="b3"/d; s/<vport name="e3".>//; s/multipoint/spare/g' "$ROOT/examples/multipoint.xml" >"$WORK/spare.xml"
	vnode slice create "$WORK/spare.xml" --wait
	eventually 30 ping_from spare/a 10.7.0.2
	local address
	address=$(on osaka ip -4 -o addr show dev mgmt0 | awk '{ print $4 }')
	vnode node exec spare/c -- ip route add "${address%/*}/32" dev eth
	vnode node exec spare/c -- ping -c 1 -W 1 "${address%/*}" || true
	vnode node exec spare/c -- ip neigh show dev eth >"$WORK/neighbours"
	cat "$WORK/neighbours"
	grep -q "${address%/*}" "$WORK/neighbours"
	refuses grep lladdr "$WORK/neighbours"
	vnode slice delete spare --yes --wait
}

two_slices_run_side_by_side() {
	twin one >"$WORK/one.xml"
	twin two >"$WORK/two.xml"
	vnode slice create "$WORK/one.xml" --wait
	vnode slice create "$WORK/two.xml" --wait
	ping_from one/n1 10.1.12.2
	ping_from two/n1 10.1.12.2
}

# The frames of one slice are counted in it, and none of them in the other.
frames_stay_in_their_slice() {
	local before after
	before=$(vnode link show two/l12 --json | jq '[.ends[].rx_frames] | add')
	vnode node exec one/n1 -- ping -c 200 -i 0.002 -q 10.1.12.2
	after=$(vnode link show two/l12 --json | jq '[.ends[].rx_frames] | add')
	# What the other slice's own stack says now and then (ARP, no IPv6) stays far below.
	[ $((after - before)) -lt 20 ]
	[ "$(vnode link show one/l12 --json | jq '[.ends[].rx_frames] | add')" -ge 400 ]
}

# Both ends compute the same random payload; the receiver compares.
an_unknown_frame_type_arrives_unchanged() {
	vnode node exec one/n2 --timeout 30s -- rawframe receive to1 88b5 1400 20 4711 20000 >"$WORK/received" &
	local receiver=$!
	eventually 20 listens one/n2
	vnode node exec one/n1 -- rawframe send to2 88b5 1400 20 4711
	wait "$receiver"
	cat "$WORK/received"
	grep -q 'ok 20' "$WORK/received"
}

# Is there somebody in the node for frames of this type?
listens() { vnode node exec "$1" -- grep -q ' 88b5 ' /proc/net/packet; }

# The delay map of a ring whose links stamp their frames, which arrive as they were sent.
delays_are_told() {
	local receiver
	twin stamped | sed 's/subtype="GRE"/subtype="TimestampLink"/' >"$WORK/stamped.xml"
	vnode slice create "$WORK/stamped.xml" --wait
	eventually 30 ping_from stamped/n1 10.1.12.2
	vnode node exec stamped/n1 -- ping -c 200 -i 0.005 -q 10.1.12.2
	vnode node exec stamped/n2 --timeout 30s -- rawframe receive to1 88b5 1400 20 4711 20000 >"$WORK/received" &
	receiver=$!
	eventually 20 listens stamped/n2
	vnode node exec stamped/n1 -- rawframe send to2 88b5 1400 20 4711
	wait "$receiver"
	grep -q 'ok 20' "$WORK/received"
	vnode link delays --slice stamped
	vnode link delays --slice stamped --json >"$WORK/delays"
	jq -e '[.delays[] | select(.link == "l12")] | length == 2 and
		(map("\(.from_host) \(.to_host)") | sort == ["koganei nagoya", "nagoya koganei"]) and
		all(.received >= 200 and .lost == 0 and .clock_error_ns >= -1)' "$WORK/delays"
	jq -e '.delays | all(.slice == "stamped" and .min_ns > 0 and .min_ns <= .p50_ns and
		.p50_ns <= .p99_ns and .p99_ns <= .max_ns and .avg_ns <= .max_ns and
		.max_ns < 10000000000)' "$WORK/delays"
	vnode slice delete stamped --yes --wait
	no_orphans
}

stop_and_run_again() {
	vnode slice stop one --wait
	assert_equal STOPPED "$(vnode slice show one --json | jq -r '.slices[0].state')"
	refuses ping_from one/n1 10.1.12.2
	vnode slice run one --wait
	eventually 10 ping_from one/n1 10.1.12.2
}

# refusal CODE LINE-PATTERN EXIT FILE: create is refused so, and nothing is left
refusal() {
	local status=0
	vnode slice create "$4" --wait --timeout 60s >"$WORK/out" 2>&1 || status=$?
	cat "$WORK/out"
	grep -q "\[$1\]" "$WORK/out"
	[ "$2" = - ] || grep -Eq "$2" "$WORK/out"
	assert_equal "$3" "$status"
}

too_much_cpu() {
	twin big | sed 's/key="cpu" value="1"/key="cpu" value="99"/' >"$WORK/big.xml"
	refusal R01 'at .*big.xml:[0-9]+' 6 "$WORK/big.xml"
	no_orphans
	grep -q free "$WORK/out"
}

too_much_bandwidth() {
	twin wide | sed 's/20Mbps/900Mbps/' >"$WORK/wide.xml"
	refusal 'R0[23]' 'at .*wide.xml:[0-9]+' 6 "$WORK/wide.xml"
	no_orphans
}

impossible_latency() {
	twin fast | sed '0,/<resource key="bandwidth" value="20Mbps"\/>/s//&<resource key="latency" value="1us"\/>/' >"$WORK/fast.xml"
	refusal R03 'at .*fast.xml:[0-9]+' 6 "$WORK/fast.xml"
	no_orphans
}

unknown_image() {
	twin odd | sed 's/image:container-minimal/image:no-such/' >"$WORK/odd.xml"
	refusal S13 'at .*odd.xml:[0-9]+' 3 "$WORK/odd.xml"
	no_orphans
}

unreachable_vnode() {
	twin away >"$WORK/away.xml"
	on osaka sh -c 'kill -STOP $(pidof programmerd) $(pidof redirectord)'
	eventually 60 host_is osaka down
	trap "on osaka sh -c 'kill -CONT \$(pidof programmerd) \$(pidof redirectord)'" EXIT
	refusal O03 osaka 8 "$WORK/away.xml"
	on osaka sh -c 'kill -CONT $(pidof programmerd) $(pidof redirectord)'
	eventually 60 host_is osaka up
	no_orphans
}

host_is() {
	[ "$(vnode host list --json | jq -r ".hosts[] | select(.name == \"$1\") | .state")" = "$2" ]
}

delete_everything() {
	local slice
	for slice in $(vnode slice list --json | jq -r '.slices[].name'); do
		vnode slice delete "$slice" --yes --wait
	done
	assert_equal 0 "$(slice_count)"
	no_orphans
	assert_equal 0 "$(vnode path list --json | jq '.paths | length')"
}

# A caller without a certificate, or with one that is not good for this, is refused.
curl_sncd() {
	curl -sS --max-time 5 --unix-socket "$(host_state ctl)/run/sncd.sock" --cacert "$PKI/ca.crt" "$@" \
		-H 'Content-Type: text/xml' -d "$CALL" https://snc.ctl.vnode/RPC2
}

CALL='<?xml version="1.0"?><methodCall><methodName>snc.slice_list</methodName><params><param><value><struct></struct></value></param></params></methodCall>'

# A certificate of yesterday; `vnode pki` makes none such.
expired_certificate() {
	printf 'subjectAltName=URI:urn:vnode:role:admin:admin\nextendedKeyUsage=clientAuth\n' >"$1.ext"
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=admin \
		-keyout "$1.key" -out "$1.csr"
	openssl x509 -req -in "$1.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAserial "$1.serial" \
		-CAcreateserial -days -1 -extfile "$1.ext" -out "$1.crt"
}

strangers_are_refused() {
	PKI=$(host_state pki)
	"$ROOT/build/bin/vnode" pki init "$WORK/other"
	"$ROOT/build/bin/vnode" pki issue "$WORK/other" --role admin --name admin --out "$WORK/rogue"
	expired_certificate "$WORK/old"
	"$ROOT/build/bin/vnode" pki issue "$PKI" --role peer --name stranger --out "$WORK/peer"
	"$ROOT/build/bin/vnode" pki issue "$PKI" --role admin --name admin --out "$WORK/good"
	refuses curl_sncd
	refuses curl_sncd --cert "$WORK/rogue.crt" --key "$WORK/rogue.key"
	refuses curl_sncd --cert "$WORK/old.crt" --key "$WORK/old.key"
	curl_sncd --cert "$WORK/peer.crt" --key "$WORK/peer.key" | grep forbidden
	curl_sncd --cert "$WORK/good.crt" --key "$WORK/good.key" | grep slices
}

testbed up >"$WORK/up.log" 2>&1 || { cat "$WORK/up.log"; exit 1; }
test_case "hello-ring reaches its neighbours" hello_ring_reaches_its_neighbours
test_case "a link of hello-ring carries its ceiling" link_of_100_mbps_carries_its_ceiling
test_case "what somebody takes away is back and told" what_is_taken_away_is_back_and_told
test_case "events of a slice that never was are refused" events_of_no_slice
test_case "a link within a host is shaped" link_within_a_host_is_shaped
test_case "a multipoint link joins all its ends" multipoint_link_joins_all_its_ends
test_case "a vport without a link leads nowhere" unbound_port_leads_nowhere
test_case "two slices with the same names and addresses run side by side" two_slices_run_side_by_side
test_case "frames stay in their slice" frames_stay_in_their_slice
test_case "a frame of an unknown type arrives unchanged" an_unknown_frame_type_arrives_unchanged
test_case "delays of links with stamps are told, their frames unchanged" delays_are_told
test_case "a slice stops and runs again" stop_and_run_again
test_case "too much CPU is refused" too_much_cpu
test_case "too much bandwidth is refused" too_much_bandwidth
test_case "an impossible latency is refused" impossible_latency
test_case "an unknown image is refused" unknown_image
test_case "an unreachable VNode is refused" unreachable_vnode
test_case "strangers are refused" strangers_are_refused
test_case "all is deleted, nothing is left" delete_everything
finish
