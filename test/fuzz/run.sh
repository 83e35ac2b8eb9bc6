#!/usr/bin/env bash
# Every fuzz target for some time each: run.sh [TIME]. go test -fuzz takes one package
# and one target; two run for each core, since a worker waits for its coordinator
# as often as it works.
set -euo pipefail
cd "$(dirname "$0")/../.."

# one PACKAGE TARGET TIME: what it finds is an error, with its output. A worker that is
# at work when the time ends makes go test fail at times, with nothing but a passed
# deadline to report: that is no finding.
one() {
	local began=$SECONDS out
	if ! out=$(go test -run '^$' -fuzz "^$2\$" -fuzztime "$3" -fuzzminimizetime 1x -parallel 1 "$1" 2>&1) &&
		! { grep -q 'context deadline exceeded' <<<"$out" && ! grep -q 'Failing input' <<<"$out"; }; then
		printf '%s\nfuzz %s %s: FAILED\n' "$out" "$1" "$2"
		return 255 # xargs starts no further one
	fi
	echo "fuzz $1 $2: $(grep -o 'execs: [0-9]*' <<<"$out" | tail -n 1) in $((SECONDS - began)) s"
}
export -f one

go list ./... | while read -r package; do
	go test -list '^Fuzz' "$package" | sed -n "s#^Fuzz.*#$package & ${1:-60s}#p"
done | xargs -P "$((2 * $(getconf _NPROCESSORS_ONLN)))" -L 1 bash -c 'one "$@"' one
