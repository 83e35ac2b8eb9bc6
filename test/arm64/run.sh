#!/usr/bin/env bash
# The arm64 kernels and engine under an emulator: every level of NEON, then a
# processor without the later ones. Each must be found to have the levels that it has.
# It shows that they are correct; an emulator says nothing of their speed.
set -euo pipefail
cd "$(dirname "$0")/../.."

# The emulator: this machine's, or Debian's static build unpacked under build/.
emulator() {
	command -v qemu-aarch64 || command -v qemu-aarch64-static && return
	local at
	at=$(test/debian/unpack.sh qemu-user-static) && echo "$at/usr/bin/qemu-aarch64-static"
}

if ! qemu=$(emulator); then
	echo "SKIPPED test-arm64: no qemu-aarch64 here, and Debian's package qemu-user-static could not be fetched"
	exit 0
fi

root=$PWD
export GOARCH=arm64 CGO_ENABLED=0
go test -c -o build/kernel-arm64.test ./internal/kernel
go test -c -o build/engine-arm64.test ./internal/engine/cpu

# Attention in float32 is neon's at every level; that tests can fail is shown elsewhere.
cd "$root/internal/kernel"
"$qemu" -cpu max "$root/build/kernel-arm64.test" -features 'asimd asimddp i8mm bf16' -test.run 'Test[^/]*/neon' \
	-test.skip 'See|TestAttention[^/]*/neon(dot|i8mm)|TestAttention[^/]*/neonbf16/float32'
"$qemu" -cpu cortex-a72 "$root/build/kernel-arm64.test" -features asimd -test.run 'TestLevelsAre|TestOpen|TestEveryLevel/neon'
cd "$root/internal/engine/cpu"
"$qemu" -cpu max "$root/build/engine-arm64.test" \
	-test.run 'TestTinyParity/bert$/neon|TestLevelsAgree|TestBatchInvariance/neon$/float32|TestBatchInvariance/neon/(int8|bfloat16)'
