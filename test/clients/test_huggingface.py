"""huggingface_hub and langchain-huggingface, which speak TEI's language."""

import asyncio

import numpy as np
import pytest
from huggingface_hub import AsyncInferenceClient, InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from langchain_huggingface import HuggingFaceEndpointEmbeddings


@pytest.fixture(params=["", "tei"])
def service(request, start, reference):
    return start(reference, request.param)


@pytest.mark.parametrize("path", ["", "/embed"])
def test_feature_extraction(service, reference, path):
    """The client posts to the URL it is given: the server's own, or /embed."""
    client = InferenceClient(service.url + path)
    indices = reference.some(10)
    reference.check(indices, client.feature_extraction([reference.texts[i] for i in indices]))
    reference.check(indices[:1], client.feature_extraction(reference.texts[indices[0]]))


def test_options(service, reference):
    """Without normalisation the vectors keep their directions; truncation is allowed by default."""
    client = InferenceClient(service.url)
    indices = reference.some(5)
    raw = client.feature_extraction([reference.texts[i] for i in indices], normalize=False)
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    assert np.abs(lengths - 1).min() > 1e-3
    reference.check(indices, raw / lengths)
    long = "word " * 4000
    right = client.feature_extraction(long + "end", truncate=True, truncation_direction="right")
    left = client.feature_extraction(long + "end", truncate=True, truncation_direction="left")
    assert np.abs(right - client.feature_extraction(long)).max() == 0
    assert np.abs(right - left).max() > 1e-3
    with pytest.raises(HfHubHTTPError, match="4002|4003"):
        client.feature_extraction(long, truncate=False)


@pytest.mark.parametrize("path", ["", "/similarity"])
def test_sentence_similarity(service, reference, path):
    indices = reference.some(8)
    source, others = reference.texts[indices[0]], [reference.texts[i] for i in indices[1:]]
    got = InferenceClient(service.url + path).sentence_similarity(source, others)
    want = reference.vectors[indices[1:]] @ reference.vectors[indices[0]]
    assert np.abs(np.array(got) - want).max() <= 4 * reference.tolerance


def test_errors_reach_the_client(start, tiny):
    client = InferenceClient(start(tiny, "tei").url)
    with pytest.raises(HfHubHTTPError) as caught:
        client.feature_extraction(["a"] * 33)
    assert caught.value.response.status_code == 422
    assert "batch size 33 > maximum allowed batch size 32" in str(caught.value)


def test_asyncio(start, tiny):
    async def ask():
        async with AsyncInferenceClient(start(tiny, "tei").url) as client:
            return await asyncio.gather(*(client.feature_extraction(tiny.texts[i]) for i in tiny.some(16)))

    tiny.check(tiny.some(16), np.concatenate(asyncio.run(ask())))


def test_langchain(service, reference):
    embeddings = HuggingFaceEndpointEmbeddings(model=service.url)
    indices = [i for i in reference.some(20) if "\n" not in reference.texts[i]]  # which the client replaces
    reference.check(indices, embeddings.embed_documents([reference.texts[i] for i in indices]))
    reference.check(indices[:1], [embeddings.embed_query(reference.texts[indices[0]])])
    reference.check(indices[:1], [asyncio.run(embeddings.aembed_query(reference.texts[indices[0]]))])
