"""Similarities between two sets of vectors."""

import numpy as np

from .encoder import normalized


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return normalized(a) @ normalized(b).T


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a @ b.T


def euclidean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """1 / (1 + distance), without an n x m x dimension intermediate."""
    squared = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2 * dot(a, b)
    return 1 / (1 + np.sqrt(np.maximum(squared, 0)))


METHODS = {"cosine": cosine, "dot": dot, "euclidean": euclidean}
