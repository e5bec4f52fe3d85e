# Down: whatever was killed in between, nothing of the testbed stays on the machine.
# shellcheck shell=bash

testbed_down() {
	names_lock
	clean_testbed
	clean_mounts
	rm -f "$STATE_ROOT/.$NAME.lock"
	rmdir "$STATE_ROOT" 2>/dev/null || true
	say "testbed '$NAME' is down"
}

clean_testbed() {
	clean_processes
	clean_namespaces
	clean_cgroups
	rm -rf --one-file-system "$STATE"
}

clean_namespace_names() {
	ip netns list | awk '{ print $1 }' | grep "^vn-$NAME-" || true
}

# Everything that runs in a namespace of the testbed, and each host's starter as noted in its
# folder; with a host's PID 1 the kernel kills all other processes of the host.
clean_processes() {
	local namespace tries
	for ((tries = 0; tries < 200; tries++)); do
		clean_kill_starters
		for namespace in $(clean_namespace_names); do
			ip netns pids "$namespace"
		done | xargs -r kill -KILL 2>/dev/null || true
		[ -n "$(clean_alive)" ] || return 0
		sleep 0.05
	done
	die "cannot kill process $(clean_alive)"
}

clean_alive() {
	local namespace
	for namespace in $(clean_namespace_names); do
		ip netns pids "$namespace"
	done
	clean_starters
}

clean_kill_starters() {
	clean_starters | xargs -r kill -KILL 2>/dev/null || true
}

# The process id of each living starter; a number that now belongs to somebody else is left out.
clean_starters() {
	local file pid since
	for file in "$STATE"/*/starter; do
		[ -f "$file" ] || continue
		read -r pid since <"$file"
		[ "$(process_since "$pid")" != "$since" ] || echo "$pid"
	done
}

# When a process started, in clock ticks since boot; with the id it names a process for good.
process_since() {
	sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

clean_namespaces() {
	local namespace
	for namespace in $(clean_namespace_names); do
		ip netns del "$namespace"
	done
}

# libvirt's cgroups outlive a killed host. The kernel frees a dead process's cgroup a moment late.
clean_cgroups() {
	local tries
	for ((tries = 0; tries < 100; tries++)); do
		clean_cgroup_folders | xargs -r rmdir 2>/dev/null || true
		[ -n "$(clean_cgroup_folders)" ] || break
		sleep 0.05
	done
	find /sys/fs/cgroup -maxdepth 2 -type d -name machine -exec rmdir {} + 2>/dev/null || true
}

clean_cgroup_folders() {
	find /sys/fs/cgroup -depth -type d -path "*/machine/*vn-$NAME-*"
}

# `ip netns` makes /run/netns a mount; if that was our doing, it goes with the last namespace.
clean_note_mounts() {
	mountpoint -q /run/netns || touch "$STATE_ROOT/.netns"
}

clean_mounts() {
	[ -e "$STATE_ROOT/.netns" ] && [ -z "$(ls -A /run/netns 2>/dev/null)" ] || return 0
	! mountpoint -q /run/netns || umount /run/netns
	rm -f "$STATE_ROOT/.netns"
}
