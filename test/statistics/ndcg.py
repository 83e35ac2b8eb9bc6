"""Writes internal/bench/quality/testdata/ndcg.json: rankings with ties, documents that
are not judged and judged ones that are not found, and what trec_eval makes of them.

    pip install pytrec-eval-terrier==0.5.11 && python test/statistics/ndcg.py
"""

import json
import pathlib
import random

import pytrec_eval

FILE = pathlib.Path(__file__).parents[2] / "internal/bench/quality/testdata/ndcg.json"
SEED = 20261122


def case(rng, n):
    documents = [f"d{i}" for i in range(rng.choice([3, 9, 10, 11, 25, 60]))]
    judged = {d: rng.choice([0, 1, 2, 3, 4]) for d in rng.sample(documents, rng.randint(1, len(documents)))}
    if n == 3:
        judged = {d: 0 for d in judged}  # nothing is relevant
    if n == 4:
        judged["elsewhere"] = 4  # and never found
    levels = [i / 8 for i in range(-4, 9)] if n % 2 else None  # every other ranking has ties
    scores = {d: (rng.choice(levels) if levels else rng.uniform(-1, 1)) for d in documents}
    evaluator = pytrec_eval.RelevanceEvaluator({"q": judged}, {"ndcg_cut.10"})
    return {"judged": judged, "scores": scores, "ndcg10": evaluator.evaluate({"q": scores})["q"]["ndcg_cut_10"]}


if __name__ == "__main__":
    rng = random.Random(SEED)
    FILE.write_text(json.dumps([case(rng, n) for n in range(12)]) + "\n")
