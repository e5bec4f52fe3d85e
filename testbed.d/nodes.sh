# Up: from a checkout to a running virtual network.
# shellcheck shell=bash

# --no-slice stops before hello-ring, --hosts-only before the daemons; tests want that.
testbed_up() {
	local hosts_only=no slice=yes
	case ${1:-} in
	'') ;;
	--hosts-only) hosts_only=yes ;;
	--no-slice) slice=no ;;
	*) die "up: unknown option '$1'" ;;
	esac
	names_lock
	[ ! -e "$STATE/up" ] || die "testbed '$NAME' is up already; ./testbed --name $NAME down"
	profile_read
	build_all
	[ $hosts_only = yes ] || build_complete
	clean_testbed
	clean_note_mounts
	mkdir -p "$STATE"
	echo "$PROFILE" >"$STATE/profile"
	say "starting ${#HOSTS[@]} hosts"
	network_make
	nodes_start $hosts_only
	touch "$STATE/up"
	if [ $hosts_only = yes ]; then
		report_status
		return
	fi
	nodes_wait_daemons
	if [ $slice = no ]; then
		report_status
		return
	fi
	nodes_hello_ring
	report_tables
}

nodes_start() {
	local host
	for host in "${HOSTS[@]}"; do
		if [ "$1" = yes ]; then
			host_prepare "$host"
		else
			# shellcheck disable=SC2046
			host_prepare "$host" $(host_daemons "$host")
		fi
	done
	if [ "$1" = no ]; then
		config_pki
		config_write
	fi
	for host in "${HOSTS[@]}"; do
		host_start "$host"
	done
	for host in "${HOSTS[@]}"; do
		host_wait "$host"
	done
}

nodes_wait_daemons() {
	local host daemon
	for host in "${HOSTS[@]}"; do
		for daemon in $(host_daemons "$host"); do
			nodes_wait "$daemon on $host" test -S "$(host_folder "$host")/run/$daemon.sock"
		done
	done
	for host in $(hosts_of_kind vnode agw); do
		nodes_wait "host $host at sncd" nodes_host_is_up "$host"
	done
}

# Waits up to 3 minutes until a command succeeds: an emulated VM boots slowly on a busy machine.
nodes_wait() {
	local what=$1 until=$((SECONDS + 180))
	shift
	until "$@"; do
		[ $SECONDS -lt $until ] || die "$what does not answer; its log is in $STATE/HOST/log"
		sleep 0.1
	done
}

nodes_host_is_up() {
	nodes_vnode host list 2>/dev/null | grep -Eqiw "$1 .*up"
}

nodes_vnode() {
	VNODE_CONFIG=$CLIENT/config.ini "$ROOT/build/bin/vnode" "$@"
}

nodes_hello_ring() {
	say "creating the slice of examples/hello-ring.xml"
	nodes_vnode slice create --wait "$ROOT/examples/hello-ring.xml"
}
