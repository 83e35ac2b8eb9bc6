"""Rerankers, classifiers and SPLADE: every route that needs a head, against sentence-transformers' scores of testdata/tiny/heads."""

import dataclasses
import json
import pathlib

import cohere
import numpy as np
import pytest
from huggingface_hub import InferenceClient

HEADS = pathlib.Path(__file__).resolve().parents[2] / "testdata" / "tiny" / "heads"
TOLERANCE = 1e-5


@dataclasses.dataclass(frozen=True)
class Head:
    name: str
    folder: pathlib.Path
    expected: dict


def head(name: str) -> Head:
    return Head(name, HEADS / name, json.loads((HEADS / name / "expected.json").read_text()))


@pytest.fixture(scope="session")
def reranker() -> Head:
    return head("reranker")


@pytest.fixture(scope="session")
def classifier() -> Head:
    return head("classifier")


@pytest.fixture(scope="session")
def splade() -> Head:
    return head("splade")


def near(got, want) -> None:
    assert np.abs(np.asarray(got, np.float64) - np.asarray(want, np.float64)).max() <= TOLERANCE


def softmax(x):
    e = np.exp(np.asarray(x, np.float64))
    return e / e.sum(axis=-1, keepdims=True)


def ranked(scores) -> list[int]:
    """The indices of distinct scores, highest first."""
    return [int(i) for i in np.argsort(-np.asarray(scores))]


@pytest.mark.parametrize("profile", ["", "tei"])
class TestTEI:
    def test_rerank(self, start, reranker, profile):
        service, e = start(reranker, profile), reranker.expected
        for q, query in enumerate(e["queries"]):
            documents = [d for d in e["documents"] if query or d]  # a pair of nothing is refused
            scores = [e["scores"][q][e["documents"].index(d)][0] for d in documents]
            got = service.post("/rerank", {"query": query, "texts": documents, "return_text": True}).json()
            assert [r["index"] for r in got] == ranked(scores)
            assert all(r["text"] == documents[r["index"]] for r in got)
            near([r["score"] for r in got], [scores[r["index"]] for r in got])

    def test_raw_scores(self, start, reranker, profile):
        e = reranker.expected
        got = start(reranker, profile).post("/rerank", {"query": e["queries"][0], "texts": e["documents"], "raw_scores": True}).json()
        near([r["score"] for r in got], [e["logits"][0][r["index"]][0] for r in got])
        assert set(got[0]) == {"index", "score"}

    def test_predict_forms(self, start, classifier, profile):
        service, e = start(classifier, profile), classifier.expected
        pair = [e["queries"][1], e["documents"][2]]

        def check(predictions, logits):
            assert [p["label"] for p in predictions] == [e["labels"][i] for i in ranked(logits)]
            near([p["score"] for p in predictions], sorted(softmax(logits), reverse=True))

        check(service.post("/predict", {"inputs": e["documents"][0]}).json(), e["alone"][0])
        check(service.post("/predict", {"inputs": pair}).json(), e["logits"][1][2])
        batch = service.post("/predict", {"inputs": [[e["documents"][1]], pair, [e["documents"][6]]]}).json()
        for got, logits in zip(batch, (e["alone"][1], e["logits"][1][2], e["alone"][6]), strict=True):
            check(got, logits)
        raw = service.post("/predict", {"inputs": pair, "raw_scores": True}).json()
        near([p["score"] for p in raw], sorted(e["logits"][1][2], reverse=True))

    def test_truncation_is_reported(self, start, reranker, profile):
        e = reranker.expected
        answer = start(reranker, profile).post("/rerank", {"query": "short", "texts": e["documents"]})
        assert answer.headers["X-Truncated-Inputs"] == "1"
        refused = start(reranker, profile).post("/rerank", {"query": "short", "texts": e["documents"], "truncate": False})
        assert refused.status_code == 422 and "input 6 of 7" in refused.json()["error"]

    def test_info(self, start, reranker, classifier, splade, profile):
        get = lambda h: start(h, profile).get("/info").json()["model_type"]
        assert get(reranker) == {"reranker": {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}}
        assert get(classifier)["classifier"]["label2id"] == {"anger": 0, "joy": 1, "surprise": 2}
        assert get(splade) == {"embedding": {"pooling": "splade"}}

    def test_sparse(self, start, splade, profile):
        service, e = start(splade, profile), splade.expected
        texts = [d for d in e["documents"] if d]
        got = service.post("/embed_sparse", {"inputs": texts}).json()
        for row, text in zip(got, texts, strict=True):
            want = e["weights"][e["documents"].index(text)]
            assert [w["index"] for w in row] == sorted(w["index"] for w in row)
            assert {str(w["index"]) for w in row} == set(want)
            near([w["value"] for w in row], [want[str(w["index"])] for w in row])
        assert service.post("/", {"inputs": texts}).json() == got
        refused = service.post("/embed", {"inputs": "a"})
        assert refused.status_code == 424 and refused.json()["error_type"] == "Backend"

    def test_other_heads_are_424(self, start, reranker, classifier, profile):
        for h, path, body in (
            (reranker, "/embed", {"inputs": "a"}),
            (classifier, "/embed_sparse", {"inputs": "a"}),
            (classifier, "/rerank", {"query": "a", "texts": ["b"]}),
        ):
            answer = start(h, profile).post(path, body)
            assert answer.status_code == 424 and answer.json()["error_type"] == "Backend", answer.text

    def test_huggingface_client(self, start, classifier, profile):
        """It takes the first of TEI's predictions."""
        e = classifier.expected
        got = InferenceClient(start(classifier, profile).url).text_classification(e["documents"][0])
        assert got["label"] == e["labels"][ranked(e["alone"][0])[0]]
        near(got["score"], softmax(e["alone"][0]).max())


