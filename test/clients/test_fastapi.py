"""The FastAPI-style routes by plain requests, parameters in the body or in the query."""

import concurrent.futures

import numpy as np
import pytest

EMBEDDINGS = {"embeddings", "model", "embedding_dim", "num_embeddings", "processing_time_ms", "normalized"}
BATCHED = EMBEDDINGS | {"batch_size", "total_batch_texts"}
STATS = {
    "model_name", "device", "processed_batches", "total_embeddings", "avg_batch_size", "queue_size", "max_batch_size", "target_batch_size",
}


@pytest.fixture(params=["", "fastapi", "triton"])
def service(request, start, reference):
    return start(reference, request.param)


@pytest.fixture
def fastapi(start, tiny):
    return start(tiny, "fastapi")


def test_embeddings(service, reference):
    indices = reference.some(10)
    answer = service.post("/embeddings", {"texts": [reference.texts[i] for i in indices]}).json()
    assert set(answer) == BATCHED
    assert (answer["num_embeddings"], answer["embedding_dim"], answer["normalized"]) == (10, reference.dim, True)
    reference.check(indices, answer["embeddings"])


def test_every_text_of_the_reference(service, reference):
    """Empty, blank and cut ones too: the original takes them all."""
    answer = service.post("/embeddings", {"texts": list(reference.texts)}).json()
    reference.check(range(len(reference.texts)), answer["embeddings"])


def test_forms(service, reference):
    """One text or several; in a field, or as the whole body with parameters in the query."""
    (i,) = reference.some(1)
    text = reference.texts[i]
    for body in ({"texts": text}, {"texts": [text]}, text, [text]):
        reference.check([i], service.post("/embeddings", body).json()["embeddings"])
        direct = service.post("/embeddings?use_batching=false", body).json()
        assert set(direct) == EMBEDDINGS
        reference.check([i], direct["embeddings"])
    for parameters, body in (("", {"texts": text, "normalize": False, "use_batching": False}), ("?normalize=false", text)):
        answer = service.post("/embeddings" + parameters, body).json()
        assert answer["normalized"] is False


def test_batch(service, reference):
    indices = reference.some(128)
    texts = [reference.texts[i] for i in indices]
    for body in ({"texts": texts}, texts):
        reference.check(indices, service.post("/embeddings/batch", body).json()["embeddings"])


@pytest.mark.parametrize("method", ["cosine", "dot", "euclidean"])
def test_similarity(service, reference, method):
    left, right = reference.some(3), reference.some(4, offset=3)
    a, b = reference.vectors[left].astype(float), reference.vectors[right].astype(float)
    want = 1 / (1 + np.linalg.norm(a[:, None] - b, axis=2)) if method == "euclidean" else a @ b.T
    texts = {"texts1": [reference.texts[i] for i in left], "texts2": [reference.texts[i] for i in right]}
    for answer in (service.post("/similarity", texts | {"method": method}), service.post("/similarity?method=" + method, texts)):
        found = answer.json()
        assert (found["method"], found["shape"], found["texts1_count"], found["texts2_count"]) == (method, [3, 4], 3, 4)
        assert np.abs(np.array(found["similarities"]) - want).max() <= 8 * reference.tolerance


def test_cosine_is_a_cosine(service, reference):
    """Also of vectors that were not normalised: the original takes their dot product."""
    left, right = reference.some(2), reference.some(2, offset=2)
    texts = {"texts1": [reference.texts[i] for i in left], "texts2": [reference.texts[i] for i in right], "normalize": False}
    found = np.array(service.post("/similarity", texts).json()["similarities"])
    assert np.abs(found - reference.vectors[left] @ reference.vectors[right].T).max() <= 8 * reference.tolerance


@pytest.mark.parametrize("form", ["body", "query"])
def test_search(service, reference, form):
    query, corpus = reference.some(1)[0], reference.some(30, offset=1)
    texts = [reference.texts[i] for i in corpus]
    scores = reference.vectors[corpus] @ reference.vectors[query]
    if form == "body":
        answer = service.post("/search", {"query": reference.texts[query], "corpus": texts, "top_k": 5})
    else:
        answer = service.post("/search", texts, params={"query": reference.texts[query], "top_k": 5, "similarity_method": "cosine"})
    found = answer.json()
    assert set(found) == {"query", "results", "search_time_ms", "corpus_size", "similarity_method"}
    assert found["corpus_size"] == 30 and len(found["results"]) == 5
    for place, result in enumerate(found["results"]):
        assert result["text"] == texts[result["index"]]
        assert abs(result["similarity"] - np.sort(scores)[::-1][place]) <= 8 * reference.tolerance


