#!/bin/bash
# programmerd alone, fed by hand, under a libvirtd of its own: real containers, a real VM.
# measures nothing
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$ROOT/testbed.d/host.sh"

BIN=$ROOT/build/bin
INSTANCE=prog-$$
HOST=$WORK/host
# Ids: an epoch of the test's own (1), so that no other host's device is called the same.
C1=0000200000002 V1=0000200000004
PORT1=000020000006a PORT2=000020000006c PORT3=000020000006e PORT4=000020000006g
PORT5=000020000006i PORT6=000020000006k

# ---- world: one emulated host, as ./testbed makes it -------------------------------------------

at_end() {
	world_down >/dev/null 2>&1 || true
	rm -rf --one-file-system "$WORK"
}

world_up() {
	mkdir -p "$HOST"/{etc/pki,state,run,log,libvirt/{etc,run,lib,log,cache}}
	chmod 755 "$WORK"
	echo programmerd >"$HOST/daemons"
	echo "127.0.0.1 localhost" >"$HOST/hosts"
	install -m 000 /dev/null "$HOST/no-kvm"
	host_libvirt "$HOST/libvirt/etc"
	"$BIN/vnode" pki init "$WORK/pki" >/dev/null
	"$BIN/vnode" pki issue "$WORK/pki" --role programmer --name h --ip 127.0.0.1 \
		--out "$HOST/etc/pki/programmerd" >/dev/null
	"$BIN/vnode" pki issue "$WORK/pki" --role snc --name ctl --out "$WORK/client" >/dev/null
	cp "$WORK/pki/ca.crt" "$HOST/etc/pki/"
	cp "$WORK/pki/ca.crt" "$WORK/"
	cat >"$HOST/etc/programmerd.conf" <<-END
		[daemon]
		name=h
		listen=127.0.0.1:7704
		log=debug
		[node]
		instance=$INSTANCE
		cpu=8
		memory=1GiB
		disk=1GiB
	END
	ip netns add "$INSTANCE"
	ip -n "$INSTANCE" link set lo up
	env -i PATH="$PATH" HOME=/root LANG=C.UTF-8 setsid nsenter --net="/run/netns/$INSTANCE" \
		unshare --mount --pid --uts --fork --kill-child --mount-proc \
		tini -s -- "$ROOT/testbed.d/host-init" "$HOST" "$BIN" "$ROOT/build/images" vnode h \
		</dev/null >>"$HOST/log/host.log" 2>&1 &
	eventually 20 ctl status
	eventually 20 ctl_facts_good
	# As where nobody has switched it off for new devices: programmerd has to.
	in_host sysctl -qw net.ipv6.conf.default.disable_ipv6=0
}

world_down() {
	local pids
	pids=$(ip netns pids "$INSTANCE")
	[ -z "$pids" ] || xargs -r kill -KILL <<<"$pids"
	eventually 10 no_process
	ip netns del "$INSTANCE"
	eventually 10 remove_groups
}

no_process() { [ -z "$(ip netns pids "$INSTANCE")" ]; }

groups() { find /sys/fs/cgroup -depth -type d -path "*/machine/*$INSTANCE-*"; }

remove_groups() {
	groups | xargs -r rmdir
	[ -z "$(groups)" ]
}

in_host() {
	local pid
	for pid in $(ip netns pids "$INSTANCE"); do
		if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = tini ]; then
			nsenter --target "$pid" --mount --net --pid --uts -- "$@"
			return
		fi
	done
	return 1
}

ctl() {
	in_host "$ROOT/build/test/managerctl" 127.0.0.1:7704 programmer.h.vnode "$WORK" "$@"
}

ctl_facts_good() { [ "$(ctl facts | grep -Ec '^(lxc|tcg) good')" = 2 ]; }

# ---- nodes -------------------------------------------------------------------------------------

# The id of number $1 below 256. Ids are never used again: each case has its own.
id() {
	local digits=0123456789abcdefghijklmnopqrstuv
	printf '00002000000%s%s' "${digits:$1 / 16:1}" "${digits:$1 % 16 * 2:1}"
}

