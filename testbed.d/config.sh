# What an operator would write by hand on each host: configuration files, inventories, certificates.
# shellcheck shell=bash

SNC_ADDRESS=10.63.0.1:7701 TNC_ADDRESS=10.63.0.1:7702

config_write() {
	local host daemon etc
	for host in "${HOSTS[@]}"; do
		etc=$(host_folder "$host")/etc
		for daemon in $(host_daemons "$host"); do
			{
				config_daemon "$host" "$daemon"
				"config_$daemon" "$host"
			} >"$etc/$daemon.conf"
		done
	done
	config_substrate >"$(host_folder ctl)/etc/substrate.xml"
	config_transport >"$(host_folder ctl)/etc/transport.xml"
}

config_daemon() {
	local host=$1 daemon=$2
	cat <<-END
		[daemon]
		name=$host
		listen=${HOST_ADDRESS[$host]}:$(daemon_port "$daemon")
		socket=/run/vnode/$daemon.sock
		pki=/etc/vnode/pki
		state=/var/lib/vnode/$daemon
		log=info
	END
	case $daemon in
	routerd) echo "controller=tnc@ctl $TNC_ADDRESS" ;;
	sncd) ;;
	*) echo "controller=snc@ctl $SNC_ADDRESS" ;;
	esac
}

config_sncd() {
	printf '\n[snc]\nsubstrate=/etc/vnode/substrate.xml\ntnc=%s\n' "$TNC_ADDRESS"
}

config_tncd() {
	printf '\n[tnc]\ntransport=/etc/vnode/transport.xml\n'
}

config_routerd() {
	:
}

config_redirectord() {
	printf '\n[underlay]\n'
	ONLY=$1 each_link config_port
}

config_port() {
	[ "$2" != "$ONLY" ] || echo "$3=$6"
	[ "$4" != "$ONLY" ] || echo "$5=$6"
}

config_programmerd() {
	printf '\n[node]\ninstance=%s\nimages=/var/lib/vnode/images\nkvm=auto\n' "$(host_instance "$1")"
	tr ' ' '\n' <<<"${HOST_HAS[$1]}"
}

config_substrate() {
	local host
	echo '<?xml version="1.0" encoding="UTF-8"?>'
	echo '<substrate version="1.0">'
	for host in $(hosts_of_kind vnode agw); do
		echo "  <host name=\"$host\" kind=\"${HOST_KIND[$host]}\" address=\"${HOST_ADDRESS[$host]}\"/>"
	done
	echo '</substrate>'
}

config_transport() {
	local host
	echo '<?xml version="1.0" encoding="UTF-8"?>'
	echo '<transport version="1.0">'
	echo "  <pool prefix=\"$PATHS_PREFIX\"/>"
	for host in $(hosts_of_kind router); do
		echo "  <router name=\"$host\" address=\"${HOST_ADDRESS[$host]}\"/>"
	done
	for host in $(hosts_of_kind vnode agw); do
		echo "  <host name=\"$host\"/>"
	done
	each_link config_transport_link
	echo '</transport>'
}

config_transport_link() {
	cat <<-END
		  <link name="$2-$4" capacity="$6" latency="$7">
		    <end node="$2" port="$3" address="$(link_address "$1" 1)"/>
		    <end node="$4" port="$5" address="$(link_address "$1" 2)"/>
		  </link>
	END
}

# A private CA, a certificate for each daemon, and two users: admin and the developer dev1.
config_pki() {
	local host daemon pki vnode=$ROOT/build/bin/vnode
	mkdir -p "$CLIENT"
	"$vnode" pki init "$PKI" >/dev/null
	for host in "${HOSTS[@]}"; do
		pki=$(host_folder "$host")/etc/pki
		mkdir -p "$pki"
		cp "$PKI/ca.crt" "$pki/"
		for daemon in $(host_daemons "$host"); do
			"$vnode" pki issue "$PKI" --role "$(daemon_role "$daemon")" --name "$host" \
				--dns "$host" --ip "${HOST_ADDRESS[$host]}" --out "$pki/$daemon" >/dev/null
		done
	done
	cp "$PKI/ca.crt" "$CLIENT/"
	"$vnode" pki issue "$PKI" --role admin --name admin --out "$CLIENT/admin" >/dev/null
	"$vnode" pki issue "$PKI" --role developer --name dev1 --out "$CLIENT/dev1" >/dev/null
	config_client >"$CLIENT/config.ini"
}

# A path works across network namespaces: users reach the controllers by their UNIX sockets.
config_client() {
	local user run
	run=$(host_folder ctl)/run
	echo "[vnode]"
	echo "context=$NAME"
	for user in admin dev1; do
		echo
		[ $user = admin ] && echo "[context $NAME]" || echo "[context $NAME-$user]"
		cat <<-END
			snc=unix:$run/sncd.sock
			tnc=unix:$run/tncd.sock
			ca=$CLIENT/ca.crt
			cert=$CLIENT/$user.crt
			key=$CLIENT/$user.key
		END
	done
}
