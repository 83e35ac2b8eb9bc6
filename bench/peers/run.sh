#!/usr/bin/env bash
# Times Paceline against onnxruntime, OpenVINO and sentence-transformers, in process, on the same texts and threads.
#
#   bench/peers/run.sh [MODEL FOLDER] [options of compare.py]
#
# Without a folder it is all-MiniLM-L6-v2, fetched by `paceline models pull`. Python packages go to a virtual
# environment of their own under build/peers; PACELINE_PEERS_PYTHON names another Python that has them already. A peer
# that cannot be installed here is left out with a line that says so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/peers
mkdir -p "$build"

install() { # NAME: its requirements into the environment
  "$python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements-$1.txt" >"$build/$1.log" 2>&1 ||
    { echo "$1: could not be installed, see $build/$1.log" >&2; return 1; }
}

python=${PACELINE_PEERS_PYTHON:-}
if [ -z "$python" ]; then
  python=$build/venv/bin/python
  [ -x "$python" ] || python3 -m venv "$build/venv"
  install onnxruntime # the comparison itself needs NumPy and the tokenizer
  install openvino || true
  install torch || true
fi

model=${1:-}
if [ -n "$model" ] && [ "${model#-}" = "$model" ]; then
  shift
else
  model=$(cd "$root" && go run ./cmd/paceline models pull all-MiniLM-L6-v2)
fi
(cd "$root" && go build -o "$build/paceline" ./bench/peers/paceline)
exec "$python" "$here/compare.py" --model "$model" --paceline "$build/paceline" "$@"
