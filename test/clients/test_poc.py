"""The proof of concept's two services by plain requests."""

import pytest


@pytest.mark.parametrize(("profile", "backend"), [("langchain", "huggingface"), ("vllm", "vllm")])
class TestPoC:
    def test_embed(self, start, reference, profile, backend):
        indices = reference.some(70)  # several of langchain's batches of 32
        answer = start(reference, profile).post("/embed", {"texts": [reference.texts[i] for i in indices]}).json()
        assert set(answer) == {"embeddings", "model", "num_embeddings", "embedding_dim"}
        assert (answer["num_embeddings"], answer["embedding_dim"]) == (70, reference.dim)
        reference.check(indices, answer["embeddings"])

    def test_health(self, start, tiny, profile, backend):
        health = start(tiny, profile).get("/health").json()
        assert health == {"status": "healthy", "backend": backend, "model": health["model"], "gpu_available": False}

    @pytest.mark.parametrize("body", [{}, {"texts": "a string"}, {"texts": [1]}])
    def test_errors(self, start, tiny, profile, backend, body):
        answer = start(tiny, profile).post("/embed", body)
        assert answer.status_code == 422
        assert "texts" in str(answer.json()["detail"])


def test_embed_belongs_to_both(start, tiny):
    """On a server of every dialect the body says whose /embed is meant."""
    (i,) = tiny.some(1)
    service = start(tiny)
    tiny.check([i], service.post("/embed", {"texts": [tiny.texts[i]]}).json()["embeddings"])
    tiny.check([i], service.post("/embed", {"inputs": [tiny.texts[i]]}).json())
