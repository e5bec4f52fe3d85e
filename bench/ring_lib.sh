# What the benches of running slices share. Sourced; wants a testbed that is up.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VNODE=$ROOT/vnode

# exec NODE COMMAND…: inside a container of the slice $SLICE
in_node() {
	local node=$1
	shift
	"$VNODE" node exec "$SLICE/$node" --timeout 120s -- "$@"
}

# The middle of some numbers.
median() {
	printf '%s\n' "$@" | sort -g | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'
}

# counter LINK NODE.VPORT FIELD: of one end of a link
counter() {
	"$VNODE" link show "$SLICE/$1" --json | jq --arg at "$2" ".ends[] | select(.node == \$at) | .$3"
}

# within VALUE LOW HIGH
within() {
	awk -v v="$1" -v low="$2" -v high="$3" 'BEGIN {exit !(v >= low && v <= high)}'
}
