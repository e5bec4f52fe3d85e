# Two emulated hosts with redirectord, a router between them, and containers (network namespaces)
# on ports; sourced behind lib.sh. Everything is named $PREFIX-… and goes away at the end.
#
#     c1 e0 ── vnPORT [v1] u0 ── r1 [rt] r2 ── u0 [v2] vnPORT ── e0 c2
# shellcheck shell=bash

BIN=$ROOT/build/bin
TOOLS=$ROOT/build/test
PREFIX=redir-$$

# What lib.sh does at the end is for testbeds; here the world goes.
at_end() {
	world_down
}

# Run a command in the network namespace of a host or container.
in_ns() {
	local name=$1
	shift
	nsenter --net="/run/netns/$PREFIX-$name" -- "$@"
}

ns_make() {
	ip netns add "$PREFIX-$1"
	ip -n "$PREFIX-$1" link set lo up
}

# world_up: hosts v1 and v2 with underlay 10.64.1.0/24 and 10.64.2.0/24, path addresses routed.
world_up() {
	local host number
	for host in v1 v2 rt; do
		ns_make "$host"
	done
	in_ns rt sysctl -qw net.ipv4.ip_forward=1
	for number in 1 2; do
		host=v$number
		ip link add "u0" netns "$PREFIX-$host" mtu 1600 type veth \
			peer name "r$number" mtu 1600 netns "$PREFIX-rt"
		ip -n "$PREFIX-$host" addr add "10.64.$number.1/24" dev u0
		ip -n "$PREFIX-$host" link set u0 up
		ip -n "$PREFIX-rt" addr add "10.64.$number.254/24" dev "r$number"
		ip -n "$PREFIX-rt" link set "r$number" up
		ip -n "$PREFIX-rt" route add "10.65.0.$number/32" via "10.64.$number.1"
	done
	"$BIN/vnode" pki init "$WORK/pki" >/dev/null
	"$BIN/vnode" pki issue "$WORK/pki" --role snc --name ctl --out "$WORK/client" >/dev/null
	cp "$WORK/pki/ca.crt" "$WORK/ca.crt"
}

# daemon_config HOST UNDERLAY-RATE [DRIVER [HOOK]]: those of the environment unless given, or auto.
daemon_config() {
	local dir=$WORK/$1
	mkdir -p "$dir/run" "$dir/pki" "$dir/state" "$dir/links"
	cp "$WORK/pki/ca.crt" "$dir/pki/"
	[ -e "$dir/pki/redirectord.crt" ] || "$BIN/vnode" pki issue "$WORK/pki" \
		--role redirector --name "$1" --ip 127.0.0.1 --out "$dir/pki/redirectord" >/dev/null
	cat >"$dir/redirectord.conf" <<-END
		[daemon]
		name=$1
		listen=127.0.0.1:7703
		pki=$dir/pki
		state=$dir/state
		socket=$dir/run/redirectord.sock
		[underlay]
		u0=$2
		[dataplane]
		driver=${3:-${DRIVER:-auto}}
		hook=${4:-${HOOK:-auto}}
		[plugin]
		links=$dir/links
	END
}

# daemon_start HOST: in the host's network namespace, with its own /run/vnode, which outlives it.
daemon_start() {
	local host=$1 dir=$WORK/$1
	if [ ! -e "$dir/mnt" ]; then
		mount --bind "$dir/run" "$dir/run"
		mount --make-private "$dir/run"
		touch "$dir/mnt"
		mkdir -p "$dir/run/bpf"
		mount -t bpf bpf "$dir/run/bpf"
	fi
	(
		exec nsenter --net="/run/netns/$PREFIX-$host" unshare --mount sh -c "
			mkdir -p /run/vnode && mount --bind $dir/run /run/vnode &&
			mount --bind $dir/run/bpf /run/vnode/bpf &&
			exec $BIN/redirectord --config $dir/redirectord.conf"
	) >>"$dir/log" 2>&1 &
	echo $! >"$dir/pid"
	eventually 10 ctl "$host" doctor || { cat "$dir/log" && return 1; }
}

