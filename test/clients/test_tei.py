"""TEI's routes by plain requests: shapes, errors, limits and headers of protocols.md."""

import numpy as np
import pytest


@pytest.fixture
def service(start, reference):
    return start(reference, "tei")


@pytest.fixture
def tei(start, tiny):
    return start(tiny, "tei")


def test_embed_forms(service, reference):
    """A text, token ids, or a list of either."""
    indices = reference.some(3)
    texts = [reference.texts[i] for i in indices]
    ids = [list(reference.ids[i]) for i in indices]
    for inputs in (texts, ids, [texts[0], ids[1], texts[2]]):
        reference.check(indices, service.post("/embed", {"inputs": inputs}).json())
    for inputs in (texts[0], ids[0]):
        reference.check(indices[:1], service.post("/embed", {"inputs": inputs}).json())


def test_embed_all(service, reference):
    """A vector per token; their mean points where the text's does."""
    (i,) = reference.some(1, offset=6)
    (tokens,) = service.post("/embed_all", {"inputs": reference.texts[i]}).json()
    assert np.array(tokens).shape == (len(reference.ids[i]), reference.dim)
    mean = np.mean(tokens, axis=0)
    reference.check([i], [mean / np.linalg.norm(mean)])


def test_tokenize_and_decode(service, reference):
    (i,) = reference.some(1, offset=6)
    text = reference.texts[i]
    (tokens,) = service.post("/tokenize", {"inputs": text}).json()
    assert tuple(t["id"] for t in tokens) == reference.ids[i]
    assert all(set(t) == {"id", "text", "special", "start", "stop"} for t in tokens)
    assert [t["special"] for t in tokens] == [True] + [False] * (len(tokens) - 2) + [True]
    assert tokens[0]["start"] is None
    assert "".join(text[t["start"] : t["stop"]].lower() for t in tokens[1:-1]) == text.lower().replace(" ", "")
    (bare,) = service.post("/tokenize", {"inputs": [text], "add_special_tokens": False}).json()
    assert tuple(t["id"] for t in bare) == reference.ids[i][1:-1]
    (decoded,) = service.post("/decode", {"ids": list(reference.ids[i])}).json()
    assert decoded.replace(" ", "") == text.lower().replace(" ", "")


def test_openai_routes(service, reference):
    indices = reference.some(4)
    for path in ("/v1/embeddings", "/embeddings"):
        answer = service.post(path, {"input": [reference.texts[i] for i in indices], "model": "whatever"})
        reference.check(indices, [d["embedding"] for d in answer.json()["data"]])


def test_headers(service, reference):
    (i,) = reference.some(1)
    headers = service.post("/embed", {"inputs": reference.texts[i]}).headers
    for name in ("compute-time", "total-time", "tokenization-time", "queue-time", "inference-time"):
        assert int(headers["x-" + name]) >= 0
    assert headers["x-compute-characters"] == str(len(reference.texts[i]))
    assert headers["x-compute-tokens"] == str(len(reference.ids[i]))


def test_info(tei, tiny):
    info = tei.get("/info").json()
    assert info.items() >= {
        "max_concurrent_requests": 512, "max_input_length": tiny.max_tokens, "max_batch_tokens": 16384,
        "max_batch_requests": 256, "max_client_batch_size": 32, "auto_truncate": True,
    }.items()
    assert info["model_type"] == {"embedding": {"pooling": "mean"}}
    assert info["model_dtype"] == "float32"
    assert {"model_id", "model_sha", "served_model_name", "tokenization_workers", "version", "sha", "docker_label"} <= set(info)


@pytest.mark.parametrize("path", ["/health", "/ping", "/metrics", "/docs", "/api-doc/openapi.json"])
def test_about(tei, path):
    assert tei.get(path).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "kind", "words"),
    [
        ("/embed", {"inputs": ["a"] * 33}, 422, "Validation", "batch size 33 > maximum allowed batch size 32"),
        ("/embed", {"inputs": []}, 400, "Empty", "cannot be empty"),
        ("/embed", {"inputs": "word " * 4000, "truncate": False}, 422, "Validation", "128"),
        ("/embed", {"inputs": "a", "dimensions": 5000}, 422, "Validation", "48"),
        ("/embed", {"inputs": "a", "prompt_name": "nobody"}, 422, "Validation", "nobody"),
        ("/embed", {}, 422, None, "inputs"),
        ("/embed", {"inputs": 7}, 422, None, "inputs"),
        ("/embed_sparse", {"inputs": "a"}, 424, "Backend", "SPLADE"),
        ("/predict", {"inputs": "a"}, 424, "Backend", "classif"),
        ("/rerank", {"query": "a", "texts": ["b"]}, 424, "Backend", "re-ranker"),
        ("/similarity", {"inputs": {"source_sentence": "a", "sentences": []}}, 400, "Empty", "empty"),
    ],
)
def test_errors(tei, path, body, status, kind, words):
    answer = tei.post(path, body)
    assert answer.status_code == status, answer.text
    error = answer.json()
    assert words in error["error"]
    assert kind is None or error["error_type"] == kind


def test_32_inputs_are_taken(tei, tiny):
    tiny.check(tiny.some(32), tei.post("/embed", {"inputs": [tiny.texts[i] for i in tiny.some(32)]}).json())


def test_openai_error_is_flat(tei):
    answer = tei.post("/v1/embeddings", {"input": ["a"] * 33})
    assert answer.status_code == 422
    assert set(answer.json()) == {"message", "code", "type"}


def test_body_limit(tei):
    answer = tei.post("/embed", {"inputs": "x" * 2_000_001})
    assert answer.status_code == 413
    assert "2" in answer.text


def test_unknown_fields_are_tolerated(tei, tiny):
    (i,) = tiny.some(1)
    tiny.check([i], tei.post("/embed", {"inputs": tiny.texts[i], "surprise": {"nested": [1, None]}}).json())
