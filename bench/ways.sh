#!/bin/bash
# Ways through the transport network: right, as others see it, and fast.
# Usage: ways.sh BUILD answers [GRAPHS] | speed [QUESTIONS]
#   answers  pairs against LEMON's Suurballe on GRAPHS random networks (10000), the 20 best ways
#            against igraph's Yen on the first 1000; needs g++, liblemon-dev, libigraph-dev
#   speed    times of each kind of question on 1000 routers and 4000 links
set -euo pipefail
build=$1
here=$(dirname "$0")
case $2 in
answers)
	judge=$(mktemp)
	trap 'rm -f "$judge"' EXIT
	g++ -std=c++14 -O2 -I/usr/include/igraph -I/usr/include "$here/ways_reference.cc" \
		-o "$judge" -ligraph
	"$build/bench/ways" answers "${3:-10000}" 1 | "$judge"
	;;
speed)
	"$build/bench/ways" speed "${3:-2000}"
	;;
*)
	sed -n '3s/^# //p' "$0"
	exit 2
	;;
esac
