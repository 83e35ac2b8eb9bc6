"""What vLLM adds to OpenAI's embeddings: its number formats, /pooling, /tokenize, /detokenize."""

import base64
import json

import ml_dtypes
import numpy as np
import pytest

DTYPES = {
    "float32": np.dtype("f4"), "float16": np.dtype("f2"), "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "fp8_e4m3": np.dtype(ml_dtypes.float8_e4m3fn), "fp8_e5m2": np.dtype(ml_dtypes.float8_e5m2),
}


@pytest.fixture(params=["", "vllm"])
def service(request, start, reference):
    return start(reference, request.param)


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("endianness", ["native", "little", "big"])
def test_number_formats(service, reference, name, endianness):
    """Every value is the float32 rounded as ml_dtypes rounds it."""
    dtype = DTYPES[name]
    body = {"input": [reference.texts[i] for i in reference.some(3)], "embed_dtype": name, "endianness": endianness}

    def read(data):
        integers = np.frombuffer(data, f"u{dtype.itemsize}")
        return (integers.byteswap() if endianness == "big" else integers).view(dtype).astype("f4")

    floats = np.array([d["embedding"] for d in service.post("/v1/embeddings", body).json()["data"]], "f4")
    want = floats.astype(dtype).astype("f4")
    items = service.post("/v1/embeddings", body | {"encoding_format": "base64"}).json()["data"]
    assert np.array_equal(np.stack([read(base64.b64decode(d["embedding"])) for d in items]), want)
    answer = service.post("/v1/embeddings", body | {"encoding_format": "bytes"})
    places = json.loads(answer.headers["metadata"])["data"]
    assert [p["embed_dtype"] for p in places] == [name] * 3
    assert np.array_equal(np.stack([read(answer.content[p["start"] : p["end"]]).reshape(p["shape"]) for p in places]), want)
    assert service.post("/v1/embeddings", body | {"encoding_format": "bytes_only"}).content == answer.content


def test_use_activation(service, reference):
    (i,) = reference.some(1)
    get = lambda **o: np.array(service.post("/v1/embeddings", {"input": reference.texts[i]} | o).json()["data"][0]["embedding"])
    raw = get(use_activation=False)
    assert abs(np.linalg.norm(raw) - 1) > 1e-3
    reference.check([i], [raw / np.linalg.norm(raw)])
    assert np.array_equal(get(normalize=False), raw)


def test_pooling(service, reference):
    indices = reference.some(2)
    body = {"input": [reference.texts[i] for i in indices]}
    answer = service.post("/pooling", body).json()
    reference.check(indices, [d["data"] for d in answer["data"]])
    assert answer["usage"]["prompt_tokens"] == sum(len(reference.ids[i]) for i in indices)
    tokens = service.post("/pooling", body | {"task": "token_embed"}).json()["data"]
    for d, i in zip(tokens, indices, strict=True):
        rows = np.array(d["data"])
        assert rows.shape == (len(reference.ids[i]), reference.dim)
        assert np.abs(np.linalg.norm(rows, axis=1) - 1).max() < 1e-5


def test_tokenize_and_detokenize(service, reference):
    (i,) = reference.some(1, offset=6)
    got = service.post("/tokenize", {"prompt": reference.texts[i], "return_token_strs": True}).json()
    assert tuple(got["tokens"]) == reference.ids[i] and got["count"] == len(reference.ids[i])
    assert got["max_model_len"] == reference.max_tokens
    assert got["token_strs"][0] == "[CLS]" and len(got["token_strs"]) == got["count"]
    bare = service.post("/tokenize", {"prompt": reference.texts[i], "add_special_tokens": False}).json()
    assert tuple(bare["tokens"]) == reference.ids[i][1:-1] and bare["token_strs"] is None
    text = service.post("/detokenize", {"tokens": bare["tokens"]}).json()["prompt"]
    assert text.replace(" ", "") == reference.texts[i].lower().replace(" ", "")


@pytest.mark.parametrize("path", ["/health", "/ping", "/version"])
def test_about(service, path):
    assert service.get(path).status_code == 200


def test_sagemaker_ping(service):
    assert service.post("/ping").status_code == 200


def test_messages_are_refused(service):
    answer = service.post("/v1/embeddings", {"messages": [{"role": "user", "content": "hello"}]})
    assert answer.status_code == 400 and "chat" in answer.json()["error"]["message"]
