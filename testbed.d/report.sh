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

# Who reaches whom in hello-ring: from, to, the address of the far end. Containers measure; the VM
# answers as soon as it has booted.
REPORT_RING='
alice bob 10.0.1.2
bob carol 10.0.2.3
alice carol 10.0.3.3'

report_tables() {
	say
	nodes_vnode node list --slice hello-ring
	say
	nodes_vnode link list --slice hello-ring
	say
	report_reachability
	say
	report_next
}

report_reachability() {
	local from to address time
	printf '%-8s %-8s %-10s %s\n' FROM TO ADDRESS 'ROUND TRIP'
	while read -r from to address; do
		[ -n "$from" ] || continue
		nodes_wait "$to at $address" report_ping "$from" "$address" >/dev/null
		time=$(report_ping "$from" "$address")
		printf '%-8s %-8s %-10s %s\n' "$from" "$to" "$address" "$time"
	done <<<"$REPORT_RING"
}

report_ping() {
	nodes_vnode node exec "hello-ring/$1" -- ping -c 1 -W 1 "$2" 2>&1 | sed -n 's/.*time=//p' | grep .
}

report_next() {
	local vnode=./vnode
	[ "$NAME" = demo ] || vnode="VNODE_TESTBED=$NAME ./vnode"
	cat <<-END
		The slice hello-ring runs. Try next:
		  $vnode slice show hello-ring
		  $vnode node exec hello-ring/alice -- iperf3 -c 10.0.3.3 -t 3     a shaped link, to the VM
		  $vnode node console hello-ring/carol                             the VM's serial console
		  $vnode path list                                                 the routes under the links
		  $vnode slice delete hello-ring --yes --wait && $vnode slice create --wait examples/ring.xml
		  ./testbed --name $NAME down
	END
}
