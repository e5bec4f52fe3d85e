#!/bin/bash
# The help of every level of the command line is what test/golden/cli/help.txt says, every verb that
# is listed explains itself, and what is not understood ends with exit code 2 and a hint.
# Usage: test_cli_help.sh VNODE (UPDATE_GOLDEN=1 rewrites the golden file)
set -euo pipefail
vnode=$1
golden=test/golden/cli/help.txt

nouns() { "$vnode" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'; }
verbs() { "$vnode" "$1" --help | sed -n "s/^  vnode $1 \([a-z-]*\).*/\1/p"; }

# help WORD…: the command line and what it prints
help() {
	echo "\$ vnode $* --help"
	"$vnode" "$@" --help
	echo
}

everything() {
	local noun verb
	help
	for noun in $(nouns); do
		help "$noun"
		[ "$noun" = pki ] || for verb in $(verbs "$noun"); do
			help "$noun" "$verb"
		done
	done
}

# refused WORD… : exit code 2, nothing on stdout, a line `error:` and a line `try:`
refused() {
	local code=0 said
	said=$("$vnode" "$@" 2>&1 >/dev/null) || code=$?
	if [ "$code" != 2 ] || ! grep -q '^error: ' <<<"$said"; then
		echo "vnode $*: exit code $code, said: $said"
		exit 1
	fi
}

if [ -n "${UPDATE_GOLDEN:-}" ]; then
	everything >"$golden"
fi
diff "$golden" <(everything)
refused slcie list
refused slice crate
refused slice list --colour
refused slice create
refused slice delete ring --no-input
refused node exec ring/n1
refused node console ring
echo "help of $(nouns | wc -l) nouns"
