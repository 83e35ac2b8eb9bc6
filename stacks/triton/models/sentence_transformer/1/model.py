"""Token ids to unit vectors. All requests of a batch run as one."""

import os
import sys

sys.path[:0] = [os.environ["STACK_SITE_PACKAGES"]]

import numpy as np  # noqa: E402
import triton_python_backend_utils as pb_utils  # noqa: E402


class TritonPythonModel:
    def initialize(self, args):
        if os.environ["STACK_ENGINE"] == "onnx":
            from engine_onnx import Engine
        else:
            from engine_torch import Engine
        threads = int(os.environ["STACK_THREADS"])
        self.engine = Engine(os.environ["STACK_MODEL"], threads, os.environ["STACK_CACHE"])

    def execute(self, requests):
        ids = [pb_utils.get_input_tensor_by_name(r, "input_ids").as_numpy() for r in requests]
        masks = [pb_utils.get_input_tensor_by_name(r, "attention_mask").as_numpy() for r in requests]
        vectors = self.engine.embed(join(ids), join(masks))
        ends = np.cumsum([len(part) for part in ids])[:-1]
        return [
            pb_utils.InferenceResponse([pb_utils.Tensor("embeddings", part)])
            for part in np.split(vectors, ends)
        ]


def join(parts: list[np.ndarray]) -> np.ndarray:
    """One int64 array of all rows, each padded with zeros to the longest."""
    joined = np.zeros((sum(len(p) for p in parts), max(p.shape[1] for p in parts)), np.int64)
    row = 0
    for part in parts:
        joined[row : row + len(part), : part.shape[1]] = part
        row += len(part)
    return joined