# reserve RID LINE...: a small container, or what the lines say.
reserve() {
	local rid=$1 line spec=$WORK/spec.$BASHPID
	shift
	cat >"$spec" <<-END
		slice=s
		name=n1
		form=container
		image=container-minimal
		cpu=1
		cpu_share=0
		memory_bytes=67108864
		disk_bytes=0
		iops=0
	END
	for line; do
		[ "${line%%=*}" = port ] || sed -i "/^${line%%=*}=/d" "$spec"
		echo "$line" >>"$spec"
	done
	ctl reserve "$rid" node "$spec"
}

# commit RID REVISION LINE...
commit() {
	local rid=$1 revision=$2 attr=$WORK/attr.$BASHPID
	shift 2
	printf '%s\n' "$@" >"$attr"
	ctl commit "$rid" "$attr" "$revision"
}

release() { ctl release "$1"; }

domains() { in_host sh -c 'virsh -q -c lxc:/// list --all --name; virsh -q -c qemu:///system list --all --name' | grep . || true; }

is_ready() { [[ $(ctl node "$1") == "running ready=1"* ]]; }

# run RID WORD...: the command's output; fails with it.
run() {
	local rid=$1 output
	shift
	output=$(ctl exec "$rid" 20000 "$@") || { echo "$output" && return 1; }
	tail -n +2 <<<"$output"
	[ "${output%%$'\n'*}" = exit=0 ]
}

shows() { ctl console "$1" | tr -d '\r' | grep -q -- "$2"; }

nothing_left() {
	assert_equal '' "$(domains)"
	assert_equal '' "$(ls "$HOST/state/programmerd/nodes")"
	assert_equal '' "$(in_host awk '$2 ~ "/programmerd/nodes/" { print $2 }' /proc/mounts)"
	assert_equal lo "$(in_host sh -c 'ls /sys/class/net')"
	assert_equal '' "$(ctl orphans)"
}

restart_daemon() {
	local old
	old=$(in_host pgrep -x programmerd)
	in_host kill -KILL "$old"
	eventually 10 in_host sh -c "pgrep -x programmerd | grep -vqx $old"
	eventually 20 ctl status
}

# ---- cases -------------------------------------------------------------------------------------

case_doctor() {
	ctl facts | tee "$WORK/facts"
	grep -q '^kvm bad ' "$WORK/facts"
	grep -q '^idmap good ' "$WORK/facts"
	grep -q '^image.container-minimal good ' "$WORK/facts"
}

case_container() {
	reserve "$C1" "port=$PORT1 east 1400" "port=$PORT2 a-name-that-no-device-has 1500" \
		'user_data=echo from-the-user-data'
	commit "$C1" 1 power=on
	eventually 10 is_ready "$C1"
	shows "$C1" from-the-user-data
	assert_equal "$INSTANCE-$C1" "$(domains)"
}

case_told() {
	assert_equal n1 "$(run "$C1" hostname)"
	assert_equal "02:00:00:00:00:65 east 1400" "$(run "$C1" head -n 1 /vnode/ports)"
	run "$C1" cat /sys/class/net/east/address | grep -qx 02:00:00:00:00:65
	assert_equal 1400 "$(run "$C1" cat /sys/class/net/east/mtu)"
	refuses run "$C1" touch /vnode/x
}

case_hygiene() {
	local feature
	assert_equal 1 "$(in_host cat "/proc/sys/net/ipv6/conf/vn$PORT1/disable_ipv6")"
	assert_equal 1400 "$(in_host cat "/sys/class/net/vn$PORT1/mtu")"
	in_host ip -o link show up dev "vn$PORT1" | grep -q UP
	run "$C1" ethtool -k east >"$WORK/features"
	for feature in tx-udp_tnl-segmentation tx-udp_tnl-csum-segmentation tx-gre-segmentation \
		tx-sctp-segmentation; do
		grep -q "^$feature: off" "$WORK/features"
	done
	grep -q '^tcp-segmentation-offload: on' "$WORK/features"
	commit "$C1" 2 power=on "gso=$PORT1 9"
	run "$C1" ip -d link show east | grep -q 'gso_max_segs 9 '
	in_host ip -d link show "vn$PORT1" | grep -q "gro_max_size $((9 * 1400 + 1)) "
	in_host ethtool -k "vn$PORT1" | grep -q '^generic-receive-offload: on'
}

