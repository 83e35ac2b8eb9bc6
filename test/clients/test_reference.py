"""The check that all others rest on can fail."""

import numpy as np
import pytest


@pytest.mark.parametrize("damage", [lambda v: v[::-1], lambda v: v * 1.001, lambda v: v[:1], lambda v: np.zeros_like(v), lambda v: v * np.nan])
def test_wrong_vectors_are_seen(tiny, damage):
    right = tiny.vectors[[0, 1]]
    tiny.check([0, 1], right)
    with pytest.raises(AssertionError):
        tiny.check([0, 1], damage(right))
