"""sentence-transformers on PyTorch, float32."""

import peer
import sentence_transformers
import torch


class SentenceTransformers:
    def open(self, model, threads, dtype):
        if dtype != "float32":
            raise ValueError(f"no {dtype} here")
        torch.set_num_threads(threads)
        self.model = sentence_transformers.SentenceTransformer(model, device="cpu", local_files_only=True)
        return f"sentence-transformers {sentence_transformers.__version__} (torch {torch.__version__.split('+')[0]}) float32"

    def embed(self, texts):
        return self.model.encode(texts, batch_size=len(texts), normalize_embeddings=True, show_progress_bar=False)


if __name__ == "__main__":
    peer.serve(SentenceTransformers())