# Own user ids, own files: what one writes neither the image nor another node sees.
case_isolation() {
	local one
	one=$(id 3)
	reserve "$one" name=n2
	commit "$one" 1 power=on
	eventually 10 is_ready "$one"
	run "$C1" sh -c 'echo mine >/etc/mine; rm /etc/passwd; echo changed >/etc/group'
	refuses run "$one" cat /etc/mine
	run "$one" cat /etc/passwd
	[ ! -e "$ROOT/build/images/container-minimal/rootfs/etc/mine" ]
	[ -e "$ROOT/build/images/container-minimal/rootfs/etc/passwd" ]
	assert_equal "0 100000 65536" "$(run "$one" awk '{ print $1, $2, $3 }' /proc/self/uid_map)"
	# No way to the host: its devices, its kernel's switches, its network.
	refuses run "$one" mknod /tmp/disk b 254 0
	refuses run "$one" sh -c 'echo 1 >/proc/sys/kernel/sysrq'
	assert_equal lo "$(run "$one" ls /sys/class/net)"
	release "$one"
}

case_limits() {
	local group
	run "$C1" sh -c 'cat /proc/self/cgroup' >"$WORK/cgroups"
	grep -q "memory:.*$INSTANCE-$C1" "$WORK/cgroups" || grep -q "^0::.*$INSTANCE-$C1" "$WORK/cgroups"
	group=$(groups | grep -m1 -E "memory/.*${C1}[^/]*$" || true)
	[ -z "$group" ] || assert_equal 67108864 "$(cat "$group/memory.limit_in_bytes")"
	# More than the limit is not to be had, and only what asks for it dies.
	refuses run "$C1" sh -c 'dd if=/dev/zero of=/dev/null bs=120M count=1 2>/dev/null'
	is_ready "$C1"
}

case_exec() {
	local output
	output=$(ctl exec "$C1" 20000 sh -c 'echo out; echo err >&2; exit 7')
	assert_equal $'exit=7\nout\nerr' "$output"
	# Words are passed on as they are.
	assert_equal 'a  b|$HOME|;' "$(run "$C1" printf '%s|%s|%s' 'a  b' '$HOME' ';')"
	assert_equal exit=127 "$(ctl exec "$C1" 20000 no-such-program | head -1)"
	ctl exec "$C1" 300 sh -c 'sleep 987 & sleep 988' >"$WORK/late" && return 1
	grep -q '^timeout ' "$WORK/late"
	refuses has_sleep 98
}

# Does a `sleep` run in the container whose time begins so?
has_sleep() { run "$C1" ps | grep -q "sleep $1"; }

case_console() {
	ctl type "$C1" $'echo typed $((40 + 2))\n'
	eventually 10 shows "$C1" '^typed 42'
}

case_kill() {
	local init
	init=$(run "$C1" stat -c %Y /proc/1)
	restart_daemon
	eventually 10 is_ready "$C1"
	assert_equal "$init" "$(run "$C1" stat -c %Y /proc/1)"
	shows "$C1" from-the-user-data
	ctl type "$C1" $'echo again $((50 + 3))\n'
	eventually 10 shows "$C1" '^again 53'
	assert_equal '' "$(ctl orphans)"
}

case_dies() {
	run "$C1" sh -c 'echo kept >/root/kept'
	in_host virsh -q -c lxc:/// destroy "$INSTANCE-$C1"
	eventually 15 run "$C1" cat /root/kept
	assert_equal "0 0" "$(run "$C1" stat -c '%u %g' /)"
	eventually 10 is_ready "$C1"
	assert_equal 1 "$(in_host cat "/proc/sys/net/ipv6/conf/vn$PORT1/disable_ipv6")"
}

