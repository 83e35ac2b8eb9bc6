"""The arithmetic that a server chooses by itself keeps close to float32."""

import numpy as np


def test_cosine_to_float32(start, reference):
    service = start(reference, "fastapi", "--dtype", "auto")
    vectors = np.array(service.post("/embeddings", {"texts": list(reference.texts)}).json()["embeddings"])
    cosines = (vectors * reference.vectors).sum(axis=1)
    assert cosines.min() >= 0.999
