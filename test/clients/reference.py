"""What the servers' answers are held against: sentence-transformers' vectors."""

import dataclasses
import json
import pathlib

import numpy as np
import tokenizers


@dataclasses.dataclass(frozen=True)
class Reference:
    name: str
    folder: pathlib.Path  # the model
    texts: tuple[str, ...]
    ids: tuple[tuple[int, ...], ...]  # as the tokenizers package makes them, special tokens included
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
    return build("tiny", folder, expected["texts"], np.array(expected["embeddings"], dtype=np.float32), tolerance=1e-5)


def real_reference(testdata: pathlib.Path, model: pathlib.Path) -> Reference:
    texts = json.loads((testdata / "texts64.json").read_text())
    return build("real", model, texts, np.load(testdata / "real" / "all-MiniLM-L6-v2" / "embeddings.npy"), tolerance=1e-4)


def build(name: str, model: pathlib.Path, texts: list[str], vectors: np.ndarray, tolerance: float) -> Reference:
    max_tokens = json.loads((model / "sentence_bert_config.json").read_text())["max_seq_length"]
    tokenizer = tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    ids = tuple(tuple(tokenizer.encode(text).ids) for text in texts)
    return Reference(name, model, tuple(texts), ids, vectors, max_tokens, tolerance)
