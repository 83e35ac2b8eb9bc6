"""The model in PyTorch, with its own pooling."""

import numpy as np
import torch
from sentence_transformers import SentenceTransformer


class Pipeline(torch.nn.Module):
    """Ids and mask to unit vectors."""

    def __init__(self, model: SentenceTransformer):
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        features = self.model({"input_ids": input_ids, "attention_mask": attention_mask})
        return torch.nn.functional.normalize(features["sentence_embedding"])


class Engine:
    def __init__(self, folder: str, threads: int, cache: str):
        if threads:
            torch.set_num_threads(threads)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.pipeline = Pipeline(SentenceTransformer(folder, device=self.device).eval())

    def embed(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            vectors = self.pipeline(
                torch.from_numpy(ids).to(self.device), torch.from_numpy(mask).to(self.device)
            )
        return vectors.float().cpu().numpy()
