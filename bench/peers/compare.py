"""Times embedding engines against each other on one machine: text in, vector out, in process, tokenisation included.

Every engine is a process of its own (see peer.py). First their vectors are compared; then they take turns, a slice of
time each, in an order that moves on from round to round, so that a busy neighbour or a hot CPU hits all alike. What is
compared is the ratio within a round; the rates alone say little on a shared machine.
"""

import argparse
import base64
import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import psutil
from tokenizers import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
BATCHES = (8, 32, 128)  # each engine is timed with the one that suits it best
BATCH_TOKENS = 8192  # at most: a batch of long texts would take a round's time
# To the last float32 engine's vectors. Others' int8 is only shown beside its speed.
LOWEST_COSINE = {"float32": 0.99999, "paceline auto": 0.999, "paceline int8": 0.985}
OUT_OF_PLACE = 0.9  # what texts out of place must fall below


class Peer:
    """One engine's process."""

    def __init__(self, name, command, dtype, model, threads):
        env = dict(os.environ, OMP_NUM_THREADS=str(threads), RAYON_NUM_THREADS=str(threads), GOMAXPROCS=str(threads),
                   HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="true", TQDM_DISABLE="1")
        self.log = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, env=env)
        self.usage = psutil.Process(self.process.pid)
        self.short, self.dtype = f"{name} {dtype}", dtype
        self.name = self.ask(op="open", model=model, threads=threads, dtype=dtype)["name"]
        self.batch = BATCHES[0]
        self.cosines = None  # mean and lowest, to float32
        self.quality = None  # Spearman's correlation with people's judgements, times 100

    def ask(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        reply = self.process.stdout.readline()
        if not reply:
            raise RuntimeError(f"exit code {self.process.wait()}: {self.last_words()}")
        return json.loads(reply)

    def last_words(self):
        self.log.seek(0)
        return (self.log.read().strip().splitlines() or ["no word"])[-1]

    def vectors(self, texts):
        self.ask(op="texts", texts=texts)
        reply = self.ask(op="vectors", batch=8)
        return np.frombuffer(base64.b64decode(reply["vectors"]), dtype="<f4").reshape(-1, reply["width"])

    def slice(self, seconds, batch):
        """Embeddings per second, and per second of this process's CPU time."""
        before = self.cpu_seconds()
        done = self.ask(op="run", seconds=seconds, batch=batch)
        return done["texts"] / done["seconds"], done["texts"] / max(self.cpu_seconds() - before, 1e-9)

    def cpu_seconds(self):
        times = self.usage.cpu_times()
        return times.user + times.system

    def choose_batch(self, seconds, batches):
        self.batch = max(batches, key=lambda batch: self.slice(seconds, batch)[0])

    def lone(self, seconds):
        """Milliseconds that each text took by itself."""
        return [1000 * s for s in self.ask(op="lone", seconds=seconds)["seconds"]]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def texts_of(tokenizer, length, count, seed):
    """Texts of exactly that many tokens, special ones included: common words that are one token each."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    words = [w for w in tokenizer.get_vocab() if w.isascii() and w.isalpha() and w.islower() and 3 <= len(w) <= 9]
    rng = random.Random(seed)
    words.sort()
    texts = [" ".join(rng.choices(words, k=length - 2)) for _ in range(count)]
    wrong = [t for t in texts if len(tokenizer.encode(t).ids) != length]
    if wrong:
        raise SystemExit(f"{len(wrong)} of {count} texts have another length than {length} tokens: {wrong[0]!r}")
    return texts


def start(name, command, dtype, model, threads):
    """The peer, or None and a line that says why not."""
    try:
        return Peer(name, command, dtype, model, threads)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"{name} {dtype}: left out, it does not start here: {error}", file=sys.stderr)
        return None


def cosines(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def check_vectors(peers, texts):
    """Every engine must compute the same model, or its speed means nothing."""
    vectors = {peer.short: peer.vectors(texts) for peer in peers}
    reference = [peer for peer in peers if peer.dtype == "float32"][-1]
    agree = True
    for peer in peers:
        found = cosines(vectors[peer.short], vectors[reference.short])
        peer.cosines = float(found.mean()), float(found.min())
        print(f"cosine of {peer.name} to {reference.name}: mean {found.mean():.6f}, lowest {found.min():.6f} over {len(texts)} texts")
        agree &= found.min() >= LOWEST_COSINE.get(peer.short, LOWEST_COSINE.get(peer.dtype, -1))
    shifted = cosines(vectors[reference.short][1:], vectors[reference.short][:-1]).min()
    if shifted > OUT_OF_PLACE or not agree:
        raise SystemExit(f"the vectors do not agree (needed {LOWEST_COSINE}; texts out of place have {shifted:.3f})")


def ranks(values):
    """Their places, from 1; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def measure_quality(peers, path):
    """STS-B: how alike pairs of sentences are to an engine, and to people."""
    with open(path, encoding="utf-8", newline="") as file:
        pairs = [(first, second, float(score)) for first, second, score in csv.reader(file)]
    texts = [text for first, second, _ in pairs for text in (first, second)]
    judged = ranks([score for _, _, score in pairs])
    for peer in peers:
        found = peer.vectors(texts)
        peer.quality = 100 * float(np.corrcoef(ranks(cosines(found[0::2], found[1::2])), judged)[0, 1])
        print(f"STS-B of {peer.name}: {peer.quality:.2f}", file=sys.stderr)


def measure(peers, texts, length, options):
    """Per peer, one (rate, rate per CPU-second) for each round."""
    batches = [batch for batch in BATCHES if batch * length <= BATCH_TOKENS] or BATCHES[:1]
    for peer in peers:
        peer.ask(op="texts", texts=texts)
        peer.slice(options.seconds, batches[-1])  # warm up
        peer.choose_batch(options.seconds, batches)
    results = {peer.short: [] for peer in peers}
    for turn in range(options.rounds):
        for peer in peers[turn % len(peers):] + peers[: turn % len(peers)]:
            results[peer.short].append(peer.slice(options.seconds, peer.batch))
    return results


def summarise(values):
    quarters = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": statistics.median(values), "lower_quartile": quarters[0], "upper_quartile": quarters[2]}


def rival(ours, peers, results):
    """The quickest other engine of the arithmetic that ours stands against."""
    others = [p for p in peers if not p.short.startswith("paceline") and p.dtype == ("int8" if ours.dtype == "int8" else "float32")]
    return max(others, key=lambda p: statistics.median(wall for wall, _ in results[p.short]), default=None)


def rows(peers, length, results):
    """One row an engine. A ratio is that of Paceline to its rival, within each round."""
    for peer in peers:
        wall, cpu = zip(*results[peer.short])
        row = {
            "tokens": length, "engine": peer.name, "batch": peer.batch, "rounds": len(wall), "cosines": peer.cosines, "stsb": peer.quality,
            "embeddings_per_second": summarise(wall), "embeddings_per_cpu_second": summarise(cpu),
        }
        if peer.short.startswith("paceline") and (best := rival(peer, peers, results)):
            pairs = list(zip(results[peer.short], results[best.short]))
            row["rival"] = best.name
            row["ratio"] = summarise([ours[0] / theirs[0] for ours, theirs in pairs])
            row["ratio_per_cpu_second"] = summarise([ours[1] / theirs[1] for ours, theirs in pairs])
        yield row


def measure_lone(peers, texts, options):
    """Median and 99th percentile of a text alone, in milliseconds, over slices in turn."""
    took = {peer.short: [] for peer in peers}
    for peer in peers:
        peer.ask(op="texts", texts=texts)
        peer.lone(options.seconds)
    for turn in range(options.rounds):
        for peer in peers[turn % len(peers):] + peers[: turn % len(peers)]:
            took[peer.short].append(peer.lone(options.seconds))
    for peer in peers:
        medians = [statistics.median(part) for part in took[peer.short]]
        p99 = float(np.quantile([t for part in took[peer.short] for t in part], 0.99))
        yield {"engine": peer.name, "p50": summarise(medians), "p99": p99}


def spread(s, digits):
    return f"{s['median']:.{digits}f} ({s['lower_quartile']:.{digits}f}-{s['upper_quartile']:.{digits}f})"


HEADER = ("| tokens | engine | cosine, mean / lowest | STS-B | batch | embeddings/s | per CPU-second | times its rival | per CPU-second |",
          "|---|---|---|---|---|---|---|---|---|")


def table(all_rows):
    for row in all_rows:
        against, per_cpu = "", ""
        if "rival" in row:
            against, per_cpu = f"{spread(row['ratio'], 2)} of {row['rival']}", spread(row["ratio_per_cpu_second"], 2)
        mean, lowest = row["cosines"]
        quality = "" if row["stsb"] is None else f"{row['stsb']:.2f}"
        yield (f"| {row['tokens']} | {row['engine']} | {mean:.5f} / {lowest:.5f} | {quality} | {row['batch']} | {spread(row['embeddings_per_second'], 0)} | "
               f"{spread(row['embeddings_per_cpu_second'], 0)} | {against} | {per_cpu} |")


def lone_table(lone, tokens):
    yield f"| one text of {tokens} tokens alone | p50, ms | p99, ms |"
    yield "|---|---|---|"
    for row in lone:
        yield f"| {row['engine']} | {spread(row['p50'], 2)} | {row['p99']:.2f} |"


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, help="folder of a BERT in Hugging Face layout")
    parser.add_argument("--paceline", required=True, help="the built program of bench/peers/paceline")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    parser.add_argument("--tokens", type=int, nargs="+", default=[12, 68, 128])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=0.5, help="of one slice")
    parser.add_argument("--stsb", help="CSV of STS-B's test set: two sentences and a score a line; then each engine's correlation is shown")
    parser.add_argument("--python", action="append", default=[], metavar="PEER=PATH", help="Python that has a peer; else this one")
    parser.add_argument("--json", help="write the figures to this file as well")
    return parser.parse_args()


