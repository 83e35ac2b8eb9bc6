"""Compares `paceline serve` with sentence-transformers on models of random weights, through the wire.

usage: compare.py PACELINE TEXTS [name ...] [--keep FOLDER] [--dtype float32]

PACELINE is the binary, TEXTS a JSON list of texts; names are of cases.py (all), * stands for anything. For each case a
repository is written, opened by sentence-transformers and served, and asked the same. Whatever sentence-transformers
opens must agree (cosine >= 0.99999, difference <= 1e-4) or be refused at the start; anything else is a failure.
"""

import argparse
import fnmatch
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import warnings

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", TRANSFORMERS_VERBOSITY="error")
warnings.filterwarnings("ignore")

import numpy as np
import torch
import transformers
from sentence_transformers import CrossEncoder, SentenceTransformer, SparseEncoder

from cases import CASES

torch.set_num_threads(1)
transformers.utils.logging.disable_progress_bar()
FLOAT32 = {"dtype": torch.float32}
PATIENCE = 60.0

KNOWN = {
    "xlm-roberta-class": "transformers 5 builds XLM-RoBERTa's normalizer and pre-tokenizer anew, whatever tokenizer.json says; 4 and we read it",
}


class Server:
    def __init__(self, binary, folder, dtype):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([binary, "serve", "--model", str(folder), "--port", "0", "--dtype", dtype, "--threads", "1"],
                                        stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline()
        self.refusal = "" if line else self.error()
        self.url = json.loads(line)["listening"] if line else ""

    def error(self):
        self.process.wait(PATIENCE)
        self.log.seek(0)
        return self.log.read().decode().strip().splitlines()[-1]

    def post(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return json.load(response)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(PATIENCE)


def dense(folder, texts):
    model = SentenceTransformer(str(folder), device="cpu", model_kwargs=FLOAT32).float()
    names = [None, *(n for n, p in model.prompts.items() if p)]
    want = [model.encode(texts, batch_size=1, prompt_name=name) for name in names]

    def ask(server):
        for name in names:
            body = {"texts": texts, **({"prompt_name": name} if name else {})}
            yield server.post("/embed", body)["embeddings"]
    return want, ask


def pairs(folder, texts):
    model = CrossEncoder(str(folder), device="cpu", model_kwargs=FLOAT32)
    asked = [(a, b) for a, b in zip(texts, texts[1:]) if a and b]
    raw = model.predict(asked, batch_size=1, activation_fn=torch.nn.Identity()).reshape(len(asked), -1)
    want = [raw]
    if model.num_labels == 1:
        want.append(model.predict(asked, batch_size=1).reshape(len(asked), 1))
    labels = [model.model.config.id2label[i] for i in range(model.num_labels)]

    def ask(server):
        answer = server.post("/predict", {"inputs": [list(p) for p in asked], "raw_scores": True})
        yield [[next(s["score"] for s in scores if s["label"] == label) for label in labels] for scores in answer]
        if model.num_labels == 1:
            yield [[server.post("/score", {"text_1": a, "text_2": b})["data"][0]["score"]] for a, b in asked]
    return want, ask


def sparse(folder, texts):
    texts = [t for t in texts if t]  # TEI refuses an empty one
    model = SparseEncoder(str(folder), device="cpu", model_kwargs=FLOAT32)
    want = model.encode(texts, batch_size=1, convert_to_sparse_tensor=False).numpy()

    def ask(server):
        got = np.zeros_like(want)
        for i, text in enumerate(texts):
            for w in server.post("/embed_sparse", {"inputs": text})[0]:
                got[i, w["index"]] = w["value"]
        yield got
    return [want], ask


KINDS = {"dense": dense, "pairs": pairs, "sparse": sparse}


def distance(want, got, kind):
    """The least cosine and the largest difference, relative to the values where these are large."""
    want, got = np.asarray(want, np.float64), np.asarray(got, np.float64)
    if want.shape != got.shape:
        raise AssertionError(f"shape {got.shape}, want {want.shape}")
    difference = float((np.abs(want - got) / np.maximum(1, np.abs(want).max(axis=1, keepdims=True))).max())
    if kind == "pairs":
        return 1.0, difference
    lengths = np.linalg.norm(want, axis=1) * np.linalg.norm(got, axis=1)
    seen = lengths > 0
    return float(((want * got).sum(axis=1)[seen] / lengths[seen]).min(initial=1)), difference


def run(name, folder, texts, binary, dtype):
    kind, build = CASES[name]
    build(folder)
    want, ask, refusal = None, None, ""
    try:
        want, ask = KINDS[kind](folder, texts)
    except Exception as e:
        refusal = re.sub(r"\s+", " ", f"{type(e).__name__}: {e}")[:150]
    server = Server(binary, folder, dtype)
    try:
        if server.refusal:
            return ("both refuse" if refusal else "refused"), server.refusal.split("error: ")[-1][-260:]
        if refusal:
            return "only ours opens", refusal
        worst, largest = 1.0, 0.0
        for w, g in zip(want, ask(server)):
            c, d = distance(w, g, kind)
            worst, largest = min(worst, c), max(largest, d)
        good = worst >= 0.99999 and largest <= 1e-4
        return ("agrees" if good else "DIFFERS"), f"cosine {worst:.7f}, difference {largest:.1e}"
    except urllib.error.HTTPError as e:
        return "FAILS", f"{e.code}: {e.read().decode()[:200]}"
    finally:
        server.stop()


def main():
    args = argparse.ArgumentParser()
    args.add_argument("binary")
    args.add_argument("texts")
    args.add_argument("names", nargs="*", default=["*"])
    args.add_argument("--keep")
    args.add_argument("--dtype", default="float32")
    args = args.parse_args()
    texts = json.loads(pathlib.Path(args.texts).read_text())
    counts = {}
    for name in CASES:
        if not any(fnmatch.fnmatch(name, p) for p in args.names):
            continue
        folder = pathlib.Path(args.keep or tempfile.mkdtemp()) / name.replace("/", "-")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            verdict, detail = run(name, folder, texts, args.binary, args.dtype)
        except Exception as e:
            verdict, detail = "BROKEN", re.sub(r"\s+", " ", f"{type(e).__name__}: {e}")[:300]
        if not args.keep:
            shutil.rmtree(folder.parent)
        if name in KNOWN and verdict == "DIFFERS":
            verdict, detail = "known", KNOWN[name]
        counts[verdict] = counts.get(verdict, 0) + 1
        print(f"{name:34} {verdict:16} {detail}", flush=True)
    print(counts)
    sys.exit(any(v.isupper() for v in counts))


if __name__ == "__main__":
    main()
