# Network namespaces and the cables between them. Every device is born inside the hosts'
# namespaces: the machine's own network gets none, and a host's devices die with its namespace.
# shellcheck shell=bash

network_make() {
	local host batch
	for host in "${HOSTS[@]}"; do
		ip netns add "$(host_instance "$host")"
	done
	batch=$(network_management && each_link network_link)
	ip -batch - <<<"$batch"
	for host in "${HOSTS[@]}"; do
		network_addresses "$host" | ip -n "$(host_instance "$host")" -batch -
	done
}

# The bridge in ctl is its management port; each other host has a cable to it.
network_management() {
	local host ctl
	ctl=$(host_instance ctl)
	for host in "${HOSTS[@]}"; do
		[ "$host" = ctl ] ||
			echo "link add mgmt0 netns $(host_instance "$host") type veth peer m-$host netns $ctl"
	done
}

network_link() {
	echo "link add $3 netns $(host_instance "$2") mtu $UNDERLAY_MTU type veth" \
		"peer $5 netns $(host_instance "$4") mtu $UNDERLAY_MTU"
}

# The batch that is run inside the namespace of host $1.
network_addresses() {
	local other
	echo "link set lo up"
	if [ "${HOST_KIND[$1]}" = ctl ]; then
		echo "link add mgmt0 type bridge"
		for other in "${HOSTS[@]}"; do
			[ "$other" = ctl ] || echo "link set m-$other master mgmt0 up"
		done
	fi
	echo "addr add ${HOST_ADDRESS[$1]}/24 dev mgmt0"
	echo "link set mgmt0 up"
	ONLY=$1 each_link network_link_address
}

network_link_address() {
	local node port
	if [ "$2" = "$ONLY" ]; then
		node=1 port=$3
	elif [ "$4" = "$ONLY" ]; then
		node=2 port=$5
	else
		return 0
	fi
	echo "addr add $(link_address "$1" $node)/30 dev $port"
	echo "link set $port up"
}
