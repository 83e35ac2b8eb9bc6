"""STS-B through the running server: do its vectors mean what the model's do?"""

import csv
import os
import pathlib

import numpy as np
import pytest

SHARED = pathlib.Path(os.environ.get("PACELINE_SHARED") or pathlib.Path(__file__).resolve().parents[3] / "shared")


def test_sts_benchmark(start, real):
    """Spearman's correlation of cosine and human judgment, x 100: 82.03 for sentence-transformers in float32."""
    file = SHARED / "data" / "stsb" / "stsb-en-test.csv"
    if not file.exists():
        pytest.skip(f"{file} is not there: set PACELINE_SHARED to a folder with data/stsb")
    with file.open(newline="", encoding="utf-8") as rows:
        left, right, judged = zip(*csv.reader(rows))
    service = start(real, "fastapi")
    a, b = embed(service, left), embed(service, right)
    cosines = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    correlation = 100 * spearman(cosines, np.array(judged, dtype=float))
    print(f"STS-B test, {len(left)} pairs: Spearman x 100 = {correlation:.3f}")
    assert len(left) == 1379
    assert abs(correlation - 82.03) <= 0.05


def embed(service, texts) -> np.ndarray:
    vectors = []
    for start in range(0, len(texts), 128):
        vectors += service.post("/embeddings", {"texts": texts[start : start + 128]}).json()["embeddings"]
    return np.array(vectors)


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    return np.corrcoef(ranks(x), ranks(y))[0, 1]


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[group]


def test_ranks_share_ties():
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1, 3.5, 2]
    assert spearman(np.array([1, 2, 3, 4]), np.array([1, 3, 2, 4])) == pytest.approx(0.8)