def test_about(fastapi, tiny):
    before = fastapi.get("/stats").json()
    assert set(before) == STATS
    assert (before["max_batch_size"], before["target_batch_size"], before["device"]) == (64, 32, "cpu")
    fastapi.post("/embeddings", {"texts": ["a", "b", "c"]})
    after = fastapi.get("/stats").json()
    assert after["total_embeddings"] - before["total_embeddings"] == 3
    assert after["processed_batches"] - before["processed_batches"] == 1
    health = fastapi.get("/health").json()
    assert set(health) == STATS | {"status"} and health["status"] == "healthy"


def test_metrics(start, tiny):
    fastapi = start(tiny, "fastapi", "--served-model-name", "bert")
    fastapi.post("/embeddings", {"texts": ["a"]})
    fastapi.post("/embeddings", {"texts": ["a"], "use_batching": False})
    lines = fastapi.get("/metrics").text.splitlines()
    for line in (
        'embedding_requests_total{model="bert",type="batch"}', 'embedding_requests_total{model="bert",type="direct"}',
        'embeddings_generated_total{model="bert"}', 'embedding_duration_seconds_bucket{model="bert"', "embedding_batch_size_bucket",
        "embedding_queue_size ", "active_embedding_requests ",
    ):
        assert any(found.startswith(line) for found in lines), f"no line begins with {line}"


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/embeddings/batch", ["a"] * 129, 400, "Batch size too large. Max: 128"),
        ("/search?query=a", ["a"] * 10_001, 400, "Corpus too large for real-time search. Max: 10,000 texts"),
        ("/similarity?method=manhattan", {"texts1": ["a"], "texts2": ["b"]}, 400, "manhattan"),
        ("/embeddings", {"texts": 5}, 422, "texts"),
        ("/embeddings", {"texts": ["a", None]}, 422, "texts"),
        ("/embeddings", {}, 422, "texts"),
        ("/embeddings?normalize=perhaps", ["a"], 422, "normalize"),
        ("/search", {"corpus": ["a"]}, 422, "query"),
        ("/search?query=a&top_k=many", ["a"], 422, "top_k"),
    ],
)
def test_errors(fastapi, path, body, status, words):
    answer = fastapi.post(path, body)
    assert answer.status_code == status, answer.text
    assert words in str(answer.json()["detail"])


def test_malformed_body(fastapi):
    answer = fastapi.post("/embeddings", data=b'{"texts": ["a"', headers={"Content-Type": "application/json"})
    assert answer.status_code == 422 and answer.json()["detail"]


def test_window_joins_requests(fastapi, tiny):
    """Clients of one moment share a batch; each gets its own vectors, as it wants them."""
    indices = tiny.some(24)

    def ask(place: int) -> dict:
        return fastapi.post("/embeddings", {"texts": [tiny.texts[indices[place]]] * (1 + place % 3), "normalize": place % 2 == 0}).json()

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(ask, range(24)))
    for place, answer in enumerate(answers):
        assert answer["normalized"] is (place % 2 == 0) and answer["num_embeddings"] == 1 + place % 3
        vectors = np.array(answer["embeddings"])
        tiny.check([indices[place]] * len(vectors), vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    shared = max(answers, key=lambda a: a["batch_size"])
    assert shared["batch_size"] > 1, "24 requests at once never met in a window of 50 ms"
    assert shared["total_batch_texts"] >= shared["batch_size"]


def test_direct_passes_the_window(fastapi):
    """use_batching=false travels alone however many are waiting."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(fastapi.post, "/embeddings", {"texts": ["a"]}) for _ in range(7)]
        assert "batch_size" not in fastapi.post("/embeddings", {"texts": ["a"], "use_batching": False}).json()
        assert all(answer.result().status_code == 200 for answer in waiting)
