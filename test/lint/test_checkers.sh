#!/bin/bash
# The checkers of tools/ find what they are for: each is shown a small tree with one fault.
set -euo pipefail
cd "$(dirname "$0")/../.."
TOOLS=$PWD/tools
TREE=$(mktemp -d /tmp/vnode-lint-XXXXXX)
trap 'rm -rf "$TREE"' EXIT

# Expects that a checker refuses the tree, and says why in the given words.
refused() {
	local checker=$1 words=$2 output
	if output=$("$TOOLS/$checker" "$TREE" 2>&1); then
		echo "$checker accepts: $words" && exit 1
	fi
	grep -qF -- "$words" <<<"$output" || { echo "$checker does not say '$words' but: $output" && exit 1; }
	rm -rf "${TREE:?}"/*
}

# A sound tree; what each case adds spoils it.
tree() {
	mkdir -p "$TREE"/{lib/base,lib/store,lib/model,snc}
	printf 'module(base lib/base a.c)\nmodule(store lib/store s.c DEPENDS base)\nmodule(model lib/model m.c DEPENDS base)\n' \
		>"$TREE/CMakeLists.txt"
	echo '#include <stdio.h>' >"$TREE/lib/base/a.h"
	echo '#include "lib/base/a.h"' >"$TREE/lib/base/a.c"
}

function_of() {
	printf 'static int\nf(int a)\n{\n'
	seq -f '	a += %.0f;' "$1"
	printf '	return a;\n}\n'
}

tree && "$TOOLS/check-layers" "$TREE" >/dev/null && "$TOOLS/check-size" "$TREE" >/dev/null

tree && echo '#include "lib/store/s.h"' >"$TREE/lib/model/m.c" && touch "$TREE/lib/store/s.h"
refused check-layers 'lib/model does not depend on lib/store'
tree && echo 'module(low lib/base b.c DEPENDS store)' >>"$TREE/CMakeLists.txt"
refused check-layers "'lib/base' depends on 'lib/store', which is not below it"
tree && echo '#include <sqlite3.h>' >"$TREE/snc/slice.c"
refused check-layers '<sqlite3.h> belongs to lib/store/|test/ alone'
tree && echo '#include <zlib.h>' >"$TREE/snc/slice.c"
refused check-layers 'neither libc'
tree && echo '#include <stdio.h>' >"$TREE/lib/base/a.c"
refused check-layers 'is not its first include'
tree && echo '#include "a.h"' >"$TREE/lib/base/b.c"
refused check-layers 'is no path from the root'

tree && seq -f '/* %.0f */' 501 >"$TREE/lib/base/a.c"
refused check-size '501 lines, at most 500'
tree && seq -f '/* %.0f */' 251 >"$TREE/lib/base/a.h"
refused check-size '251 lines, at most 250'
tree && function_of 60 >"$TREE/lib/base/a.c"
refused check-size '62 lines, at most 60'
tree && echo 'static int f(int a, int b, int c, int d, int e, int (*f)(int, int), int g) { return 1; }' \
	>"$TREE/lib/base/a.c"
refused check-size '7 parameters, at most 6'
tree && echo 'void f(int a) { if (a) { for (;;) while (a) do { a--; } while (a); } }' >"$TREE/lib/base/a.c"
refused check-size '4 levels, at most 3'
tree && echo 'void f(void) { goto end; end:; }' >"$TREE/lib/base/a.c"
refused check-size 'goto'

tree && echo 'int  f( void );' >"$TREE/lib/base/a.c"
refused check-format 'clang-format'
tree && printf '#!/bin/sh\nrm $1/x\n' >"$TREE/script"
refused check-shell 'SC2086'

printf 'vnode a 1\nvnode b 2\nrouter r 3\nlink a:u0 r:p0 1 1\nlink b:u0 r:p1 1 1\n' >"$TREE/thin"
refused check-profiles 'a and b have no two disjoint routes'
echo "all checkers refuse what they are for"
