#!/bin/bash
# Types of links: each of them between two hosts, captured on its way and decoded by tshark; VXLAN
# with the kernel's own device at the far end; a plug-in built outside the tree that comes in while
# redirectord runs.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/redirector_world.sh"

# type_up N TYPE [KEY=VALUE…]: containers N and N+1 with a link of that type; 10 Gbit/s.
type_up() {
	local n=$1 type=$2 segments=""
	shift 2
	[ "$type" != stt ] || segments=1
	container "c$n" v1 "$n" "192.168.$n.1" e0 "$segments"
	container "c$((n + 1))" v2 $((n + 1)) "192.168.$n.2" e0 "$segments"
	in_ns "c$n" sysctl -qw net.ipv6.conf.e0.disable_ipv6=1
	in_ns "c$((n + 1))" sysctl -qw net.ipv6.conf.e0.disable_ipv6=1
	link_up "$n" "type=$type" rate_bps=1000000000 ceil_bps=5000000000 "$@"
	eventually 10 ping_passes "c$n" "192.168.$n.2"
}

# capture FILE FILTER COMMAND…: what passes the router behind v1 while the command runs.
capture() {
	local file=$1 filter=$2 pid
	shift 2
	rm -f "$WORK/tcpdump.log"
	nsenter --net="/run/netns/$PREFIX-rt" tcpdump -q -U -i r1 -w "$file" -s 0 "$filter" 2>"$WORK/tcpdump.log" &
	pid=$!
	eventually 5 grep -q 'listening on' "$WORK/tcpdump.log"
	"$@"
	sleep 0.3
	kill -TERM "$pid"
	wait "$pid" || true
}

# decode FILE [OPTION…]: by tshark, IPv4 and UDP checksums verified.
decode() {
	local file=$1
	shift
	tshark -n -r "$file" -o ip.try_heuristic_first:TRUE -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE "$@" \
		2>"$WORK/tshark.log"
}

# decodes_as FILE PROTOCOLS FIELD VALUE: all of it, and nothing to complain about.
decodes_as() {
	local file=$1 protocols=$2 field=$3 value=$4 total good
	total=$(decode "$file" -T fields -e frame.number | wc -l)
	good=$(decode "$file" -T fields -e frame.protocols -e "$field" |
		awk -F'\t' -v p="$protocols" -v v="$value" \
			'index($1, p) == 1 { split($2, f, ","); n += f[1] == v } END { print n + 0 }')
	decode "$file" -T fields -e frame.protocols -e "$field" | sort | uniq -c
	[ "$total" -ge 20 ]
	assert_equal "$total" "$good"
	decode "$file" -Y '_ws.malformed || _ws.expert.severity >= 0x00600000' -V >"$WORK/complaints"
	head -50 "$WORK/complaints"
	[ ! -s "$WORK/complaints" ]
}

# ---- each type -------------------------------------------------------------------------------

exchange() {
	local n=$1 m=$(($1 + 1)) size type
	for type in 88b5 88b6; do
		for size in 46 700 1500; do
			frames_pass "c$n" "c$m" "$type" "$size" 10
			frames_pass "c$m" "c$n" "$type" "$size" 10
		done
	done
	ping_passes "c$n" "192.168.$n.2"
}

case_type() {
	local n=$1 type=$2 protocols=$3 field=$4 value=$5 filter=$6
	type_up "$n" "$type"
	capture "$WORK/$type.pcap" "$filter" exchange "$n"
	decodes_as "$WORK/$type.pcap" "$protocols" "$field" "$value"
}

case_tags() {
	frames_pass c21 c22 100:88b5 1500 10
	frames_pass c51 c52 4094:0800 900 10
	frames_pass c41 c42 5:88b5 1500 10
}

case_no_tags() {
	local before
	before=$(counter v1 31 tx_dropped)
	in_ns c31 "$TOOLS/rawframe" send e0 100:88b5 100 7 1
	assert_equal 7 $(($(counter v1 31 tx_dropped) - before))
}

like_gre() {
	local gre other
	gre=$(tcp_bps c11 192.168.11.2 2)
	other=$(tcp_bps "c$1" "192.168.$1.2" 2)
	echo "gre $gre, link $1: $other"
	[ $((other * 10)) -gt $((gre * 5)) ]
}

# Large frames stay whole: a type that loses them would carry a fraction.
case_tcp() {
	local n
	iperf_serve c12 c22 c52
	for n in 21 51; do
		one_of_five like_gre "$n"
	done
}

case_tcp_stt() {
	iperf_serve c42
	carries 20000000 inf tcp_bps c41 192.168.41.2 1
}

