#!/bin/bash
# What somebody takes away by hand is back within two seconds (a busy test machine is allowed six), and a note
# tells of it. One case for each kind of thing that redirectord keeps in the kernel.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/redirector_world.sh"

DEVICE=vn$(rid 11)
PINS=$WORK/v1/run/bpf/$(sed -n 's/.*REDIRECT_PIN_DIR "\(.*\)".*/\1/p' "$ROOT/redirector/bpf/redirect_abi.h")

ping_passes() { in_ns "$1" ping -q -c 2 -i 0.02 -W 1 192.168.9.2; }

# All that redirectord keeps on v1, as far as it stays the same while frames pass.
kept() {
	# shellcheck disable=SC2016 # for the shell in the namespace
	in_ns v1 sh -c 'for device in u0 vnloop0 vnloop1; do
			tc class show dev $device
			tc qdisc show dev $device
		done | sort
		for device in "$0" u0 vnloop0 vnloop1; do "$1/hookctl" show "$device"; done' \
		"$DEVICE" "$TOOLS"
	for map in vn_departures vn_arrivals vn_formats; do
		bpftool -j map dump pinned "$PINS/$map"
	done | jq -c '[.[] | {key, value}] | sort_by(.key | tostring)'
	ls "$PINS"
}

is_kept() {
	kept >"$WORK/kept.now" 2>&1
	cmp -s "$WORK/kept.now" "$WORK/kept.before"
}

# noted N PATTERN: more than N notes of v1 match.
noted() {
	[ "$(ctl v1 notes | grep -c "repaired .*$2")" -gt "$1" ]
}

# back PATTERN FROM COMMAND…: what the command takes away is as before, frames of container FROM
# pass, and there is a note with PATTERN.
back() {
	local pattern=$1 from=$2 start n
	shift 2
	ping_passes "$from"
	kept >"$WORK/kept.before"
	n=$(ctl v1 notes | grep -c "repaired .*$pattern") || true
	start=$(date +%s%N)
	"$@"
	eventually 6 is_kept || { diff "$WORK/kept.before" "$WORK/kept.now"; return 1; }
	eventually 6 ping_passes "$from"
	echo "back after $((($(date +%s%N) - start) / 1000000)) ms (${pattern:-$1})" | tee -a "$WORK/times"
	eventually 2 noted "$n" "$pattern" || { ctl v1 notes; return 1; }
}

tc_v1() { in_ns v1 tc "$@"; }

# The class that frames of c1 go to, and the one above it.
leaf() { tc_v1 class show dev u0 | sed -n 's/^class htb 1:\([0-9a-f]*\) .* leaf .* rate 100Mbit .*/\1/p'; }
above() { tc_v1 class show dev u0 | sed -n "s/^class htb 1:$1 parent 1:\([0-9a-f]*\) .*/\1/p"; }

take_leaf() { tc_v1 class del dev u0 classid "1:$(leaf)"; }

take_slice() {
	local leaf slice
	leaf=$(leaf)
	slice=$(above "$leaf")
	tc_v1 class del dev u0 classid "1:$leaf"
	tc_v1 class del dev u0 classid "1:$slice"
}

change_slice() {
	tc_v1 class change dev u0 parent 1:1 classid "1:$(above "$(leaf)")" htb rate 1mbit
}

replace_queue() { tc_v1 qdisc replace dev u0 parent "1:$(leaf)" handle 7777: pfifo limit 3; }

# delete_entry MAP: all that has our port or our key
delete_entry() {
	local key
	bpftool -j map dump pinned "$PINS/$1" | jq -r '.[].key | join(" ")' | while read -r key; do
		# shellcheck disable=SC2086
		bpftool map delete pinned "$PINS/$1" key $key
	done
}

remove_pins() { rm "$PINS/vn_departures" "$PINS/vn_counts"; }

take_loop() { ip -n "$PREFIX-v1" link del vnloop0; }

