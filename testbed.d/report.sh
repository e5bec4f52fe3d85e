# What the user sees: which hosts and daemons run, and after `up` the slice and what to try next.
# shellcheck shell=bash

report_status() {
	local host pid
	[ -e "$STATE/profile" ] || die "testbed '$NAME' is down"
	PROFILE=$(cat "$STATE/profile")
	[ ${#HOSTS[@]} -gt 0 ] || profile_read
	printf '%-10s %-8s %-12s %-8s %s\n' HOST KIND MANAGEMENT PID PROGRAMS
	for host in "${HOSTS[@]}"; do
		pid=$(host_pid "$host") || pid=down
		printf '%-10s %-8s %-12s %-8s %s\n' "$host" "${HOST_KIND[$host]}" \
			"${HOST_ADDRESS[$host]}" "$pid" "$(report_programs "$host" "$pid")"
	done
}

# The programs of a host, each with its process id or "down".
report_programs() {
	local program wanted libvirt=
	[ "$2" != down ] || return 0
	wanted=$(cat "$(host_folder "$1")/daemons")
	[ "${HOST_KIND[$1]}" != vnode ] || libvirt='virtlogd libvirtd'
	for program in $libvirt $wanted; do
		printf '%s=%s ' "$program" \
			"$(nsenter --target "$2" --mount --pid -- pidof "$program" || echo down)"
	done
}