case_refused() {
	local words=$1
	shift
	link_files refused port=91 key=91 "$@"
	ctl v1 reserve "$(rid 91)" link_end "$WORK/refused.spec" >"$WORK/refused" || true
	cat "$WORK/refused"
	grep -q "$words" "$WORK/refused"
}

# ---- delays ----------------------------------------------------------------------------------

delay_of() { ctl v2 delays | sed -n "s/^$(rid 52) .* $1=\\(-\\?[0-9]*\\).*/\\1/p"; }

case_delays() {
	local before lost
	frames_pass c51 c52 88b5 800 100
	ctl v2 delays
	ctl v2 delays | grep -q '^clock_error_ns='
	[ "$(delay_of min)" -gt 0 ] && [ "$(delay_of min)" -le "$(delay_of p50)" ]
	[ "$(delay_of p50)" -le "$(delay_of p99)" ] && [ "$(delay_of p99)" -le "$(delay_of max)" ]
	before=$(ctl v2 delays | sed -n "s/^$(rid 52) .*lost=\\([0-9]*\\).*/\\1/p")
	assert_equal 0 "$before"
	ip -n "$PREFIX-rt" route replace blackhole 10.65.0.2/32
	in_ns c51 "$TOOLS/rawframe" send e0 88b5 100 40 1
	ip -n "$PREFIX-rt" route del blackhole 10.65.0.2/32
	ip -n "$PREFIX-rt" route replace 10.65.0.2/32 via 10.64.2.1
	frames_pass c51 c52 88b5 800 10
	lost=$(ctl v2 delays | sed -n "s/^$(rid 52) .*lost=\\([0-9]*\\).*/\\1/p")
	assert_equal 40 $((lost - before))
}

case_restart_is_no_loss() {
	local before
	before=$(ctl v2 delays | sed -n "s/^$(rid 52) .*lost=\\([0-9]*\\).*/\\1/p")
	daemon_kill v1
	daemon_start v1
	frames_pass c51 c52 88b5 800 10
	ctl v1 release "$(rid 51)"
	link_files a51 port=51 key=51 type=TimestampLink rate_bps=100000000
	end_up v1 53 a51
	eventually 10 ping_passes c51 192.168.51.2
	frames_pass c51 c52 88b5 800 10
	assert_equal "$before" "$(ctl v2 delays | sed -n "s/^$(rid 52) .*lost=\\([0-9]*\\).*/\\1/p")"
}

# ---- strangers -------------------------------------------------------------------------------

# Host `k` in the place of v2: the kernel's own vxlan device.
case_kernel_vxlan() {
	ns_make k
	ip link add u0 netns "$PREFIX-k" mtu 1600 type veth peer name r3 mtu 1600 netns "$PREFIX-rt"
	ip -n "$PREFIX-rt" addr add 10.64.3.254/24 dev r3
	ip -n "$PREFIX-rt" link set r3 up
	ip -n "$PREFIX-k" addr add 10.64.3.1/24 dev u0
	ip -n "$PREFIX-k" link set u0 up
	ip -n "$PREFIX-k" route add 10.65.0.1 via 10.64.3.254
	ip -n "$PREFIX-k" link add e0 type vxlan id 71 local 10.64.3.1 remote 10.65.0.1 \
		dstport 4789 dev u0
	ip -n "$PREFIX-k" addr add 192.168.71.2/24 dev e0
	ip -n "$PREFIX-k" link set e0 mtu 1500 up
	container c71 v1 71 192.168.71.1
	link_files a71 port=71 key=71 type=vxlan remote=10.64.3.1 rate_bps=1000000000 \
		ceil_bps=5000000000
	end_up v1 71 a71
	eventually 10 ping_passes c71 192.168.71.2
	frames_pass c71 k 88b5 1500 50
	frames_pass k c71 88b5 1500 50
	iperf_serve k
	carries 100000000 inf tcp_bps c71 192.168.71.2 1
	carries 100000000 inf tcp_bps c71 192.168.71.2 1 -R
}

# ---- a plug-in -------------------------------------------------------------------------------

plugin_build() {
	mkdir -p "$WORK/outside"
	cp "$ROOT/examples/link-plugin/"* "$WORK/outside/"
	make -C "$WORK/outside" "VNODE=$ROOT"
}

plugin_put() {
	local host
	for host in v1 v2; do
		install -m 0644 "$WORK/outside/geneve.so" "$WORK/$host/links/geneve.so"
	done
}