@pytest.mark.parametrize("profile", ["", "vllm"])
class TestVLLM:
    def test_score(self, start, reranker, profile):
        service, e = start(reranker, profile), reranker.expected
        one = service.post("/score", {"queries": e["queries"][0], "documents": e["documents"], "truncate_prompt_tokens": -1}).json()
        assert [d["index"] for d in one["data"]] == list(range(len(e["documents"]))) and one["object"] == "list"
        near([d["score"] for d in one["data"]], [s[0] for s in e["scores"][0]])
        n = 3
        body = {"text_1": e["queries"][:n], "text_2": e["documents"][:n], "use_activation": False}
        near([d["score"] for d in service.post("/v1/score", body).json()["data"]], [e["logits"][i][i][0] for i in range(n)])
        assert service.post("/score", {"queries": ["a", "b"], "documents": ["c"]}).status_code == 400

    @pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank"])
    def test_rerank(self, start, reranker, profile, path):
        service, e = start(reranker, profile), reranker.expected
        scores = [s[0] for s in e["scores"][1]]
        got = service.post(path, {"query": e["queries"][1], "documents": e["documents"], "top_n": 3, "truncate_prompt_tokens": -1}).json()
        assert [r["index"] for r in got["results"]] == ranked(scores)[:3]
        near([r["relevance_score"] for r in got["results"]], sorted(scores, reverse=True)[:3])
        assert got["results"][0]["document"]["text"] == e["documents"][got["results"][0]["index"]]
        assert got["usage"]["total_tokens"] == got["usage"]["prompt_tokens"] > 0

    def test_rerank_by_cosine(self, start, tiny, profile):
        service = start(tiny, profile)
        query, *others = tiny.some(6)
        got = service.post("/rerank", {"query": tiny.texts[query], "documents": [tiny.texts[i] for i in others]}).json()["results"]
        cosines = tiny.vectors[others] @ tiny.vectors[query]
        assert [r["index"] for r in got] == ranked(cosines)
        assert np.abs(np.array([r["relevance_score"] for r in got]) - np.sort(cosines)[::-1]).max() <= 4 * tiny.tolerance

    def test_classify(self, start, classifier, profile):
        service, e = start(classifier, profile), classifier.expected
        n = 3
        got = service.post("/classify", {"input": e["documents"][:n]}).json()
        near([d["probs"] for d in got["data"]], softmax(e["alone"][:n]))
        assert [d["label"] for d in got["data"]] == [e["labels"][ranked(row)[0]] for row in e["alone"][:n]]
        assert got["data"][0]["num_classes"] == 3
        pooled = service.post("/pooling", {"input": e["documents"][:n]}).json()
        assert [d["data"] for d in pooled["data"]] == [d["probs"] for d in got["data"]]

    def test_unsupported(self, start, tiny, classifier, profile):
        for h, path, body in ((tiny, "/classify", {"input": "a"}), (classifier, "/score", {"queries": "a", "documents": "b"}), (classifier, "/v1/embeddings", {"input": "a"})):
            answer = start(h, profile).post(path, body)
            assert answer.status_code == 400 and answer.json()["error"]["message"], answer.text


@pytest.mark.parametrize("profile", ["", "vllm"])
def test_cohere_rerank(start, reranker, profile):
    e = reranker.expected
    client = cohere.ClientV2(api_key="unused", base_url=start(reranker, profile).url)
    got = client.rerank(model="reranker", query=e["queries"][1], documents=e["documents"], top_n=2)
    scores = [s[0] for s in e["scores"][1]]
    assert [r.index for r in got.results] == ranked(scores)[:2]
    near([r.relevance_score for r in got.results], sorted(scores, reverse=True)[:2])
    assert got.meta.billed_units.search_units == 1
    assert "cut" in got.meta.warnings[0]
