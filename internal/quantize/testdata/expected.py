"""Computes expected.json with sentence-transformers; run it by hand when that changes."""

import json
import pathlib

import numpy as np
import sentence_transformers
from sentence_transformers.util import quantize_embeddings

rng = np.random.default_rng(20261122)
calibration = rng.normal(0, 0.05, (50, 24)).astype(np.float32)
vectors = rng.normal(0, 0.06, (6, 24)).astype(np.float32)
calibration[:, 3] = vectors[:, 3] = 0.25  # a dimension without a range
vectors[0, 0], vectors[1, 1] = 0, -0.0  # which have no sign
vectors[2, 5], vectors[3, 5] = 9, -9  # far outside
ranges = np.vstack((calibration.min(0), calibration.max(0)))
vectors[4] = ranges[0]
vectors[5] = ranges[1]
expected = {
    "made_with": f"sentence-transformers {sentence_transformers.__version__}, numpy {np.__version__}",
    "calibration": calibration.tolist(),
    "vectors": vectors.tolist(),
    "calibrated": {p: quantize_embeddings(vectors, p, calibration_embeddings=calibration).tolist() for p in ("int8", "uint8")},
    "uncalibrated": {p: quantize_embeddings(vectors, p).tolist() for p in ("int8", "uint8", "binary", "ubinary")},
}
pathlib.Path(__file__).with_name("expected.json").write_text(json.dumps(expected) + "\n")
