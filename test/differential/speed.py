"""Compares what a text costs Paceline's tokenizer and the `tokenizers` library, in CPU time and one thread each.

usage: speed.py encoder texts.json tokenizer.json...

encoder is the program of the folder beside; texts.json a list of texts as `paceline data synth --seed 1 --count 256
--tokens 128 --out texts.json` writes it. The two take turns. `fast` compares ids as embeddings need them with the
library's fastest way, encode_batch_fast; `encode` compares ids with offsets with the library's encode, text by text. A
ratio is how many times Paceline's cost the library's is: the median of the turns, their tenth and ninetieth percentile
in brackets.
"""

import argparse
import json
import os
import statistics
import subprocess
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["GOMAXPROCS"] = "1"

from tokenizers import Tokenizer

TURNS = 21
TURN_SECONDS = 0.03  # of each side


class Library:
    """The `tokenizers` library, in this process."""

    def __init__(self, tokenizer, texts):
        self.tokenizer, self.texts = Tokenizer.from_file(tokenizer), texts
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def encode(self, way, times):
        """How many tokens encoding all texts so often gives, and its CPU seconds."""
        start, encodings = time.process_time(), []
        for _ in range(times):
            if way == "fast":
                encodings = self.tokenizer.encode_batch_fast(self.texts)
            else:
                encodings = [self.tokenizer.encode(text) for text in self.texts]
        seconds = time.process_time() - start
        return times * sum(len(e.ids) for e in encodings), seconds


class Paceline:
    """The program encoder."""

    def __init__(self, encoder, tokenizer, texts):
        self.process = subprocess.Popen([encoder, tokenizer, texts], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.clock = ~self.process.pid << 3 | 2  # as clock_getcpuclockid has it: CPU time of another process

    def encode(self, way, times):
        start = time.clock_gettime(self.clock)
        print(way, times, file=self.process.stdin, flush=True)
        tokens = int(self.process.stdout.readline())
        return tokens, time.clock_gettime(self.clock) - start

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def times_a_turn(side, way):
    """How often a side encodes the texts in a turn."""
    side.encode(way, 1)
    return max(1, round(TURN_SECONDS / (side.encode(way, 3)[1] / 3)))


def compare(library, paceline, way, count):
    """The nanoseconds a text of both sides and the ratio, a turn each, and the tokens a text."""
    turns = []
    often = [times_a_turn(side, way) for side in (library, paceline)]
    for _ in range(TURNS):
        (tokens, theirs), (same, ours) = (side.encode(way, n) for side, n in zip((library, paceline), often))
        if tokens / often[0] != same / often[1]:
            raise SystemExit(f"{tokens / often[0]} tokens here, {same / often[1]} there")
        theirs, ours = theirs / often[0] / count * 1e9, ours / often[1] / count * 1e9
        turns.append((theirs, ours, theirs / ours))
    return turns, tokens / often[0] / count


def report(name, way, turns, tokens):
    theirs, ours, ratios = (sorted(column) for column in zip(*turns))
    low, _, _, _, _, _, _, _, high = statistics.quantiles(ratios, n=10)
    median = statistics.median
    print(f"{name:28} {way:6} {tokens:6.1f} tokens {median(theirs):9.0f} ns {median(ours):8.0f} ns"
          f" {median(ratios):6.2f} ({low:.2f}-{high:.2f})", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("encoder")
    parser.add_argument("texts")
    parser.add_argument("tokenizers", nargs="+")
    args = parser.parse_args()
    with open(args.texts) as file:
        texts = json.load(file)
    for path in args.tokenizers:
        library, paceline = Library(path, texts), Paceline(args.encoder, path, args.texts)
        for way in ("fast", "encode"):
            report(path, way, *compare(library, paceline, way, len(texts)))
        paceline.close()


if __name__ == "__main__":
    main()
