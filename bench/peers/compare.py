"""Times embedding engines against each other on one machine: text in, vector out, in process, tokenisation included.

Every engine is a process of its own (see peer.py), with the batch and the setting that suit it best. First their vectors are
compared; then they take turns, a slice of time each, in an order that moves on from round to round, so that a busy neighbour or a
hot CPU hits all alike. What is compared is the ratio within a round; the rates alone say little on a shared machine.
"""

import argparse
import csv
import json
import os
import random
import statistics
import sys

import numpy as np
from tokenizers import Tokenizer

import engines
import report

# To the last float32 engine's vectors, at every level. Others' int8 is only shown beside its speed.
LOWEST_COSINE = {"float32": 0.99999, "auto": 0.999, "int8": 0.985}
OTHERS_LOWEST = {"float32": 0.999, "bfloat16": 0.99}
KNOWN_LOWEST = {"hugot": 0.85}  # 0.6.1 leaves the accents that the model's tokenizer strips: one odd text has other tokens
OUT_OF_PLACE = 0.9  # what texts out of place must fall below


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


def cosines(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def check_vectors(peers, texts):
    """Every engine of the same model must compute it, or its speed means nothing."""
    same = [peer for peer in peers if not peer.other_model]
    vectors = {peer: peer.vectors(texts) for peer in same}
    reference = [peer for peer in same if peer.dtype == "float32"][-1]
    agree = True
    for peer in same:
        found = cosines(vectors[peer], vectors[reference])
        peer.cosines = float(found.mean()), float(found.min())
        print(f"cosine of {peer.name} to {reference.name}: mean {found.mean():.6f}, lowest {found.min():.6f} over {len(texts)} texts")
        needed = (LOWEST_COSINE if peer.ours else OTHERS_LOWEST).get(peer.dtype, -1)
        agree &= found.min() >= KNOWN_LOWEST.get(peer.engine, needed)
    shifted = cosines(vectors[reference][1:], vectors[reference][:-1]).min()
    if shifted > OUT_OF_PLACE or not agree:
        raise SystemExit(f"the vectors do not agree (Paceline's need {LOWEST_COSINE}, others' {OTHERS_LOWEST}; texts out of place have {shifted:.3f})")


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


def in_turns(peers, rounds, measured):
    """What each peer's turn gave, in every round; who begins moves on."""
    results = {peer: [] for peer in peers}
    for turn in range(rounds):
        for peer in peers[turn % len(peers) :] + peers[: turn % len(peers)]:
            results[peer].append(measured(peer))
    return results


def measure(peers, texts, length, options):
    """Per peer, one (rate, rate per CPU-second) for each round."""
    for peer in peers:
        peer.ask(op="texts", texts=texts)
        peer.tune(options.seconds, length)
    return in_turns(peers, options.rounds, lambda peer: peer.slice(options.seconds, peer.batch))


def measure_lone(peers, texts, options):
    for peer in peers:
        peer.ask(op="texts", texts=texts)
        peer.lone(options.seconds)  # warm up
        peer.tune_setting(lambda: 1 / statistics.median(peer.lone(options.seconds)))
    results = in_turns(peers, options.rounds, lambda peer: peer.lone(options.seconds))
    return [report.lone_row(peer, slices) for peer, slices in results.items()]


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, help="folder of a BERT in Hugging Face layout")
    parser.add_argument("--paceline", required=True, help="the built program of bench/peers/paceline")
    parser.add_argument("--hugot", default="hugot", help="the built program of bench/peers/hugot")
    parser.add_argument("--levels", nargs="+", default=[], metavar="LEVEL", help="CPU levels that Paceline is forced to (PACELINE_CPU), beside its own choice")
    parser.add_argument("--engines", nargs="+", choices=engines.OTHERS, help="the other engines; without this, all that start here")
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
    peers = engines.start_all(options)
    if len({peer.engine for peer in peers}) < 2 or not any(peer.ours for peer in peers):
        raise SystemExit("there is nothing to compare")
    tokenizer = Tokenizer.from_file(os.path.join(options.model, "tokenizer.json"))
    sets = {length: texts_of(tokenizer, length, 256, seed=length) for length in options.tokens}
    check_vectors(peers, [text for texts in sets.values() for text in texts[:16]] + ["", "Größe: 12 µm, 東京 🚲", "one"])
    if options.stsb:
        measure_quality(peers, options.stsb)
    shortest = min(sets)
    print(f"one text of {shortest} tokens alone", file=sys.stderr)
    lone = measure_lone(peers, sets[shortest], options)
    print("\n" + "\n".join(report.lone_table(lone, shortest)))
    print(f"\n{options.threads} threads; median of {options.rounds} rounds (quartiles)\n")
    print("\n".join(report.HEADER), flush=True)
    all_rows = []
    for length, texts in sets.items():
        print(f"{length} tokens, {options.rounds} rounds of {options.seconds} s each", file=sys.stderr)
        found = list(report.rows(peers, length, measure(peers, texts, length, options)))
        print("\n".join(report.table(found)), flush=True)
        all_rows += found
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"threads": options.threads, "seconds": options.seconds, "rows": all_rows, "lone": lone}, file, indent=1)
    for peer in peers:
        peer.close()


if __name__ == "__main__":
    main()
