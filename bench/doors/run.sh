#!/usr/bin/env bash
# What Triton's doors cost beside the engine, and what perf_analyzer finds at them.
#
#   PERF_ANALYZER=perf_analyzer bench/doors/run.sh [MODEL FOLDER]
#
# Without a folder it is all-MiniLM-L6-v2, fetched by `paceline models pull`. TURNS (100) is how often each door has its turn.
# PERF_ANALYZER is the command that runs perf_analyzer (PyPI perf-analyzer, which wants glibc 2.38), its words split at
# blanks; without it that part is left out.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/doors
mkdir -p "$build"
cd "$root"
model=${1:-}
[ -n "$model" ] || model=$(go run ./cmd/paceline models pull all-MiniLM-L6-v2)

echo "## Embeddings per CPU-second through each door, 32 texts of 12 and of 68 tokens, in turns"
PACELINE_TEST_MODEL=$model go test -run '^$' -bench 'Doors$' -benchtime "${TURNS:-100}x" ./internal/serve/triton

echo "## What such a request costs the server alone, by door, with an engine that computes nothing"
PACELINE_TEST_MODEL=$model go test -run '^$' -bench 'DoorsServer$/idle' -benchtime "${TURNS:-100}x" ./internal/serve/triton

echo "## The same with the tests' tiny model, idle and computing"
go test -run '^$' -bench 'DoorsServer$' -benchtime "${TURNS:-100}x" ./internal/serve/triton

if [ -z "${PERF_ANALYZER:-}" ]; then
  echo "PERF_ANALYZER is not set: perf_analyzer is left out" >&2
  exit
fi
CGO_ENABLED=0 go build -o "$build/paceline" ./cmd/paceline
exec python3 "$here/perf.py" --paceline "$build/paceline" --model "$model" --out "$build" --analyzer "$PERF_ANALYZER"