case_plugin() {
	local pid ping
	pid=$(cat "$WORK/v1/pid")
	plugin_build
	in_ns c11 ping -q -i 0.02 -c 100 192.168.11.2 >"$WORK/ping" &
	ping=$!
	plugin_put
	sleep 1.1 # the folder is looked at once a second at most
	container c61 v1 61 192.168.61.1
	container c62 v2 62 192.168.61.2
	link_up 61 type=geneve config=critical:1,data:1234
	eventually 10 ping_passes c61 192.168.61.2
	wait "$ping"
	cat "$WORK/ping"
	grep -q ' 0% packet loss' "$WORK/ping"
	kill -0 "$pid"
	capture "$WORK/geneve.pcap" "udp port 6081" exchange 61
	decodes_as "$WORK/geneve.pcap" eth:ethertype:ip:udp:geneve:eth geneve.vni 0x00003d
	decode "$WORK/geneve.pcap" -T fields -e geneve.option.type.critical | grep -qiE '1|true'
	ctl v1 doctor | grep '^link types good .*geneve'
}

# plugin_refused WORDS: of a plug-in under the name `other`.
plugin_refused() {
	sleep 1.1
	case_refused "$1" type=other
}

case_plugin_refused() {
	local file=$WORK/v1/links/other.so
	plugin_build_again 's/= LINK_TYPE_ABI/= 2/'
	plugin_refused 'made for version 2 of the interface, ours is 1'
	ctl v1 doctor | grep '^plug-in other.so bad'
	plugin_build_again 's/= sizeof(struct link_type)/= 17/'
	plugin_refused 'its struct link_type has 17 bytes'
	plugin_build_again 's/UINT32_MAX, 0/UINT32_MAX, -1/'
	plugin_refused "key 'data': -1 is not within 0 and 4294967295"
	plugin_build_again ''
	chmod 0666 "$file"
	plugin_refused 'others may write it (mode 0666)'
	chmod 0644 "$file"
	chown 4711 "$file"
	plugin_refused 'it belongs to user 4711'
	chown root "$file"

}

# plugin_build_again EDIT: the example by the name `other`, changed.
plugin_build_again() {
	cp "$ROOT/examples/link-plugin/geneve.c" "$WORK/outside/"
	sed -i "s/\"geneve\"/\"other\"/; $1" "$WORK/outside/geneve.c"
	rm -f "$WORK/outside/geneve.so"
	make -C "$WORK/outside" "VNODE=$ROOT"
	install -m 0644 "$WORK/outside/geneve.so" "$WORK/v1/links/other.so.new"
	mv "$WORK/v1/links/other.so.new" "$WORK/v1/links/other.so"
}

world_up
for host in v1 v2; do
	daemon_config "$host" 6Gbps
	daemon_start "$host"
done

test_case "gre: frames pass, tshark reads key 11" \
	case_type 11 gre eth:ethertype:ip:gre:eth gre.key 0x0000000b 'ip proto 47'
test_case "vxlan: frames pass, tshark reads id 21" \
	case_type 21 vxlan eth:ethertype:ip:udp:vxlan:eth vxlan.vni 21 'udp port 4789'
test_case "nvgre: frames pass, tshark reads the id 31 in the key" \
	case_type 31 nvgre eth:ethertype:ip:gre:eth gre.key 0x00001f00 'ip proto 47 and ip[24:4] = 0x1f00'
test_case "stt: frames pass, tshark reads context id 41" \
	case_type 41 stt eth:ethertype:ip:stt:eth stt.context_id 0x0000000000000029 \
	'tcp dst port 7471'
test_case "TimestampLink: frames pass, tshark reads key 51" \
	case_type 51 TimestampLink eth:ethertype:ip:gre gre.key 0x00000033 \
	'ip proto 47 and ip[22:2] = 0x88b5'
test_case "tags travel by the types that take them" case_tags
test_case "nvgre drops frames with tags and counts them" case_no_tags
test_case "TCP with large frames through vxlan and TimestampLink" case_tcp
test_case "TCP through stt, where no frame is large" case_tcp_stt
test_case "the delay and the loss of a TimestampLink are told" case_delays
test_case "a restart on the sender's side is no loss" case_restart_is_no_loss
test_case "an id that the type has no bits for is refused" \
	case_refused "is not one of the 24 bits" type=vxlan key=16777216
test_case "an unknown type is refused" case_refused "no link type 'carrier'" type=carrier
test_case "an unknown parameter is refused" case_refused "no key 'ttl'" type=gre config=ttl:9
test_case "vxlan with the kernel's own device at the far end" case_kernel_vxlan
test_case "a plug-in built outside the tree comes in while frames flow" case_plugin
test_case "a parameter out of its range is refused" \
	case_refused "'2' is not a number from 0 to 1" type=geneve config=critical:2
test_case "plug-ins of another version, size or owner are refused" case_plugin_refused
finish
