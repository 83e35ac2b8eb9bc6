"""The openai package and langchain-openai, and vLLM's additions by plain requests."""

import asyncio
import base64

import numpy as np
import openai
import pytest
from langchain_openai import OpenAIEmbeddings

PROFILES = ["", "vllm", "tei"]


@pytest.fixture(params=PROFILES)
def service(request, start, reference):
    return start(reference, request.param)


@pytest.fixture
def client(service):
    return openai.OpenAI(base_url=service.url + "/v1", api_key="unused", max_retries=0)


def test_list_of_texts(client, reference):
    indices = reference.some(12)
    answer = client.embeddings.create(model=reference.folder.name, input=[reference.texts[i] for i in indices])
    assert [d.index for d in answer.data] == list(range(12))
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == sum(len(reference.ids[i]) for i in indices)
    reference.check(indices, [d.embedding for d in answer.data])


def test_one_text(client, reference):
    (i,) = reference.some(1)
    answer = client.embeddings.create(model=reference.folder.name, input=reference.texts[i], encoding_format="float")
    reference.check([i], [answer.data[0].embedding])


def test_token_ids(client, reference):
    """Ids are taken as they are: nothing is added to them."""
    indices = reference.some(3)
    several = client.embeddings.create(model=reference.folder.name, input=[list(reference.ids[i]) for i in indices])
    reference.check(indices, [d.embedding for d in several.data])
    one = client.embeddings.create(model=reference.folder.name, input=list(reference.ids[indices[0]]))
    reference.check(indices[:1], [one.data[0].embedding])
    assert one.usage.prompt_tokens == len(reference.ids[indices[0]])


def test_base64_is_the_same_floats(service, reference):
    (i,) = reference.some(1)
    body = {"input": reference.texts[i], "model": reference.folder.name}
    as_floats = service.post("/v1/embeddings", body | {"encoding_format": "float"}).json()["data"][0]["embedding"]
    encoded = service.post("/v1/embeddings", body | {"encoding_format": "base64"}).json()["data"][0]["embedding"]
    assert np.frombuffer(base64.b64decode(encoded), "<f4").tolist() == np.array(as_floats, np.float32).tolist()


def test_dimensions_are_cut_and_renormalised(client, reference):
    (i,) = reference.some(1)
    answer = client.embeddings.create(model=reference.folder.name, input=reference.texts[i], dimensions=16)
    want = reference.vectors[i][:16] / np.linalg.norm(reference.vectors[i][:16])
    assert np.abs(np.array(answer.data[0].embedding) - want).max() <= 4 * reference.tolerance


@pytest.mark.parametrize("wrong", [{"dimensions": 0}, {"dimensions": 100_000}, {"input": []}, {"input": 7}, {"input": [[-5]]}, {"input": ["a", 1]}])
def test_bad_requests_are_said_to_be_bad(client, reference, wrong):
    with pytest.raises((openai.BadRequestError, openai.UnprocessableEntityError)) as caught:
        client.embeddings.create(**{"model": reference.folder.name, "input": "hello"} | wrong)
    assert len(str(caught.value)) > 40, "the message says nothing"


def test_langchain(service, reference):
    embeddings = OpenAIEmbeddings(
        base_url=service.url + "/v1", api_key="unused", model=reference.folder.name, check_embedding_ctx_length=False, chunk_size=8
    )
    indices = reference.some(20)
    reference.check(indices, embeddings.embed_documents([reference.texts[i] for i in indices]))
    reference.check(indices[:1], [embeddings.embed_query(reference.texts[indices[0]])])


@pytest.mark.parametrize("profile", ["", "vllm"])
class TestErrors:
    """OpenAI's own error object; TEI's route answers with a flat one."""

    def test_shape(self, start, tiny, profile):
        answer = start(tiny, profile).post("/v1/embeddings", {"model": "bert", "input": []})
        assert answer.status_code == 400
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}

    def test_unknown_model(self, start, tiny, profile):
        client = openai.OpenAI(base_url=start(tiny, profile).url + "/v1", api_key="unused", max_retries=0)
        with pytest.raises(openai.NotFoundError, match="text-embedding-3-small"):
            client.embeddings.create(model="text-embedding-3-small", input="hello")

    def test_models(self, start, tiny, profile):
        client = openai.OpenAI(base_url=start(tiny, profile).url + "/v1", api_key="unused")
        assert len(client.models.list().data) >= 1

    def test_malformed(self, start, tiny, profile):
        answer = start(tiny, profile).post("/v1/embeddings", data='{"input": "a', headers={"Content-Type": "application/json"})
        assert answer.status_code == 400 and answer.json()["error"]["message"]


class TestLength:
    """vLLM refuses what is too long unless the request asks to cut; -1 is the model's maximum."""

    def test_too_long(self, start, tiny):
        answer = start(tiny, "vllm").post("/v1/embeddings", {"input": "word " * 4000})
        assert answer.status_code == 400
        assert str(tiny.max_tokens) in answer.json()["error"]["message"]

    def test_truncate(self, start, tiny):
        answer = start(tiny, "vllm").post("/v1/embeddings", {"input": "word " * 4000, "truncate_prompt_tokens": -1})
        assert answer.json()["usage"]["prompt_tokens"] == tiny.max_tokens

    def test_truncated_like_the_reference(self, start, reference):
        long = [i for i, ids in enumerate(reference.ids) if len(ids) == reference.max_tokens]
        assert long
        answer = start(reference, "vllm").post(
            "/v1/embeddings", {"input": [reference.texts[i] for i in long], "truncate_prompt_tokens": -1}
        )
        reference.check(long, [d["embedding"] for d in answer.json()["data"]])


def test_bytes(start, tiny):
    """vLLM's encoding_format=bytes: raw values, where each lies in a header."""
    indices = tiny.some(3)
    answer = start(tiny, "vllm").post(
        "/v1/embeddings", {"input": [tiny.texts[i] for i in indices], "encoding_format": "bytes", "endianness": "big"}
    )
    assert answer.headers["Content-Type"] == "application/octet-stream"
    tiny.check(indices, np.frombuffer(answer.content, ">f4").reshape(3, tiny.dim))


def test_asyncio(start, tiny):
    async def ask():
        async with openai.AsyncOpenAI(base_url=start(tiny, "vllm").url + "/v1", api_key="unused") as client:
            calls = (client.embeddings.create(model="bert", input=tiny.texts[i]) for i in tiny.some(16))
            return await asyncio.gather(*calls)

    tiny.check(tiny.some(16), [answer.data[0].embedding for answer in asyncio.run(ask())])


def test_api_key(start, tiny):
    service = start(tiny, "", "--api-key", "secret")
    body = {"input": "hello"}
    assert service.post("/v1/embeddings", body).status_code == 401
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=service.url + "/v1", api_key="wrong").embeddings.create(model="bert", input="hello")
    client = openai.OpenAI(base_url=service.url + "/v1", api_key="secret")
    assert len(client.embeddings.create(model="bert", input="hello").data) == 1
    assert service.get("/health").status_code == 200
