"""Times embedding engines against each other on one machine: text in, vector out, in process, tokenisation included.

Every engine is a process of its own (see peer.py). First their vectors are compared; then they take turns, a slice of
time each, in an order that moves on from round to round, so that a busy neighbour or a hot CPU hits all alike. What is
compared is the ratio within a round; the rates alone say little on a shared machine.
"""

import argparse
import base64
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
LOWEST_COSINE = 0.99999


class Peer:
    """One engine's process."""

    def __init__(self, name, command, model, threads):
        env = dict(os.environ, OMP_NUM_THREADS=str(threads), RAYON_NUM_THREADS=str(threads), GOMAXPROCS=str(threads),
                   HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="true", TQDM_DISABLE="1")
        self.log = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, env=env)
        self.usage = psutil.Process(self.process.pid)
        self.short = name
        self.name = self.ask(op="open", model=model, threads=threads)["name"]
        self.batch = BATCHES[0]

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

    def choose_batch(self, seconds):
        self.batch = max(BATCHES, key=lambda batch: self.slice(seconds, batch)[0])

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


def start(name, command, model, threads):
    """The peer, or None and a line that says why not."""
    try:
        return Peer(name, command, model, threads)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"{name}: left out, it does not start here: {error}", file=sys.stderr)
        return None


def lowest_cosine(a, b):
    return float(((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min())


def check_vectors(peers, texts):
    """Every engine must compute the same model, or its speed means nothing."""
    vectors = {peer.short: peer.vectors(texts) for peer in peers}
    reference = peers[-1]
    agree = True
    for peer in peers[:-1]:
        cosine = lowest_cosine(vectors[peer.short], vectors[reference.short])
        print(f"lowest cosine of {peer.name} to {reference.name}: {cosine:.7f} over {len(texts)} texts")
        agree &= cosine >= LOWEST_COSINE
    shifted = lowest_cosine(vectors[reference.short][1:], vectors[reference.short][:-1])
    if shifted > 0.99 or not agree:
        raise SystemExit(f"the vectors do not agree (needed {LOWEST_COSINE}; texts out of place have {shifted:.3f})")


def measure(peers, texts, options):
    """Per peer, one (rate, rate per CPU-second) for each round."""
    for peer in peers:
        peer.ask(op="texts", texts=texts)
        peer.slice(options.seconds, BATCHES[-1])  # warm up
        peer.choose_batch(options.seconds)
    results = {peer.short: [] for peer in peers}
    for turn in range(options.rounds):
        for peer in peers[turn % len(peers):] + peers[: turn % len(peers)]:
            results[peer.short].append(peer.slice(options.seconds, peer.batch))
    return results


def summarise(values):
    quarters = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": statistics.median(values), "lower_quartile": quarters[0], "upper_quartile": quarters[2]}


def rows(peers, length, results, first):
    """One row a peer; the ratio is Paceline's to it, within each round."""
    for peer in peers:
        wall, cpu = zip(*results[peer.short])
        ratios = [tuple(ours / theirs for ours, theirs in zip(a, b)) for a, b in zip(results[first.short], results[peer.short])]
        yield {
            "tokens": length, "engine": peer.name, "batch": peer.batch, "rounds": len(wall),
            "embeddings_per_second": summarise(wall), "embeddings_per_cpu_second": summarise(cpu),
            "paceline_ratio": summarise([r[0] for r in ratios]), "paceline_ratio_per_cpu_second": summarise([r[1] for r in ratios]),
        }


def spread(s, digits):
    return f"{s['median']:.{digits}f} ({s['lower_quartile']:.{digits}f}-{s['upper_quartile']:.{digits}f})"


def table(all_rows):
    yield "| tokens | engine | batch | embeddings/s | per CPU-second | Paceline / it | the same per CPU-second |"
    yield "|---|---|---|---|---|---|---|"
    for row in all_rows:
        yield (f"| {row['tokens']} | {row['engine']} | {row['batch']} | {spread(row['embeddings_per_second'], 0)} | "
               f"{spread(row['embeddings_per_cpu_second'], 0)} | {spread(row['paceline_ratio'], 2)} | "
               f"{spread(row['paceline_ratio_per_cpu_second'], 2)} |")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, help="folder of a BERT in Hugging Face layout")
    parser.add_argument("--paceline", required=True, help="the built program of bench/peers/paceline")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    parser.add_argument("--tokens", type=int, nargs="+", default=[12, 68, 128])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=0.5, help="of one slice")
    parser.add_argument("--json", help="write the figures to this file as well")
    return parser.parse_args()


def main():
    options = parse()
    python = [sys.executable, "-W", "ignore"]
    candidates = {
        "paceline": [options.paceline],
        "onnxruntime": python + [os.path.join(HERE, "onnxruntime_peer.py")],
        "sentence-transformers": python + [os.path.join(HERE, "sentence_transformers_peer.py")],
    }
    peers = [peer for name, command in candidates.items() if (peer := start(name, command, options.model, options.threads))]
    if len(peers) < 2 or peers[0].short != "paceline":
        raise SystemExit("there is nothing to compare")
    tokenizer = Tokenizer.from_file(os.path.join(options.model, "tokenizer.json"))
    sets = {length: texts_of(tokenizer, length, 256, seed=length) for length in options.tokens}
    check_vectors(peers, [text for texts in sets.values() for text in texts[:16]] + ["", "Größe: 12 µm, 東京 🚲", "one"])
    all_rows = []
    for length, texts in sets.items():
        print(f"{length} tokens, {options.rounds} rounds of {options.seconds} s each", file=sys.stderr)
        all_rows += rows(peers, length, measure(peers, texts, options), peers[0])
    print(f"\n{options.threads} threads; median of {options.rounds} rounds (quartiles)\n")
    print("\n".join(table(all_rows)))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"threads": options.threads, "seconds": options.seconds, "rows": all_rows}, file, indent=1)
    for peer in peers:
        peer.close()


if __name__ == "__main__":
    main()