case_reboots() {
	ctl exec "$C1" 5000 reboot -f || true
	eventually 20 run "$C1" true
	eventually 10 is_ready "$C1"
	eventually 10 port_is_clean
}

port_is_clean() {
	[ "$(in_host cat "/proc/sys/net/ipv6/conf/vn$PORT1/disable_ipv6")" = 1 ] &&
		[ "$(in_host cat "/sys/class/net/vn$PORT1/mtu")" = 1400 ]
}

case_off_and_on() {
	run "$C1" sh -c 'echo kept >/root/kept'
	commit "$C1" 3 power=off
	assert_equal '' "$(domains)"
	[[ $(ctl node "$C1") == "off ready=0"* ]]
	refuses ctl type "$C1" x
	restart_daemon
	assert_equal '' "$(domains)"
	commit "$C1" 4 power=on
	eventually 10 is_ready "$C1"
	assert_equal kept "$(run "$C1" cat /root/kept)"
}

case_refused() {
	local one
	one=$(id 4)
	reserve "$one" cpu=9 >"$WORK/refused" && return 1
	grep -q '^R01 .*cpu: 9 wanted, 7 of 8 free' "$WORK/refused"
	reserve "$one" memory_bytes=1073741824 >"$WORK/refused" && return 1
	grep -q '^R01 .*memory: 1 GiB wanted' "$WORK/refused"
	reserve "$one" image=no-such >"$WORK/refused" && return 1
	grep -q '^S13 ' "$WORK/refused"
	reserve "$one" image=vm-minimal memory_bytes=134217728 >"$WORK/refused" && return 1
	grep -q '^S08 ' "$WORK/refused"
	[ ! -e "$HOST/state/programmerd/nodes/$one" ]
}

case_stray() {
	# A domain of ours and a folder that no row stands for; a domain of somebody else.
	mkdir -p "$HOST/state/programmerd/nodes/$(id 6)/upper/x"
	stray "$INSTANCE-$(id 5)"
	stray "other-$INSTANCE"
	eventually 20 stray_is_gone
	domains | grep -qx "other-$INSTANCE"
	in_host virsh -q -c lxc:/// destroy "other-$INSTANCE"
	is_ready "$C1"
}

stray() {
	cat >"$WORK/stray.xml" <<-END
		<domain type='lxc'><name>$1</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
		<os><type>exe</type><init>/bin/busybox</init><initarg>sleep</initarg><initarg>1000</initarg></os>
		<features><privnet/></features><devices>
		<filesystem type='mount'><source dir='/var/lib/vnode/images/container-minimal/rootfs'/>
		<target dir='/'/><readonly/></filesystem><console type='pty'/></devices></domain>
	END
	in_host virsh -q -c lxc:/// create "$WORK/stray.xml"
}

stray_is_gone() {
	! domains | grep -q "$INSTANCE-$(id 5)" && [ ! -e "$HOST/state/programmerd/nodes/$(id 6)" ]
}

case_many() {
	local one other
	one=$(id 7)
	other=$(id 8)
	local started=${EPOCHREALTIME/./} pids=() rid pid
	reserve "$one" name=n2 "port=$PORT5 east 1500" >/dev/null && reserve "$other" name=n3 "port=$PORT3 east 1500"
	for rid in "$one" $other; do
		commit "$rid" 1 power=on &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	eventually 10 is_ready "$one"
	eventually 10 is_ready "$other"
	echo "two containers ready after $(((${EPOCHREALTIME/./} - started) / 1000)) ms"
	release "$one"
	release "$other"
}

case_vm() {
	reserve "$V1" form=vm image=vm-minimal memory_bytes=134217728 name=v1 \
		"port=$PORT4 west 1400" 'user_data=echo from-the-user-data'
	commit "$V1" 1 power=on
	eventually 120 is_ready "$V1"
	shows "$V1" from-the-user-data
	assert_equal 1 "$(in_host cat "/proc/sys/net/ipv6/conf/vn$PORT4/disable_ipv6")"
	assert_equal 1400 "$(in_host cat "/sys/class/net/vn$PORT4/mtu")"
	[[ $(ctl node "$V1") == *" tcg" ]]
}

