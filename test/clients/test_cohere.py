"""The cohere package: /v2/embed and /v1/embed in each form of embeddings."""

import base64

import cohere
import numpy as np
import pytest


@pytest.fixture(params=["", "vllm"])
def service(request, start, reference):
    return start(reference, request.param)


@pytest.fixture
def client(service):
    return cohere.ClientV2(api_key="unused", base_url=service.url)


def quantized(vectors, ranges_of):
    """sentence-transformers' quantize_embeddings to uint8, as its documentation has it."""
    low, high = ranges_of.min(axis=0), ranges_of.max(axis=0)
    steps = (high - low) / np.float32(255)
    return np.clip(np.floor((vectors - low) / np.where(steps == 0, 1, steps)), 0, 255).astype(int)


def test_every_form(client, reference):
    indices = reference.some(7)
    texts = [reference.texts[i] for i in indices]
    types = ["float", "int8", "uint8", "binary", "ubinary", "base64"]
    answer = client.embed(model=reference.folder.name, texts=texts, input_type="search_document", embedding_types=types)
    assert answer.texts == texts
    assert answer.meta.billed_units.input_tokens == sum(len(reference.ids[i]) for i in indices)
    got = answer.embeddings
    reference.check(indices, got.float_)
    floats = np.array(got.float_, np.float32)
    assert np.array_equal(np.array(got.uint8), quantized(floats, floats))
    assert np.array_equal(np.array(got.int8), np.array(got.uint8) - 128)
    assert np.array_equal(np.array(got.ubinary), np.packbits(floats > 0, axis=-1))
    assert np.array_equal(np.array(got.binary), np.array(got.ubinary) - 128)
    decoded = np.stack([np.frombuffer(base64.b64decode(text), "<f4") for text in got.base64])
    assert np.array_equal(decoded, floats)


def test_floats_alone(client, reference):
    (i,) = reference.some(1)
    answer = client.embed(model=reference.folder.name, texts=[reference.texts[i]], input_type="search_query")
    reference.check([i], answer.embeddings.float_)
    assert answer.embeddings.int8 is None


def test_output_dimension(client, reference):
    (i,) = reference.some(1)
    answer = client.embed(model=reference.folder.name, texts=[reference.texts[i]], input_type="clustering", output_dimension=16)
    want = reference.vectors[i][:16] / np.linalg.norm(reference.vectors[i][:16])
    assert np.abs(np.array(answer.embeddings.float_[0]) - want).max() <= 4 * reference.tolerance


def test_truncate(client, reference):
    long = "word " * 4000 + "end"
    embed = lambda **options: client.embed(model=reference.folder.name, texts=[long], input_type="search_document", **options)
    end, start = embed(truncate="END"), embed(truncate="START")
    assert end.embeddings.float_ == embed().embeddings.float_ != start.embeddings.float_
    assert end.meta.billed_units.input_tokens == reference.max_tokens and "cut" in end.meta.warnings[0]
    with pytest.raises(cohere.BadRequestError, match=str(reference.max_tokens)):
        embed(truncate="NONE")
    assert embed(max_tokens=9).meta.billed_units.input_tokens == 9


def test_one_text_in_bytes_wants_a_calibration(client, reference, start, tmp_path_factory):
    embed = lambda client, texts: client.embed(
        model=reference.folder.name, texts=texts, input_type="search_query", embedding_types=["float", "uint8"]
    ).embeddings
    with pytest.raises(cohere.BadRequestError, match="--calibration"):
        embed(client, ["hello"])
    texts = [reference.texts[i] for i in reference.some(40) if not set(reference.texts[i]) & set("\r\n")]
    file = tmp_path_factory.getbasetemp() / f"calibration-{reference.name}.txt"
    file.write_bytes("\n".join(texts).encode())
    calibrated = cohere.ClientV2(api_key="unused", base_url=start(reference, "", "--calibration", str(file)).url)
    ranges = np.array(embed(calibrated, texts).float_, np.float32)
    for text in (texts[0], "hello"):
        got = embed(calibrated, [text])
        assert np.array_equal(np.array(got.uint8), quantized(np.array(got.float_, np.float32), ranges))


def test_version_1(service, reference):
    client = cohere.Client(api_key="unused", base_url=service.url)
    indices = reference.some(3)
    texts = [reference.texts[i] for i in indices]
    plain = client.embed(texts=texts, model=reference.folder.name, input_type="search_document")
    reference.check(indices, plain.embeddings)
    typed = client.embed(texts=texts, model=reference.folder.name, input_type="search_document", embedding_types=["float"])
    reference.check(indices, typed.embeddings.float_)


@pytest.mark.parametrize("wrong", [{"texts": []}, {"output_dimension": 100_000}, {"input_type": "poem"}, {"images": ["data:image/png;base64,AA=="]}])
def test_bad_requests_are_said_to_be_bad(client, reference, wrong):
    with pytest.raises(cohere.BadRequestError) as caught:
        client.embed(**{"model": reference.folder.name, "texts": ["a"], "input_type": "search_query"} | wrong)
    assert len(caught.value.body["message"]) > 20


def test_unknown_model(client):
    with pytest.raises(cohere.NotFoundError, match="embed-v4"):
        client.embed(model="embed-v4.0", texts=["a"], input_type="search_query")
