# Open vSwitch (user-space datapath) in a network namespace, as a machine that others built; sourced
# behind redirector_world.sh. One per test: its files are in $OVS.
# shellcheck shell=bash

OVS=$WORK/ovs
OVS_HOST=
export OVS_RUNDIR=$OVS OVS_LOGDIR=$OVS OVS_DBDIR=$OVS OVS_SYSCONFDIR=$OVS

ovs() { in_ns "$OVS_HOST" ovs-vsctl "--db=unix:$OVS/db.sock" --timeout=10 "$@"; }

# ovs_start NAMESPACE: the switch without bridges.
ovs_start() {
	OVS_HOST=$1
	mkdir -p "$OVS"
	ovsdb-tool create "$OVS/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	in_ns "$OVS_HOST" ovsdb-server "$OVS/conf.db" "--remote=punix:$OVS/db.sock" \
		"--pidfile=$OVS/ovsdb-server.pid" "--unixctl=$OVS/ovsdb.ctl" \
		"--log-file=$OVS/ovsdb.log" --detach 2>/dev/null
	ovs --no-wait init
	in_ns "$OVS_HOST" ovs-vswitchd "unix:$OVS/db.sock" "--pidfile=$OVS/ovs-vswitchd.pid" \
		"--unixctl=$OVS/vswitchd.ctl" "--log-file=$OVS/vswitchd.log" --detach 2>/dev/null
}

ovs_stop() {
	local name
	for name in ovs-vswitchd ovsdb-server; do
		[ -s "$OVS/$name.pid" ] && kill "$(cat "$OVS/$name.pid")" && sleep 0.2
	done
}

at_end() {
	ovs_stop || true
	world_down
}
