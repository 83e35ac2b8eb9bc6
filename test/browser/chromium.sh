#!/usr/bin/env bash
# Prints the Chromium that the tests open pages with: this machine's, or Debian's one without a window, unpacked under build/.
# Prints nothing where neither is to be had; the tests that need one then say that they are skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
runs() { "$1" --version >/dev/null 2>&1; }

for name in chromium chromium-browser google-chrome; do
	if runs $name; then
		command -v $name
		exit
	fi
done

package=chromium-headless-shell
at=$(test/debian/unpack.sh $package) || {
	echo "test/browser: no Chromium here, and Debian's $package could not be fetched (build/debian/$package.log)" >&2
	exit 0
}
browser=$at/chromium
cat >"$browser" <<END
#!/bin/sh
export LD_LIBRARY_PATH="$(find "$at" -name '*.so*' -printf '%h\n' | sort -u | paste -sd :)"
[ -e /etc/fonts/fonts.conf ] || export FONTCONFIG_PATH="$at/etc/fonts" XDG_DATA_HOME="$at/usr/share"
exec "$at/usr/lib/chromium/$package" "\$@"
END
chmod +x "$browser"
if ! runs "$browser"; then
	echo "test/browser: the Chromium unpacked in $at does not run here" >&2
	exit 0
fi
echo "$browser"