# daemon_kill HOST: as SIGKILL does; gone when this returns.
daemon_kill() {
	local pid
	pid=$(cat "$WORK/$1/pid")
	kill -KILL "$pid"
	eventually 10 refuses kill -0 "$pid"
}

# ctl HOST VERB …: speak to its redirectord.
ctl() {
	local host=$1
	shift
	"$TOOLS/managerctl" "unix:$WORK/$host/run/redirectord.sock" "redirector.$host.vnode" \
		"$WORK" "$@"
}

# rid N: an id of epoch 1
rid() {
	local value=$((1 << 40 | $1)) digits=0123456789abcdefghijklmnopqrstuv text='' shift
	for ((shift = 59; shift >= 4; shift -= 5)); do
		text+=${digits:value >> shift & 31:1}
	done
	echo "$text${digits:(value & 15) << 1:1}"
}

# container NAME HOST PORT ADDRESS [DEVICE [GSO-SEGMENTS]]: a namespace (made if needed) with DEVICE
# (e0) on the port's device, in the state that programmerd hands over.
container() {
	local port device=${5:-e0} feature
	port=vn$(rid "$3")
	[ -e "/run/netns/$PREFIX-$1" ] || ns_make "$1"
	ip link add "$device" netns "$PREFIX-$1" type veth peer name "$port" netns "$PREFIX-$2"
	in_ns "$2" sysctl -qw "net.ipv6.conf.$port.disable_ipv6=1"
	for feature in udp_tnl udp_tnl-csum gre gre-csum ipxip4 ipxip6; do
		in_ns "$1" ethtool -K "$device" "tx-$feature-segmentation" off
	done
	[ -z "${6:-}" ] || ip -n "$PREFIX-$1" link set "$device" gso_max_segs "$6"
	ip -n "$PREFIX-$2" link set "$port" gro_max_size $((${6:-43} * 1500 + 1))
	in_ns "$2" ethtool -K "$port" gro on
	in_ns "$1" sysctl -qw "net.ipv6.conf.$device.router_solicitations=0"
	ip -n "$PREFIX-$2" link set "$port" up
	ip -n "$PREFIX-$1" link set "$device" up
	ip -n "$PREFIX-$1" addr add "$4/24" dev "$device"
}

# link_files NAME KEY=VALUE…: spec and attributes of a link end; unnamed keys have defaults;
# reserved_bps is what the spec reserves (rate_bps unless given).
# config=KEY:VALUE,… are parameters of the link's type.
link_files() {
	local name=$1 slice=s1 link=l1 node=n1 port=0 underlay=u0 key=1001 mtu=1500 queue=""
	local type=${LINK_TYPE:-} config="" item
	local rate_bps=100000000 ceil_bps=100000000 burst_bytes=0 isolation=shaping priority=0
	local reserved_bps="" open=on local=10.65.0.1 remote=10.65.0.2 next_hop=10.64.1.254 pair
	shift
	for pair in "$@"; do
		local "$pair"
	done
	printf '%s\n' "slice=$slice" "link=$link" "node=$node" "port=$(rid "$port")" \
		"underlay=$underlay" "key=$key" "mtu=$mtu" "overhead=42" "rate_bps=${reserved_bps:-$rate_bps}" \
		${queue:+"queue=$queue"} ${type:+"type=$type"} >"$WORK/$name.spec"
	for item in ${config//,/ }; do
		printf 'config=%s\n' "${item/:/ }"
	done >>"$WORK/$name.spec"
	printf '%s\n' "open=$open" "rate_bps=$rate_bps" "ceil_bps=$ceil_bps" \
		"burst_bytes=$burst_bytes" "isolation=$isolation" "priority=$priority" \
		>"$WORK/$name.attr"
	case $underlay in
	loop*) ;;
	*) printf '%s\n' "local=$local" "remote=$remote" "next_hop=$next_hop" ;;
	esac >>"$WORK/$name.attr"
}

# end_up HOST N FILES: reserve and commit link end number N.
end_up() {
	ctl "$1" reserve "$(rid "$2")" link_end "$WORK/$3.spec" >/dev/null &&
		ctl "$1" commit "$(rid "$2")" "$WORK/$3.attr" >/dev/null
}

