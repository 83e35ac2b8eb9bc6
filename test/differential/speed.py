"""Prints what the `tokenizers` library needs for a text, beside BenchmarkAppendIDs of internal/token.

usage: speed.py tokenizer.json texts.json

texts.json is a list of texts as `paceline data synth --seed 1 --count 256 --tokens 128 --out texts.json` writes it: the
texts of the benchmark. One thread; the best of several rounds.
"""

import json
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from tokenizers import Tokenizer


def best(encode, rounds=10):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        encode()
        times.append(time.perf_counter() - start)
    return min(times)


def main():
    tokenizer = Tokenizer.from_file(sys.argv[1])
    tokenizer.no_padding()
    tokenizer.no_truncation()
    with open(sys.argv[2]) as file:
        texts = json.load(file)
    tokens = sum(len(e.ids) for e in tokenizer.encode_batch(texts))
    ways = {
        "encode": lambda: [tokenizer.encode(text) for text in texts],
        "encode_batch": lambda: tokenizer.encode_batch(texts),
        "encode_batch_fast": lambda: tokenizer.encode_batch_fast(texts),
    }
    for name, encode in ways.items():
        seconds = best(encode)
        print(f"{name:18} {seconds / len(texts) * 1e9:10.0f} ns/text {seconds / tokens * 1e9:8.1f} ns/token")


if __name__ == "__main__":
    main()