def main():
    options = parse()
    pythons = dict(option.split("=", 1) for option in options.python)

    def python(name, script):
        return [pythons.get(name, sys.executable), "-W", "ignore", os.path.join(HERE, script)]

    candidates = [
        ("paceline", [options.paceline], ("float32", "auto", "int8")),
        ("onnxruntime", python("onnxruntime", "onnxruntime_peer.py"), ("float32", "int8")),
        ("openvino", python("openvino", "openvino_peer.py"), ("float32", "int8")),
        ("ctranslate2", python("ctranslate2", "ctranslate2_peer.py"), ("float32", "int8")),
        ("sentence-transformers", python("sentence-transformers", "sentence_transformers_peer.py"), ("float32",)),
    ]
    peers = [peer for name, command, dtypes in candidates for dtype in dtypes
             if (peer := start(name, command, dtype, options.model, options.threads))]
    if len({peer.short.split()[0] for peer in peers}) < 2 or peers[0].short != "paceline float32":
        raise SystemExit("there is nothing to compare")
    tokenizer = Tokenizer.from_file(os.path.join(options.model, "tokenizer.json"))
    sets = {length: texts_of(tokenizer, length, 256, seed=length) for length in options.tokens}
    check_vectors(peers, [text for texts in sets.values() for text in texts[:16]] + ["", "Größe: 12 µm, 東京 🚲", "one"])
    if options.stsb:
        measure_quality(peers, options.stsb)
    shortest = min(sets)
    print(f"one text of {shortest} tokens alone", file=sys.stderr)
    lone = list(measure_lone(peers, sets[shortest], options))
    print("\n" + "\n".join(lone_table(lone, shortest)))
    print(f"\n{options.threads} threads; median of {options.rounds} rounds (quartiles)\n")
    print("\n".join(HEADER), flush=True)
    all_rows = []
    for length, texts in sets.items():
        print(f"{length} tokens, {options.rounds} rounds of {options.seconds} s each", file=sys.stderr)
        found = list(rows(peers, length, measure(peers, texts, length, options)))
        print("\n".join(table(found)), flush=True)
        all_rows += found
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"threads": options.threads, "seconds": options.seconds, "rows": all_rows, "lone": lone}, file, indent=1)
    for peer in peers:
        peer.close()


if __name__ == "__main__":
    main()