# link_up N KEY=VALUE…: both ends (N at v1, N+1 at v2) of a link between ports N and N+1.
link_up() {
	local n=$1
	shift
	link_files "a$n" "port=$n" "key=$n" "$@"
	link_files "b$n" "port=$((n + 1))" "key=$n" local=10.65.0.2 remote=10.65.0.1 \
		next_hop=10.64.2.254 "$@"
	end_up v1 "$n" "a$n" && end_up v2 "$((n + 1))" "b$n"
}

link_down() {
	ctl v1 release "$(rid "$1")" >/dev/null && ctl v2 release "$(rid $(($1 + 1)))" >/dev/null
}

# counter HOST N NAME
counter() {
	ctl "$1" counters "$(rid "$2")" | sed -n "s/^$3=//p"
}

# iperf_serve NAME…: iperf3 servers in containers.
iperf_serve() {
	local name
	for name in "$@"; do
		in_ns "$name" iperf3 -s -D -I "$WORK/$name.iperf" >/dev/null
		eventually 10 test -s "$WORK/$name.iperf"
	done
}

# tcp_bps CLIENT ADDRESS SECONDS [OPTION…]: goodput, one second left out first.
tcp_bps() {
	local client=$1 address=$2 seconds=$3
	shift 3
	in_ns "$client" iperf3 -c "$address" -t "$seconds" -O 1 -J "$@" | python3 -c '
import json, sys
print(int(json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"]))'
}

mbps() { echo $(($1 * 1000000)); }

# What a class must have to carry so many Mbit/s of the slice's own full frames.
wire() { echo $(($1 * 1000000 * 1556 / 1514)); }

# frames_pass FROM TO ETHERTYPE SIZE COUNT
frames_pass() {
	local seed=$((RANDOM)) receiver
	rm -f "$WORK/received"
	in_ns "$2" "$TOOLS/rawframe" receive e0 "$3" "$4" "$5" "$seed" 5000 >"$WORK/received" &
	receiver=$!
	eventually 5 grep -q ready "$WORK/received"
	in_ns "$1" "$TOOLS/rawframe" send e0 "$3" "$4" "$5" "$seed"
	wait "$receiver"
}

ping_passes() { in_ns "$1" ping -q -c 3 -i 0.05 -W 1 "$2"; }

refused_with() {
	local code=$1 answer
	shift
	refuses "$@" >"$WORK/answer"
	cat "$WORK/answer"
	read -r answer _ <"$WORK/answer"
	assert_equal "$code" "$answer"
}

# within VALUE LEAST MOST: decimal numbers. Bounds of rates are wide here: a run of a few seconds holds a
# burst and a busy machine; bench/redirect_tcp.sh measures
within() {
	python3 -c 'import sys; v, a, b = map(float, sys.argv[1:]); print(v, "within", a, b); sys.exit(not a <= v <= b)' \
		"$@"
}

# one_of_five COMMAND…: it succeeds once in five times. What others on the machine take for a while
# spoils a measurement of a few seconds; what is wrong is wrong in all five.
one_of_five() {
	local n
	for n in 1 2 3 4 5; do
		(
			trap - EXIT
			"$@"
		) &
		! wait $! || return 0
	done
	return 1
}

# carries LEAST MOST COMMAND…: what the command measures, in bit/s, lies between (MOST may be inf).
carries() { one_of_five measured_within "$@"; }

measured_within() { within "$("${@:3}")" "$1" "$2"; }

world_down() {
	local pid_file name
	for pid_file in "$WORK"/*/pid "$WORK"/*.iperf; do
		[ -s "$pid_file" ] || continue
		kill "$(tr -d '\0' <"$pid_file")" 2>/dev/null || true
	done
	for name in $(ip netns list | awk '{print $1}' | grep "^$PREFIX-" || true); do
		ip netns del "$name"
	done
	for name in "$WORK"/*/mnt; do
		umount "${name%mnt}run/bpf" 2>/dev/null || true
		umount "${name%mnt}run" 2>/dev/null || true
	done
	rm -rf "$WORK"
}
