"""What the servers' answers are held against: sentence-transformers' vectors."""

import dataclasses
import json
import pathlib

import numpy as np


@dataclasses.dataclass(frozen=True)
class Reference:
    name: str
    folder: pathlib.Path  # the model
    texts: tuple[str, ...]
    ids: tuple[tuple[int, ...], ...]  # as the model's tokenizer makes them, special tokens included
    vectors: np.ndarray  # texts x dimensions, of length 1
    max_tokens: int
    tolerance: float  # of a single value

    @property
    def dim(self) -> int:
        return self.vectors.shape[1]

    def some(self, count: int, offset: int = 0) -> list[int]:
        """Indices of texts that every service takes: neither empty nor blank, nor cut."""
        good = [i for i, text in enumerate(self.texts) if text.strip() and len(self.ids[i]) < self.max_tokens]
        return [good[(offset + i) % len(good)] for i in range(count)]

    def check(self, indices, vectors) -> None:
        """Fails unless the vectors are those of the texts of these indices."""
        got = np.asarray(vectors, dtype=np.float64)
        want = self.vectors[list(indices)].astype(np.float64)
        assert got.shape == want.shape
        distance = np.abs(got - want).max()
        assert distance <= self.tolerance, f"a value is {distance:.2g} off, the tolerance is {self.tolerance:.0e}"


def tiny_reference(testdata: pathlib.Path) -> Reference:
    folder = testdata / "tiny" / "bert"
    expected = json.loads((folder / "expected.json").read_text())
    return Reference(
        name="tiny", folder=folder, texts=tuple(expected["texts"]), ids=tuple(map(tuple, expected["input_ids"])),
        vectors=np.array(expected["embeddings"], dtype=np.float32), max_tokens=expected["max_seq_length"], tolerance=1e-5,
    )


def real_reference(testdata: pathlib.Path, model: pathlib.Path) -> Reference:
    folder = testdata / "real" / "all-MiniLM-L6-v2"
    expected = json.loads((folder / "expected.json").read_text())
    return Reference(
        name="real", folder=model, texts=tuple(json.loads((testdata / "texts64.json").read_text())),
        ids=tuple(map(tuple, expected["input_ids"])),
        vectors=np.load(folder / "embeddings.npy"), max_tokens=expected["max_seq_length"], tolerance=1e-4,
    )
