# Builds everything that the testbed runs: programs into build/bin, images into build/images.
# shellcheck shell=bash

build_all() {
	local lock
	packages_install
	mkdir -p "$ROOT/build"
	# One build at a time, also when two testbeds come up at once.
	exec {lock}>"$ROOT/build/.lock"
	flock "$lock"
	build_programs
	images_build
	exec {lock}>&-
}

build_programs() {
	cd "$ROOT" || exit 1
	[ -f build/build.ninja ] || cmake --preset dev >/dev/null || die "cmake fails; try: cmake --preset dev"
	[ -x build/bin/vnode ] || say "building the programs; takes a minute or two the first time"
	cmake --build build -- --quiet | sed "/^ninja: no work to do.$/d" ||
		die "the build fails; try: cmake --build build"
}

# All programs that the profile's hosts run must be there.
build_complete() {
	local program absent=
	for program in vnode sncd tncd redirectord programmerd routerd; do
		[ -x "$ROOT/build/bin/$program" ] || absent+=" $program"
	done
	[ -z "$absent" ] || die "build/bin lacks:$absent"
}
