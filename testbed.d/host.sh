# One emulated host: network, mount, PID and UTS namespaces under a PID 1 of its own. When that
# process dies, everything of the host dies with it except cgroup folders and the namespace's name.
# shellcheck shell=bash

host_folder() {
	printf '%s/%s' "$STATE" "$1"
}

# Makes the host's folder; $2... are the daemons it runs.
host_prepare() {
	local host=$1 dir other
	dir=$(host_folder "$host")
	shift
	mkdir -p "$dir"/{etc,state,run,log,libvirt/{etc,run,lib,log,cache}}
	echo "$*" >"$dir/daemons"
	{
		echo "127.0.0.1 localhost"
		for other in "${HOSTS[@]}"; do
			echo "${HOST_ADDRESS[$other]} $other"
		done
	} >"$dir/hosts"
	if [ "${HOST_KIND[$host]}" = vnode ]; then
		host_libvirt "$dir/libvirt/etc"
		kvm_works || install -m 000 /dev/null "$dir/no-kvm"
	fi
}

host_libvirt() {
	cat >"$1/libvirtd.conf" <<-'END'
		auth_unix_ro = "none"
		auth_unix_rw = "none"
		unix_sock_group = "root"
	END
	cat >"$1/qemu.conf" <<-'END'
		# Images are shared and read-only; /dev/kvm may be covered by a bind mount.
		security_driver = "none"
		dynamic_ownership = 0
		namespaces = []
	END
	echo 'security_driver = "none"' >"$1/lxc.conf"
}

host_start() {
	local dir
	dir=$(host_folder "$1")
	env -i PATH="$PATH" HOME=/root LANG=C.UTF-8 setsid \
		nsenter --net="/run/netns/$(host_instance "$1")" \
		unshare --mount --pid --uts --fork --kill-child --mount-proc \
		tini -s -- "$ROOT/testbed.d/host-init" "$dir" "$ROOT/build/bin" "$ROOT/build/images" \
		"${HOST_KIND[$1]}" "$1" </dev/null >>"$dir/log/host.log" 2>&1 {LOCK}>&- &
	echo "$! $(process_since $!)" >"$dir/starter"
	disown
}

# Waits until the folders of the host are in place.
host_wait() {
	local dir tries
	dir=$(host_folder "$1")
	for ((tries = 0; tries < 400; tries++)); do
		[ ! -e "$dir/started" ] || return 0
		sleep 0.05
	done
	die "host '$1' does not start; see $dir/log/host.log"
}

# The process id of the host's PID 1: the process in its network namespace that is number 1 in a
# PID namespace below ours. Fails when the host is down.
host_pid() {
	local pid
	for pid in $(ip netns pids "$(host_instance "$1")" 2>/dev/null); do
		if awk '/^NSpid:/ { exit !(NF == 3 && $3 == 1) }' "/proc/$pid/status" 2>/dev/null &&
			[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = tini ]; then
			echo "$pid"
			return
		fi
	done
	return 1
}

host_exec() {
	local host=${1:-} pid
	[ $# -ge 3 ] && [ "$2" = -- ] || die "usage: ./testbed exec HOST -- COMMAND..."
	need_root
	shift 2
	pid=$(host_pid "$host") || die "no host '$host' is up in testbed '$NAME'"
	exec nsenter --target "$pid" --mount --net --pid --uts -- "$@"
}
