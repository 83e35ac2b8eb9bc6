"""The tei-client package: it reads /info first, and asks only for what the model's head gives."""

import numpy as np
import pytest
import tei_client

from test_heads import classifier, near, ranked, reranker, softmax, splade  # noqa: F401 - fixtures among them


@pytest.fixture(params=["", "tei"])
def connect(request, start):
    return lambda model: tei_client.HttpClient(start(model, request.param).url)


def test_embed(connect, tiny):
    client = connect(tiny)
    indices = tiny.some(5)
    assert client.health() and client.info().server_model_metadata.pooling == "mean"
    tiny.check(indices, client.embed([tiny.texts[i] for i in indices]))
    (tokens,) = client.embed_all(tiny.texts[indices[0]])
    assert np.array(tokens).shape == (len(tiny.ids[indices[0]]), tiny.dim)
    assert tuple(client.tokenize(tiny.texts[indices[0]])[0].get_ids()) == tiny.ids[indices[0]]


def test_classify(connect, classifier):  # noqa: F811
    client, e = connect(classifier), classifier.expected
    got = client.classify([(e["queries"][0], e["documents"][0]), (e["queries"][1], e["documents"][1])])
    for result, logits in zip(got, (e["logits"][0][0], e["logits"][1][1]), strict=True):
        assert [s.label for s in result.scores] == [e["labels"][i] for i in ranked(logits)]
        near([s.score for s in result.scores], sorted(softmax(logits), reverse=True))


def test_rerank(connect, reranker):  # noqa: F811
    client, e = connect(reranker), reranker.expected
    got = client.rerank(e["queries"][1], e["documents"], truncate=True).ranks
    scores = [s[0] for s in e["scores"][1]]
    assert [r.index for r in got] == ranked(scores)
    near([r.score for r in got], sorted(scores, reverse=True))


def test_prompt_names(connect, splade):  # noqa: F811
    """It learns them from the words of an error."""
    assert connect(splade).prompt_names() == ["document", "query"]
