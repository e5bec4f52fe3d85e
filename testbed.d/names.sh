# Every name that a testbed leaves on the machine is derived here, from NAME alone.
# shellcheck shell=bash

STATE_ROOT=/var/lib/vnode-testbed

names_derive() {
	# No hyphen: vn-NAME-HOST must say where NAME ends.
	[[ $NAME =~ ^[a-z][a-z0-9]{0,15}$ ]] ||
		die "bad name '$NAME': a lower-case letter, then at most 15 letters and digits"
	STATE=$STATE_ROOT/$NAME
	PKI=$STATE/pki
	CLIENT=$STATE/client
}

# The network namespace, libvirt instance and cgroup prefix of a host.
host_instance() {
	printf 'vn-%s-%s' "$NAME" "$1"
}

# One change of a testbed at a time; the lock ends with this process.
names_lock() {
	need_root
	mkdir -p "$STATE_ROOT"
	exec {LOCK}>"$STATE_ROOT/.$NAME.lock"
	flock "$LOCK"
}

need_root() {
	[ "$(id -u)" = 0 ] || die "namespaces and virtual machines need root: sudo ./testbed ..."
}
