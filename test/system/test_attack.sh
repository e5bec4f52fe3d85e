#!/bin/bash
# What a hostile tenant tries: malformed calls, what a container's root can reach and use up.
# measures nothing
# shellcheck source=test/system/lib.sh
. "$(dirname "$0")/lib.sh"

DOCUMENT=$WORK/attack.xml

write_document() {
	cat >"$DOCUMENT" <<-'END'
		<?xml version="1.0" encoding="UTF-8"?>
		<slice-design version="1.0">
		  <slicespec name="attack">
		    <sliverdef>
		      <nodeSlivers>
		        <nodeSliver name="evil">
		          <instance type="prog" subtype="SlowPath_VM">
		            <resources><resource key="cpu" value="1"/><resource key="memory" value="1GiB"/></resources>
		            <params><param key="bootImage" value="image:container-minimal"/></params>
		          </instance>
		          <vports><vport name="lo"/><vport name="eth0"/><vport name="as-long-a-name-as-no-device-can-have"/></vports>
		        </nodeSliver>
		      </nodeSlivers>
		    </sliverdef>
		    <structure/>
		  </slicespec>
		  <mapping slice="attack">
		    <aggregate name="local"><amap node="evil" vnode="koganei"/></aggregate>
		  </mapping>
		</slice-design>
	END
}

evil() {
	vnode node exec attack/evil -- "$@"
}

# A call with the developer's certificate, its only argument as given; prints the answer.
call() {
	local client=/var/lib/vnode-testbed/$TESTBED/client
	printf '<?xml version="1.0"?><methodCall><methodName>%s</methodName><params><param><value>%s</value></param></params></methodCall>' "$1" "$2" |
		curl -sS --max-time 20 --unix-socket "$(host_state ctl)/run/sncd.sock" --cacert "$client/ca.crt" \
			--cert "$client/dev1.crt" --key "$client/dev1.key" -H 'Content-Type: text/xml' \
			--data-binary @- https://snc.ctl.vnode/RPC2
}

a_bad_number_kills_nobody() {
	local before number
	before=$(on ctl pidof sncd)
	for number in 99999999999999999999999 9223372036854775808 x '1 ' '1<!-- -->x'; do
		call snc.events "<struct><member><name>after</name><value><i8>$number</i8></value></member></struct>" |
			grep -q bad_xml
	done
	assert_equal "$(on ctl pidof sncd)" "$before"
}

commands_get_three_descriptors_only() {
	# One more is the folder that is being listed.
	assert_equal "$(evil sh -c 'ls /proc/self/fd | tr "\n" " "')" '0 1 2 3 '
}

a_writer_left_behind_holds_no_command() {
	evil sh -c 'for i in 1 2 3 4; do setsid yes & done; exit 7' >"$WORK/yes" || assert_equal $? 7
	[ "$(stat -c %s "$WORK/yes")" -le 1048576 ]
	evil sh -c 'kill -9 $(pidof yes) || true'
}

processes_are_bounded() {
	local n
	evil busybox sh -c 'i=0; while [ $i -lt 1500 ]; do busybox sleep 30 & i=$((i + 1)); done; sleep 30' >/dev/null 2>&1 &
	eventually 20 forks_are_refused
	n=$(tasks)
	[ "$n" -gt 500 ] && [ "$n" -le 1024 ] || { echo "$n processes" && return 1; }
	eventually 60 is_quiet
}

group() {
	local folder
	for folder in /sys/fs/cgroup/pids/machine/vn-"$TESTBED"-koganei-* \
		$(find /sys/fs/cgroup -type d -path "*machine*vn-$TESTBED-koganei-*" -name libvirt 2>/dev/null); do
		[ ! -e "$folder/pids.max" ] || echo "$folder"
	done
}

tasks() {
	cat "$(group)/pids.current"
}

forks_are_refused() {
	[ "$(awk '$1 == "max" { print $2 }' "$(group)/pids.events")" -gt 0 ]
}

is_quiet() {
	[ "$(tasks)" -lt 20 ]
}

memory_is_bounded() {
	refuses evil sh -c 'mkdir -p /full && mount -t tmpfs none /full && dd if=/dev/zero of=/full/x bs=1M count=1200'
	eventually 30 evil true
}

the_host_is_out_of_reach() {
	refuses evil mknod /tmp/memory c 1 1
	refuses evil mount -o remount,rw /sys
	refuses evil sh -c 'echo x >/vnode/ports'
	refuses evil sh -c 'echo /x >/proc/sys/kernel/core_pattern'
	refuses evil sh -c 'echo 1 >/sys/fs/cgroup/memory/memory.limit_in_bytes'
	refuses evil ping -c 1 -W 1 10.63.0.11
}

odd_names_of_ports_come_out_as_others() {
	assert_equal "$(evil ls /sys/class/net | sort | tr '\n' ' ')" 'eth0 lo vport0 vport2 '
}

# Packets with a path address of others as their source, from osaka to nagoya by way of r3.
a_host_cannot_use_a_path_address_of_others() {
	local before
	on osaka ip route add 10.64.0.9 via 10.64.0.18 dev u0
	before=$(echoes)
	on osaka ping -c 3 -i 0.2 -W 1 10.64.0.9 >/dev/null || true
	assert_equal "$(echoes)" $((before + 3))
	on osaka ip address add 10.65.9.9/32 dev lo
	on osaka ping -c 3 -i 0.2 -W 1 -I 10.65.9.9 10.64.0.9 >/dev/null || true
	assert_equal "$(echoes)" $((before + 3))
}

# How many pings nagoya has received.
echoes() {
	on nagoya awk '/^Icmp: [0-9]/ { print $10 }' /proc/net/snmp
}

a_container_leaves_no_group() {
	vnode slice delete attack --yes --wait --timeout 30s
	assert_equal "$(group)" ''
}

write_document
testbed up --no-slice >"$WORK/up.log" 2>&1 || { cat "$WORK/up.log" && exit 1; }
test_case "a number that is none is refused, and the daemon lives" a_bad_number_kills_nobody
vnode slice create --wait "$DOCUMENT" >/dev/null
test_case "a command in a container gets no descriptor of the host's" commands_get_three_descriptors_only
test_case "a writer that a command leaves behind does not hold it" a_writer_left_behind_holds_no_command
test_case "a container's root does not reach the host" the_host_is_out_of_reach
test_case "ports with names that no device can have come out as others" odd_names_of_ports_come_out_as_others
test_case "a host cannot use the path address of another" a_host_cannot_use_a_path_address_of_others
test_case "a container has a bounded number of processes" processes_are_bounded
test_case "a container that takes too much memory dies alone and comes back" memory_is_bounded
test_case "a deleted container leaves no control group" a_container_leaves_no_group
finish
