"""The model in ONNX Runtime, exported once."""

import fcntl
import hashlib
import os
from pathlib import Path

import numpy as np
import onnxruntime


class Engine:
    def __init__(self, folder: str, threads: int, cache: str):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        providers = [
            provider
            for provider in ("CUDAExecutionProvider", "CPUExecutionProvider")
            if provider in onnxruntime.get_available_providers()
        ]
        self.session = onnxruntime.InferenceSession(str(exported(folder, cache)), options, providers)

    def embed(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return self.session.run(["embeddings"], {"input_ids": ids, "attention_mask": mask})[0]


def exported(folder: str, cache: str) -> Path:
    """The model's graph; the first of all instances makes it, the others wait for it."""
    home = Path(cache) / "onnx" / fingerprint(folder)
    home.mkdir(parents=True, exist_ok=True)
    graph = home / "model.onnx"
    with open(home / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not graph.exists():
            export(folder, graph)
    return graph


def fingerprint(folder: str) -> str:
    """Changes with the weights' names, sizes and times."""
    files = sorted(Path(folder).rglob("*.safetensors"))
    seen = [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return hashlib.sha256(repr((folder, seen)).encode()).hexdigest()[:16]


def export(folder: str, graph: Path) -> None:
    """Traces the whole pipeline with free batch size and length, and checks it on another shape."""
    import torch
    from engine_torch import Pipeline
    from sentence_transformers import SentenceTransformer

    pipeline = Pipeline(SentenceTransformer(folder, device="cpu").eval())
    rows, tokens = torch.export.Dim("rows", min=1, max=4096), torch.export.Dim("tokens", min=2, max=512)
    aside = graph.with_suffix(".part.onnx")
    torch.onnx.export(
        pipeline,
        (torch.ones(2, 8, dtype=torch.int64), torch.ones(2, 8, dtype=torch.int64)),
        str(aside),
        input_names=["input_ids", "attention_mask"],
        output_names=["embeddings"],
        dynamic_shapes=({0: rows, 1: tokens}, {0: rows, 1: tokens}),
        dynamo=True,
        verbose=False,  # its report is not ASCII, which is all that the stub can print
        external_data=False,
    )
    check(aside, pipeline)
    os.replace(aside, graph)


def check(graph: Path, pipeline) -> None:
    import torch

    ids = torch.randint(1000, 2000, (3, 17))
    mask = torch.ones_like(ids)
    mask[0, 5:] = 0
    with torch.inference_mode():
        want = pipeline(ids, mask).numpy()
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    have = session.run(["embeddings"], {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0]
    if not np.allclose(have, want, atol=1e-4):
        raise RuntimeError(f"the exported graph differs from the model by {abs(have - want).max():.2g}")
