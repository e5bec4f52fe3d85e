#!/bin/bash
# TCP through one virtual link, side by side with what else could carry it: Gbit/s per core = goodput
# of iperf3 / processor seconds a second of client, server, ksoftirqd and daemons of the path. All
# hosts of a path are namespaces of this machine, so the whole path is in that time. The variants
# take turns; the bars are medians of the rounds' ratios.
#   link     redirectord, GRE and shaper, GSO on
#   routed   plain IP routing over the same kind of veths, no qdisc
#   vxlan    the kernel's VXLAN device and bridge
#   link-1   redirectord again, without GSO, TSO and checksum offload at the containers
#   ovs      Open vSwitch's user-space datapath at both hosts, GRE, without those offloads (it reads
#            and writes raw frames)
# usage: bench/tcp_per_core.sh [SECONDS] [ROUNDS]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/plane_lib.sh"

SECONDS_EACH=${1:-3} ROUNDS=${2:-5}
RATE=30000000000
declare -A CLIENT=([link]=a0 [routed]=rh1 [vxlan]=xh1 [link-1]=a1 [ovs]=oh1)
declare -A SERVER=([link]=b0 [routed]=rh2 [vxlan]=xh2 [link-1]=b1 [ovs]=oh2)
declare -A ADDRESS=([routed]=192.168.2.1)
declare -A DAEMONS=([ovs]=yes)
VARIANTS=(link routed vxlan link-1 ovs)

routed_up() {
	local i
	bare_world r
	for i in 1 2; do
		in_ns "rv$i" sysctl -qw net.ipv4.ip_forward=1
		ip -n "$PREFIX-rh$i" addr add "192.168.$i.1/24" dev e0
		ip -n "$PREFIX-rv$i" addr add "192.168.$i.254/24" dev p0
		ip -n "$PREFIX-rh$i" route add default via "192.168.$i.254"
		ip -n "$PREFIX-rrt" route add "192.168.$i.0/24" via "10.64.$i.1"
	done
}

vxlan_up() {
	local i
	bare_world x
	address_pair x
	for i in 1 2; do
		ip -n "$PREFIX-xv$i" link add br0 type bridge
		ip -n "$PREFIX-xv$i" link add vx0 type vxlan id 1001 local "10.64.$i.1" \
			remote "10.64.$((3 - i)).1" dstport 4789
		ip -n "$PREFIX-xv$i" link set vx0 mtu 1500 master br0
		ip -n "$PREFIX-xv$i" link set p0 master br0
		device_up "xv$i" vx0
		device_up "xv$i" br0
	done
}

# ovs I WORD…: to the Open vSwitch of host I
ovs() {
	local dir=$WORK/ovs$1
	shift
	ovs-vsctl "--db=unix:$dir/db.sock" --timeout=10 "$@"
}

ovs_host_up() {
	local i=$1 dir=$WORK/ovs$1
	mkdir -p "$dir" "$WORK/ovsdb$i"
	ovsdb-tool create "$dir/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	OVS_RUNDIR=$dir in_ns "ov$i" ovsdb-server "$dir/conf.db" "--remote=punix:$dir/db.sock" \
		"--pidfile=$WORK/ovsdb$i/pid" "--unixctl=$dir/ovsdb.ctl" \
		"--log-file=$dir/ovsdb.log" --detach 2>/dev/null
	ovs "$i" --no-wait init
	OVS_RUNDIR=$dir in_ns "ov$i" ovs-vswitchd "unix:$dir/db.sock" "--pidfile=$dir/pid" \
		"--unixctl=$dir/vswitchd.ctl" "--log-file=$dir/vswitchd.log" --detach 2>/dev/null
	ip -n "$PREFIX-ov$i" addr flush dev u0
	ovs "$i" add-br br-u -- set bridge br-u datapath_type=netdev -- add-port br-u u0
	ovs "$i" add-br br0 -- set bridge br0 datapath_type=netdev -- add-port br0 p0
	ovs "$i" add-port br0 gre0 -- set interface gre0 type=gre "options:local_ip=10.64.$i.1" \
		"options:remote_ip=10.64.$((3 - i)).1" options:key=1001
	device_up "ov$i" br-u "10.64.$i.1/24"
	ip -n "$PREFIX-ov$i" route replace default via "10.64.$i.254"
}

ovs_up() {
	local i
	bare_world o
	address_pair o
	for i in 1 2; do
		offloads_off "oh$i" e0
		offloads_off "ov$i" u0
		offloads_off ort "t$i"
		ovs_host_up "$i"
	done
}

answers() { in_ns "${CLIENT[$1]}" ping -q -c 1 -W 1 "${ADDRESS[$1]:-192.168.9.2}"; }

# run VARIANT
run() {
	local pids
	pids=("$(tr -d '\0' <"$WORK/${SERVER[$1]}.iperf")")
	[ -z "${DAEMONS[$1]:-}" ] || pids+=("$(cat "$WORK/ovs1/pid")" "$(cat "$WORK/ovs2/pid")")
	tcp_per_core "${CLIENT[$1]}" "${ADDRESS[$1]:-192.168.9.2}" "$SECONDS_EACH" "${pids[@]}"
}

plane_up 70Gbps
pair 0 $RATE slice=s0
pair 1 $RATE slice=s1
for end in a1 b1; do offloads_off $end e0; done
routed_up
vxlan_up
ovs_up
for variant in "${VARIANTS[@]}"; do
	iperf_serve "${SERVER[$variant]}"
	eventually 10 answers "$variant"
done

for round in $(seq "$ROUNDS"); do
	for variant in "${VARIANTS[@]}"; do
		echo "$round $variant $(run "$variant")"
	done
done >"$WORK/runs"

python3 - "$WORK/runs" "${VARIANTS[@]}" <<'END'
import statistics, sys
runs = [line.split() for line in open(sys.argv[1])]
print("variant   Gbit/s per core: median (least, most)   Gbit/s   cores")
for variant in sys.argv[2:]:
    per_core, gbps, cores = zip(*[map(float, run[2:]) for run in runs if run[1] == variant])
    print(f"{variant:9} {statistics.median(per_core):23.2f} ({min(per_core):.2f}, {max(per_core):.2f}) "
          f"{statistics.median(gbps):15.2f} {statistics.median(cores):7.2f}")
END
bar "link / routed" "$(median_ratio "$WORK/runs" link routed)" '>=' 0.98
bar "link / vxlan" "$(median_ratio "$WORK/runs" link vxlan)" '>=' 1.10
bar "link-1 / ovs" "$(median_ratio "$WORK/runs" link-1 ovs)" '>=' 6
plane_verdict
