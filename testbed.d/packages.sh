# Installs the Debian packages of testbed.d/packages that are missing.
# shellcheck shell=bash

packages_wanted() {
	grep -v '^#' "$ROOT/testbed.d/packages"
}

packages_missing() {
	local -a wanted
	mapfile -t wanted < <(packages_wanted)
	comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
		<(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
			awk '$1 == "installed" { print $2 }' | sort -u)
}

# No package may start its services on this machine: policy-rc.d says so while apt runs.
packages_install() {
	local policy=/usr/sbin/policy-rc.d mine=no status=0
	local -a missing
	mapfile -t missing < <(packages_missing)
	[ ${#missing[@]} -gt 0 ] || return 0
	need_root
	say "installing ${#missing[@]} packages: ${missing[*]}"
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
		mine=yes
	fi
	packages_apt "${missing[@]}" || status=$?
	[ $mine = no ] || rm -f $policy
	[ $status = 0 ] || die "apt could not install what is missing"
}

packages_apt() {
	local log
	log=$(mktemp)
	if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive \
		apt-get install -q -y --no-install-recommends "$@"; } >"$log" 2>&1; then
		tail -20 "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}
