# A profile is data: which hosts there are and how they are joined. Read into the tables below.
# shellcheck shell=bash

declare -a HOSTS=() LINKS=()
declare -A HOST_KIND=() HOST_ADDRESS=() HOST_HAS=()
PATHS_PREFIX='' UNDERLAY='' UNDERLAY_MTU=''

profile_read() {
	local file=$ROOT/testbed.d/profiles/$PROFILE line=0 word rest
	[ -f "$file" ] || die "no profile '$PROFILE' in testbed.d/profiles"
	while read -r word rest; do
		line=$((line + 1))
		profile_row "$word" "$rest" || die "$file:$line: cannot read '$word $rest'"
	done <"$file"
	[ -n "$PATHS_PREFIX" ] && [ -n "$UNDERLAY" ] || die "$file: lacks 'paths' or 'underlay'"
}

profile_row() {
	local -a word
	read -ra word <<<"$2"
	case $1 in
	'' | '#'*) ;;
	paths) PATHS_PREFIX=${word[0]} ;;
	underlay) UNDERLAY=${word[0]} UNDERLAY_MTU=${word[2]} ;;
	ctl | vnode | agw | router)
		HOSTS+=("${word[0]}")
		HOST_KIND[${word[0]}]=$1
		HOST_ADDRESS[${word[0]}]=${word[1]}
		HOST_HAS[${word[0]}]=${word[*]:2}
		;;
	link)
		[ ${#word[@]} = 4 ] || return 1
		LINKS+=("${#LINKS[@]} ${word[0]/:/ } ${word[1]/:/ } ${word[2]} ${word[3]}")
		;;
	*) return 1 ;;
	esac
}

hosts_of_kind() {
	local host
	for host in "${HOSTS[@]}"; do
		[[ " $* " != *" ${HOST_KIND[$host]} "* ]] || printf '%s\n' "$host"
	done
}

# Calls `$1 number node-a port-a node-b port-b capacity latency` for every link.
each_link() {
	local link
	local -a word
	for link in "${LINKS[@]}"; do
		read -ra word <<<"$link"
		"$1" "${word[@]}"
	done
}

# The address of end 1 or 2 of link number $1: each link is a subnet of four addresses.
link_address() {
	printf '%s.%d.%d' "$UNDERLAY" $(($1 * 4 / 256)) $(($1 * 4 % 256 + $2))
}

# The daemons of a host, in the order of their start.
host_daemons() {
	case ${HOST_KIND[$1]} in
	ctl) echo sncd tncd ;;
	vnode) echo redirectord programmerd ;;
	agw) echo redirectord ;;
	router) echo routerd ;;
	esac
}

daemon_port() {
	case $1 in
	sncd) echo 7701 ;;
	tncd) echo 7702 ;;
	redirectord) echo 7703 ;;
	programmerd) echo 7704 ;;
	agwd) echo 7705 ;;
	routerd) echo 7706 ;;
	esac
}

# The role of a daemon's certificate.
daemon_role() {
	case $1 in
	sncd) echo snc ;;
	tncd) echo tnc ;;
	redirectord) echo redirector ;;
	programmerd) echo programmer ;;
	routerd) echo router ;;
	esac
}