# ---- what is not the same afterwards: devices have new numbers --------------------------------

# again PATTERN FROM: frames pass, and there is a note.
again() {
	local start
	start=$(date +%s%N)
	eventually 6 ping_passes "$2"
	echo "back after $((($(date +%s%N) - start) / 1000000)) ms (${pattern:-$1})" | tee -a "$WORK/times"
	eventually 2 noted 0 "$1" || { ctl v1 notes; return 1; }
}

case_port() {
	ip -n "$PREFIX-v1" link del "$DEVICE"
	eventually 6 is_waiting "$DEVICE"
	container c1 v1 11 192.168.9.1
	again "no device '$DEVICE'" c1
}

is_waiting() { ctl v1 status | grep "real=0 .*$1"; }

case_underlay_down() {
	ip -n "$PREFIX-v1" link set u0 down
	eventually 6 is_waiting "'u0' is down"
	ip -n "$PREFIX-v1" link set u0 up
	again "'u0' is down" c1
}

case_loop() {
	take_loop
	again "no device 'vnloop" d1
}

# Maps that were pinned again are those that frames go by: the next run adopts them.
case_restart_after_pins() {
	local before
	before=$(counter v1 11 tx_frames)
	[ "$before" -gt 0 ]
	daemon_kill v1
	daemon_start v1
	ping_passes c1
	[ "$(counter v1 11 tx_frames)" -gt "$before" ]
}

# The same of one link end is noted once in ten seconds, however often it happens.
case_no_storm() {
	local n start=$SECONDS
	n=$(ctl v1 notes | wc -l)
	for _ in 1 2 3; do
		kept >"$WORK/kept.before"
		take_leaf
		eventually 6 is_kept
	done
	[ "$(ctl v1 notes | wc -l)" -le $((n + 1 + (SECONDS - start) / 10)) ]
}

world_up
for host in v1 v2; do
	daemon_config $host 1Gbps
	daemon_start $host
done
container c1 v1 11 192.168.9.1
container c2 v2 12 192.168.9.2
link_up 11
container d1 v1 21 192.168.9.1
container d2 v1 22 192.168.9.2
link_files loop0 slice=s2 port=21 key=21 underlay=loop0
link_files loop1 slice=s2 port=22 key=21 underlay=loop1
end_up v1 21 loop0
end_up v1 22 loop1
[ -d "$PINS" ]
eventually 5 ping_passes c1
eventually 5 ping_passes d1

test_case "the root of a shaper" back "has no class" c1 tc_v1 qdisc del dev u0 root
test_case "the root of a loop's shaper" back "has no class" d1 tc_v1 qdisc del dev vnloop1 root
test_case "the class of a link end" back "has no class 1:$(leaf)" c1 take_leaf
test_case "a class of a slice" back "has no class" c1 take_slice
test_case "the rate of a slice" back "has other values" c1 change_slice
test_case "the queue of a link end" back "has not its queue" c1 replace_queue
test_case "the program of a port" back "port's program is not attached" c1 \
	in_ns v1 "$TOOLS/hookctl" detach "$DEVICE"
test_case "the program of an underlay port" back "'u0': its program is not attached" c1 \
	in_ns v1 "$TOOLS/hookctl" detach u0
test_case "entries of ports" back "port has no entry" c1 delete_entry vn_departures
test_case "entries of keys" back "key has no entry" c1 delete_entry vn_arrivals
test_case "how a type of link is recognised" back "type of link is not recognised" c1 \
	delete_entry vn_formats
test_case "pins of maps" back "pins were missing: vn_departures, vn_counts" c1 remove_pins
test_case "what was pinned again is adopted" case_restart_after_pins
test_case "a port's device, made again" case_port
test_case "an underlay port that was down" case_underlay_down
test_case "the loop" case_loop
test_case "repairs are no storm of notes" case_no_storm
sort -t' ' -k3n "$WORK/times" | tail -1
finish
