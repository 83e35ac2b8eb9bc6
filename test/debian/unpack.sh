#!/usr/bin/env bash
# Unpacks a Debian package, with those it needs that this machine lacks, under build/debian/PACKAGE and prints that folder.
# It needs no root and changes nothing outside of build/. It fails where there is no apt, or no mirror within five minutes;
# build/debian/PACKAGE.log then says why.
#
#   test/debian/unpack.sh PACKAGE
set -euo pipefail
cd "$(dirname "$0")/../.."
package=$1
at=$PWD/build/debian/$package

apt() {
	timeout $((SECONDS < 299 ? 300 - SECONDS : 1)) apt-get -q -o Dir::State::Lists="$at/lists" -o Dir::Cache="$at/cache" "$@"
}

if [ ! -e "$at/complete" ]; then
	command -v apt-get >/dev/null
	rm -rf "$at"
	mkdir -p "$at/lists/partial" "$at/cache/archives/partial"
	{
		apt update
		lacking=$(apt -s install --no-install-recommends "$package" | awk '$1 == "Inst" { print $2 }')
		(cd "$at/cache/archives" && apt download $lacking)
		for deb in "$at"/cache/archives/*.deb; do
			dpkg -x "$deb" "$at"
		done
		rm -rf "$at/lists" "$at/cache"
	} >"$at.log" 2>&1
	touch "$at/complete"
fi
echo "$at"
