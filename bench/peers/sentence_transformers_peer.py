"""sentence-transformers on PyTorch, in float32 or bfloat16.

With all of the model in bfloat16, pooling included, the cosine to float32 falls to 0.998. So the layers alone are, in weights or
by autocast, and pooling is float32.
"""

import contextlib

import peer
import sentence_transformers
import torch

SETTINGS = {"float32": ["sdpa", "eager"], "bfloat16": ["weights, sdpa", "weights, eager", "autocast, sdpa"]}


class Widen(torch.nn.Module):
    """Stands between the layers and the pooling."""

    def forward(self, features):
        features["token_embeddings"] = features["token_embeddings"].float()
        return features


class SentenceTransformers:
    def open(self, model, threads, dtype):
        torch.set_num_threads(threads)
        self.folder, self.models, self.settings = model, {}, SETTINGS[dtype]
        self.use(self.settings[0])
        return f"sentence-transformers {sentence_transformers.__version__} (torch {torch.__version__.split('+')[0]}) {dtype}"

    def use(self, setting):
        if setting not in self.models:
            self.models[setting] = self.load(setting)
        self.model, self.autocast = self.models[setting], setting.startswith("autocast")

    def load(self, setting):
        kind = {"attn_implementation": setting.rpartition(" ")[2]}
        model = sentence_transformers.SentenceTransformer(self.folder, device="cpu", local_files_only=True, model_kwargs=kind)
        if setting.startswith("weights"):
            model[0].to(torch.bfloat16)
            model.insert(1, Widen())
        return model

    def embed(self, texts):
        with torch.autocast("cpu", dtype=torch.bfloat16) if self.autocast else contextlib.nullcontext():
            return self.model.encode(texts, batch_size=len(texts), normalize_embeddings=True, show_progress_bar=False)


if __name__ == "__main__":
    peer.serve(SentenceTransformers())