case_vm_console() {
	ctl type "$V1" $'cat /sys/class/net/west/mtu; echo typed $((40 + 2))\n'
	eventually 60 shows "$V1" '^typed 42'
	shows "$V1" '^1400'
	ctl exec "$V1" 1000 true >"$WORK/refused" && return 1
	grep -q '^bad_value ' "$WORK/refused"
}

case_vm_kill() {
	restart_daemon
	eventually 10 is_ready "$V1"
	ctl type "$V1" $'echo again $((50 + 3))\n'
	eventually 60 shows "$V1" '^again 53'
	release "$V1"
}

case_libvirt_dies() {
	local init old
	init=$(run "$C1" stat -c %Y /proc/1)
	old=$(in_host pgrep -x libvirtd)
	in_host kill -KILL "$old"
	eventually 20 ctl_facts_good
	eventually 20 run "$C1" true
	assert_equal "$init" "$(run "$C1" stat -c %Y /proc/1)"
	eventually 20 no_orphans
	in_host virsh -q -c lxc:/// destroy "$INSTANCE-$C1"
	eventually 20 run "$C1" true
	eventually 10 is_ready "$C1"
}

no_orphans() { [ -z "$(ctl orphans)" ]; }

# A command under way must neither hold the daemon's files nor outlive it.
case_exec_dies() {
	ctl exec "$C1" 60000 sleep 976 >/dev/null &
	eventually 10 has_sleep 976
	restart_daemon
	eventually 10 refuses has_sleep 976
	wait $! || true
}

case_crash_points() {
	local point number=9 rid
	for point in manager.ensure.before programmer.ensure.folder.after \
		programmer.ensure.domain.before programmer.ensure.domain.after manager.ensure.after \
		manager.remove.before programmer.remove.domain.after programmer.remove.root.after \
		manager.remove.after; do
		rid=$(id "$number")
		number=$((number + 1))
		echo "VNODE_CRASH=$point:1" >"$HOST/etc/programmerd.env"
		restart_daemon
		reserve "$rid" name=n2 "port=$PORT6 east 1500"
		commit "$rid" 1 power=on || eventually 20 commit "$rid" 1 power=on
		eventually 20 is_ready "$rid"
		release "$rid" || eventually 20 release "$rid"
		[ ! -e "$HOST/state/programmerd/nodes/$rid" ]
		refuses grep -qx "$INSTANCE-$rid" <<<"$(domains)"
		assert_equal '' "$(ctl orphans)"
		[ ! -e "$HOST/etc/programmerd.env" ]
	done
}

case_release() {
	release "$C1"
	release "$C1"
	nothing_left
}

world_up
test_case "the host says what it can do" case_doctor
test_case "a container starts and runs its user data" case_container
test_case "a node is told its name, ports and MTU" case_told
test_case "both ends of a port are clean" case_hygiene
test_case "a node sees neither another's files nor the host" case_isolation
test_case "a node stays within its limits" case_limits
test_case "commands run inside, their time is limited" case_exec
test_case "a console can be read and typed to" case_console
test_case "nodes and consoles outlive kill -9 of programmerd" case_kill
test_case "a node that dies is started again with its files" case_dies
test_case "a node that reboots keeps clean ports" case_reboots
test_case "a node is switched off and on, its files stay" case_off_and_on
test_case "what cannot be had is refused with its code" case_refused
test_case "what has no row is removed, what is not ours stays" case_stray
test_case "several start at once" case_many
test_case "a virtual machine starts without KVM" case_vm
test_case "a virtual machine's console can be read and typed to" case_vm_console
test_case "a virtual machine outlives kill -9 of programmerd" case_vm_kill
test_case "nodes outlive kill -9 of libvirtd and are watched again" case_libvirt_dies
test_case "a command ends with programmerd" case_exec_dies
test_case "killed at any step, a node is whole or gone" case_crash_points
test_case "nothing is left after the release" case_release
finish
