# What the benches of the data plane share: the two hosts of test/system/redirector_world.sh, worlds
# of the same shape for what we compare with, traffic, processor time, medians and verdicts. Sourced.
# shellcheck source-path=SCRIPTDIR/../test/system
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../test/system/lib.sh"
. "$ROOT/test/system/redirector_world.sh"

PREFIX=plane-$$
FRAMES=$ROOT/build/bench/frames
N_MISSED=0

# Bytes that a full frame of a slice has, and on the wire.
FRAME=1514 WIRE=1556

# Senders that still run when a bench is broken off end with it.
at_end() {
	local job
	for job in $(jobs -p); do
		kill "$job" 2>/dev/null || true
	done
	world_down
}

# wire_bps RATE: what a class must have to carry so many bit/s of own full frames
wire_bps() { echo $(($1 * WIRE / FRAME)); }

# plane_up RATE: v1 and v2 with a redirectord each, ports of RATE (30Gbps)
plane_up() {
	local host
	world_up
	for host in v1 v2; do
		daemon_config $host "$1"
		daemon_start $host
	done
}

# pair I BPS [KEY=VALUE…]: link I with containers aI (v1) and bI (v2), 192.168.9.1 and .2
pair() {
	local n=$((11 + 2 * $1)) bps=$2
	container "a$1" v1 $n 192.168.9.1
	container "b$1" v2 $((n + 1)) 192.168.9.2
	shift 2
	link_up $n "rate_bps=$bps" "ceil_bps=$bps" "$@"
}

# frames_start NAME OUTPUT WORD…: bench/frames.c in a container, in the background; $! is its pid
frames_start() {
	local netns=/run/netns/$PREFIX-$1 output=$2
	shift 2
	(exec nsenter --net="$netns" nice -n -15 "$FRAMES" "$@") >"$output" &
}

# rx_counts NAME DEVICE: bytes and frames that a device received so far
rx_counts() { in_ns "$1" "$FRAMES" rates 1 1 "$2" | cut -d' ' -f2,3; }

# ksoftirqd_ns: processor time of the kernel's threads for deferred network work
ksoftirqd_ns() {
	local pid sum=0 ns
	for pid in $(pgrep ksoftirqd); do
		read -r ns _ <"/proc/$pid/schedstat"
		sum=$((sum + ns))
	done
	echo $sum
}

# value NAME <LINES: of a line NAME=VALUE
value() { sed -n "s/^$1=//p"; }

median() { printf '%s\n' "$@" | python3 -c 'import statistics, sys; print(round(statistics.median(map(float, sys.stdin)), 5))'; }

# median_ratio FILE VARIANT BASE: lines "ROUND VARIANT VALUE …"; of the ratios of each round
median_ratio() {
	awk -v a="$2" -v b="$3" '$2 == a {x[$1] = $3} $2 == b {y[$1] = $3}
		END {for (i in x) print x[i] / y[i]}' "$1" |
		python3 -c 'import statistics, sys; print(round(statistics.median(map(float, sys.stdin)), 4))'
}

# calc EXPRESSION [FORMAT]
calc() { python3 -c 'import sys; print(format(eval(sys.argv[1]), sys.argv[2]))' "$1" "${2:-.4g}"; }

# bar WHAT VALUE OPERATOR LIMIT: the verdict, kept for plane_verdict
bar() {
	local verdict=ok
	[ "$(calc "int($2 $3 $4)" d)" = 1 ] || { verdict=missed && N_MISSED=$((N_MISSED + 1)); }
	echo "bar: $1: $2 (wanted $3 $4) $verdict"
}

# Last line of each bench: exit code 1 when a bar was missed.
plane_verdict() { [ $N_MISSED = 0 ]; }

# bare_world NAME: five network namespaces of the shape of ours, with nothing but addresses on the
# underlay and routes over it:
#     NAMEh1 e0 -- p0 NAMEv1 u0 -- t1 NAMErt t2 -- u0 NAMEv2 p0 -- e0 NAMEh2
bare_world() {
	local name=$1 i
	for i in h1 v1 rt v2 h2; do
		ns_make "$name$i"
	done
	in_ns "${name}rt" sysctl -qw net.ipv4.ip_forward=1
	for i in 1 2; do
		ip link add u0 netns "$PREFIX-${name}v$i" mtu 1600 type veth \
			peer name "t$i" mtu 1600 netns "$PREFIX-${name}rt"
		ip link add e0 netns "$PREFIX-${name}h$i" type veth \
			peer name p0 netns "$PREFIX-${name}v$i"
		device_up "${name}v$i" u0 "10.64.$i.1/24"
		device_up "${name}rt" "t$i" "10.64.$i.254/24"
		device_up "${name}v$i" p0
		device_up "${name}h$i" e0
		ip -n "$PREFIX-${name}v$i" route add default via "10.64.$i.254"
	done
}

# device_up NAME DEVICE [ADDRESS]
device_up() {
	ip -n "$PREFIX-$1" link set "$2" up
	[ -z "${3:-}" ] || ip -n "$PREFIX-$1" addr add "$3" dev "$2"
}

# address_pair NAME: both ends in one subnet, as a virtual link has them
address_pair() {
	ip -n "$PREFIX-${1}h1" addr add 192.168.9.1/24 dev e0
	ip -n "$PREFIX-${1}h2" addr add 192.168.9.2/24 dev e0
}

# offloads_off NAME DEVICE: neither sums nor large frames are left to the device
offloads_off() { in_ns "$1" ethtool -K "$2" tx off tso off gso off gro off >/dev/null; }

# tcp_per_core CLIENT ADDRESS SECONDS PID…: one run of iperf3; prints Gbit/s per core, Gbit/s, and
# cores: processor time of client, server, daemons (PIDs) and ksoftirqd per second.
tcp_per_core() {
	local netns=/run/netns/$PREFIX-$1
	shift
	python3 - "$netns" "$@" <<-'END'
		import glob, json, os, subprocess, sys
		netns, address, seconds, *pids = sys.argv[1:]
		pids += subprocess.run(["pgrep", "ksoftirqd"], capture_output=True, text=True).stdout.split()
		def run_seconds():
		    files = (f for pid in pids for f in glob.glob(f"/proc/{pid}/task/*/schedstat"))
		    return sum(int(open(f).read().split()[0]) for f in files) / 1e9
		before = run_seconds()
		client = subprocess.Popen(["nsenter", "--net=" + netns, "--", "iperf3", "-c", address,
		    "-t", seconds, "-J"], stdout=subprocess.PIPE)
		end = json.load(client.stdout)["end"]
		usage = os.wait4(client.pid, 0)[2]
		cpu = run_seconds() - before + usage.ru_utime + usage.ru_stime
		got = end["sum_received"]
		print(got["bytes"] * 8e-9 / cpu, got["bits_per_second"] * 1e-9, cpu / got["seconds"])
	END
}
