"""Encodes what a test sends with the `tokenizers` library and answers with what it gave.

usage: reference.py tokenizer.json

Each line of standard input is a JSON object: `texts`, a list of texts or of pairs of texts; `special`, whether to add
special tokens; `max_tokens`, 0 for no limit; `left`, whether to cut the beginning. Each line of the answer is a list with
one [ids, type ids, special mask, offsets] a text. Offsets are given in bytes of UTF-8, as TEI reports them; the Python
binding counts code points.
"""

import itertools
import json
import os
import sys

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from tokenizers import Tokenizer


def positions(text):
    """The byte that each code point begins at, and the end."""
    return list(itertools.accumulate((len(c.encode()) for c in text), initial=0))


def answer(encoding, texts):
    at = [positions(text) for text in texts]
    offsets = []
    for (start, end), sequence in zip(encoding.offsets, encoding.sequence_ids):
        places = at[sequence or 0]
        offsets.append([places[start], places[end]])
    return [encoding.ids, encoding.type_ids, encoding.special_tokens_mask, offsets]


def main():
    tokenizer = Tokenizer.from_file(sys.argv[1])
    tokenizer.no_padding()
    for line in sys.stdin:
        request = json.loads(line)
        tokenizer.no_truncation()
        if request["max_tokens"]:
            tokenizer.enable_truncation(request["max_tokens"], direction="left" if request["left"] else "right")
        answers = []
        for text in request["texts"]:
            texts = [text] if isinstance(text, str) else text
            encoding = tokenizer.encode(*texts, add_special_tokens=request["special"])
            answers.append(answer(encoding, texts))
        print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    main()
