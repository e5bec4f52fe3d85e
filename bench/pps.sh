#!/bin/bash
# What a small frame costs on its way out of a container: from the container's device, encapsulated,
# shaped, to the next router, where it is counted and dropped. ns per frame = processor time of sender
# and ksoftirqd / frames counted at the sink. The sender (AF_PACKET, sendmmsg, no qdisc) costs the same
# in all variants, which take turns:
#   veth       a veth pair alone, dropped at its far end by a BPF program: the baseline
#   link       redirectord: encapsulate and shape
#   policed, besteffort   the same link in the other modes
# usage: bench/pps.sh [SECONDS] [ROUNDS] [SIZE]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/plane_lib.sh"

SECONDS_EACH=${1:-1} ROUNDS=${2:-9} SIZE=${3:-60}

# run ROUND VARIANT CLIENT SINK DEVICE
run() {
	local before after ns
	before=$(rx_counts "$4" "$5")
	ns=$(ksoftirqd_ns)
	in_ns "$3" nice -n -10 "$FRAMES" blast "$SIZE" "$SECONDS_EACH" e0 >"$WORK/sent"
	ns=$(($(value cpu_ns <"$WORK/sent") + $(ksoftirqd_ns) - ns))
	after=$(rx_counts "$4" "$5")
	echo "$1 $2 $(calc "$ns / (${after#* } - ${before#* })" .1f)" \
		"$((${after#* } - ${before#* })) $(value sent <"$WORK/sent")"
}

GBPS=1000000000
VARIANTS=(veth link policed besteffort)

plane_up 40Gbps
pair 0 $((10 * GBPS))
pair 1 $((10 * GBPS)) isolation=policing slice=s2
pair 2 0 "ceil_bps=$((10 * GBPS))" isolation=besteffort slice=s3
bare_world n
in_ns rt "$FRAMES" drop r1
in_ns nv1 "$FRAMES" drop p0
for round in $(seq "$ROUNDS"); do
	run "$round" veth nh1 nv1 p0
	run "$round" link a0 rt r1
	run "$round" policed a1 rt r1
	run "$round" besteffort a2 rt r1
done >"$WORK/runs"
python3 - "$WORK/runs" "${VARIANTS[@]}" <<'END'
import statistics, sys
runs = [line.split() for line in open(sys.argv[1])]
print("variant     ns per frame: median (least, most)   sent and not counted")
for variant in sys.argv[2:]:
    ns, counted, sent = zip(*[map(float, run[2:]) for run in runs if run[1] == variant])
    print(f"{variant:11} {statistics.median(ns):16.0f} ({min(ns):.0f}, {max(ns):.0f}) {1 - sum(counted) / sum(sent):22.4%}")
END
bar "link / veth" "$(median_ratio "$WORK/runs" link veth)" '<=' 2.3
plane_verdict
