"""The model: texts in, vectors out. One call at a time, off the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from .settings import Settings


class Encoder:
    """Runs sentence-transformers in one thread, so that PyTorch's own threads are not oversubscribed."""

    def __init__(self, settings: Settings):
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = SentenceTransformer(settings.model, device=self.device)
        self._model.eval()
        self._batch_texts = settings.encode_batch_texts
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder")

    @property
    def dimension(self) -> int:
        return self._model.get_sentence_embedding_dimension()

    async def encode(self, texts: list[str]) -> np.ndarray:
        """Vectors of the model's own pipeline, len(texts) x dimension, float32."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._encode, texts)

    def _encode(self, texts: list[str]) -> np.ndarray:
        with torch.inference_mode():
            return self._model.encode(
                texts, batch_size=self._batch_texts, convert_to_numpy=True, show_progress_bar=False
            )

    def close(self) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)


def normalized(vectors: np.ndarray) -> np.ndarray:
    """Rows of unit length; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(norms, 1e-12)
