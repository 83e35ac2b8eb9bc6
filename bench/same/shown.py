"""Prints the differences that a comparison shows; exits 1 if there are any.

usage: shown.py COMPARISON.json
"""

import json
import sys


def main() -> None:
    changes = json.load(open(sys.argv[1]))["changes"]
    compared = [c for c in changes if c["outcome"] in ("better", "worse", "no difference shown")]
    if not compared:
        sys.exit(f"{sys.argv[1]}: nothing could be compared: {sorted({c['outcome'] for c in changes})}")
    shown = [c for c in compared if c["outcome"] != "no difference shown"]
    for c in shown:
        print(f"{sys.argv[1]}: {c['cell']}, {c['quantity']}: {c['outcome']}, p = {c['p']:.3f}")
    sys.exit(1 if shown else 0)


main()
