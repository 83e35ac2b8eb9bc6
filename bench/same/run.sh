#!/usr/bin/env bash
# Two runs of the same stack: how many of 20 pairs show a difference?
#
#   bench/same/run.sh [MODEL]
#
# A server is measured PAIRS + 1 (21) times and every run compared with the next. Prints each difference that was shown and
# fails if more than one pair in 20 shows one. PORT (18437) is the server's.
#
# The machine must do nothing else meanwhile. RUNS (all) bounds how many runs one call measures; the next call goes on where
# it ended, with the same program and a new server. To begin anew, remove build/same.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
model=${1:-all-MiniLM-L6-v2}
pairs=${PAIRS:-20}
port=${PORT:-18437}
build=$root/build/same
mkdir -p "$build"
cd "$root"
[ -x "$build/paceline" ] || CGO_ENABLED=0 go build -o "$build/paceline" ./cmd/paceline

missing=()
for run in $(seq 0 "$pairs"); do
  [ -e "$build/run$run/results.json" ] || missing+=("$run")
done

# measure takes the runs named, of one server.
measure() {
  "$build/paceline" serve --model "$model" --port "$port" --log-level warn &
  server=$!
  trap 'kill "$server"; wait "$server" || true' EXIT
  until curl -sf "http://127.0.0.1:$port/health" > /dev/null; do
    kill -0 "$server" # ends the script if the server did
    sleep 0.5
  done
  for run; do
    rm -rf "$build/run$run"
    "$build/paceline" bench --profiles none --target "same=poc@http://127.0.0.1:$port" --model "$model" \
      --skip-sweeps --scenario single-stream,offline --out "$build/run$run" > "$build/run$run.txt" 2>&1
    echo "run $run of $pairs"
  done
}

now=("${missing[@]:0:${RUNS:-$((pairs + 1))}}")
[ ${#now[@]} -eq 0 ] || (measure "${now[@]}")
if [ ${#now[@]} -lt ${#missing[@]} ]; then
  echo "$((${#missing[@]} - ${#now[@]})) runs are left for the next call"
  exit 0
fi

different=0
for run in $(seq 1 "$pairs"); do
  "$build/paceline" report "$build/run$((run - 1))" "$build/run$run" --json > "$build/pair$run.json"
  python3 "$root/bench/same/shown.py" "$build/pair$run.json" || different=$((different + 1))
done
echo "$different of $pairs pairs of runs of the same stack show a difference"
[ $((different * 20)) -le "$pairs" ]
