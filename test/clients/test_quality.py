"""STS-B through the running server: do its vectors mean what the model's do?"""

import csv
import os
import pathlib

import numpy as np
import pytest

SHARED = pathlib.Path(os.environ.get("PACELINE_SHARED") or pathlib.Path(__file__).resolve().parents[3] / "shared")


# Spearman's correlation of cosine and human judgment, x 100, of sentence-transformers in float32, without prompts.
FIGURES = {"all-MiniLM-L6-v2": 82.03, "all-mpnet-base-v2": 83.42, "bge-small-en-v1.5": 85.86, "e5-small-v2": 84.92}


class Model:
    """A folder with a real model."""

    def __init__(self, name: str, folder: pathlib.Path):
        self.name, self.folder = name, folder


@pytest.fixture(params=FIGURES)
def model(request):
    """all-MiniLM-L6-v2 is the folder in PACELINE_TEST_MODEL, the others are in folders of their names in PACELINE_TEST_MODELS."""
    if request.param == "all-MiniLM-L6-v2":
        return request.getfixturevalue("real")
    folder = pathlib.Path(os.environ.get("PACELINE_TEST_MODELS", "")) / request.param
    if not os.environ.get("PACELINE_TEST_MODELS") or not folder.is_dir():
        pytest.skip(f"PACELINE_TEST_MODELS does not name a folder with {request.param}")
    return Model(request.param, folder)


def test_sts_benchmark(start, model, request):
    """The vectors that a server gives mean what those of sentence-transformers mean."""
    file = SHARED / "data" / "stsb" / "stsb-en-test.csv"
    if not file.exists():
        pytest.skip(f"{file} is not there: set PACELINE_SHARED to a folder with data/stsb")
    with file.open(newline="", encoding="utf-8") as rows:
        left, right, judged = zip(*csv.reader(rows))
    service = start(model, "fastapi")
    a, b = embed(service, left), embed(service, right)
    cosines = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    correlation = 100 * spearman(cosines, np.array(judged, dtype=float))
    expected = FIGURES[request.node.callspec.params["model"]]
    print(f"STS-B test, {request.node.callspec.params['model']}, {len(left)} pairs: Spearman x 100 = {correlation:.3f}")
    assert len(left) == 1379
    assert abs(correlation - expected) <= 0.05


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
