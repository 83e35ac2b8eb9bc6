"""Overload and the end of a server, as clients live through them."""

import contextlib
import concurrent.futures
import signal
import subprocess

import openai
import pytest
import requests

OVERLOADED = {"": 429, "fastapi": 429, "triton": 429, "tei": 429, "langchain": 429, "vllm": 429}


def embed(service, profile: str, texts: list[str]) -> requests.Response:
    """One request in the profile's own language."""
    path, field = {
        "tei": ("/embed", "inputs"), "langchain": ("/embed", "texts"), "vllm": ("/embed", "texts"),
    }.get(profile, ("/embeddings", "texts"))
    return service.post(path, {field: texts})


@pytest.mark.parametrize("profile", OVERLOADED)
def test_overload(start, tiny, profile):
    """Of 48 clients at a server that takes 2, some are answered rightly and the rest is refused at once."""
    service = start(tiny, profile, "--max-concurrent-requests", "2")
    indices = tiny.some(32)
    texts = [tiny.texts[i] for i in indices]
    with concurrent.futures.ThreadPoolExecutor(48) as pool:
        answers = list(pool.map(lambda _: embed(service, profile, texts), range(192)))
    accepted = [a for a in answers if a.status_code == 200]
    refused = [a for a in answers if a.status_code != 200]
    assert accepted and refused
    for answer in accepted:
        found = answer.json()
        tiny.check(indices, found if profile == "tei" else found["embeddings"])
    for answer in refused:
        assert answer.status_code == OVERLOADED[profile], answer.text
        assert int(answer.headers["Retry-After"]) >= 1
    if profile == "tei":
        assert refused[0].json()["error_type"] == "Overloaded"
    assert embed(service, profile, texts).status_code == 200, "the server does not recover"


def test_overloaded_openai_client(start, tiny):
    """openai's client understands the refusal, and by default tries again until it is served."""
    service = start(tiny, "vllm", "--max-concurrent-requests", "2")
    texts = [tiny.texts[i] for i in tiny.some(32)]

    def ask(client):
        try:
            return client.embeddings.create(model="bert", input=texts)
        except openai.RateLimitError as refusal:
            return refusal

    impatient = openai.OpenAI(base_url=service.url + "/v1", api_key="unused", max_retries=0)
    patient = impatient.with_options(max_retries=30)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, [impatient] * 96))
        assert any(isinstance(answer, openai.RateLimitError) for answer in answers)
        answers = list(pool.map(ask, [patient] * 4))
    assert not any(isinstance(answer, openai.RateLimitError) for answer in answers)


@pytest.mark.parametrize("profile", ["", "fastapi", "tei"])
def test_what_was_accepted_is_finished(start_alone, tiny, profile):
    """After SIGTERM those under way are answered, new ones are not, and the server ends with 0."""
    service = start_alone(tiny, profile)
    indices = tiny.some(32)
    texts = [tiny.texts[i] for i in indices]

    def ask(_):
        try:
            return embed(service, profile, texts)
        except requests.ConnectionError as refusal:  # it came after the end
            return refusal

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, i) for i in range(400)]
        concurrent.futures.wait(asked[:8])
        service.process.send_signal(signal.SIGTERM)
        answers = [a.result() for a in asked]
    assert service.process.wait(30) == 0, service.log.read_text()
    answered = [a for a in answers if isinstance(a, requests.Response) and a.status_code == 200]
    assert 8 <= len(answered) < 400
    for answer in answered:
        found = answer.json()
        tiny.check(indices, found if profile == "tei" else found["embeddings"])
    for answer in answers:
        if isinstance(answer, requests.Response):
            assert answer.status_code in (200, 503), answer.text
    with pytest.raises(requests.ConnectionError):
        service.get("/health")


def test_a_client_that_leaves_harms_nobody(start, tiny):
    """Connections cut in the middle of a body or of a batch; the others get their vectors."""
    service = start(tiny, "fastapi")
    for _ in range(20):
        with contextlib.suppress(requests.exceptions.RequestException):  # a quick server may answer in time
            service.post("/embeddings", {"texts": ["a"] * 64}, timeout=(5, 0.001))
    indices = tiny.some(4)
    tiny.check(indices, service.post("/embeddings", {"texts": [tiny.texts[i] for i in indices]}).json()["embeddings"])


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_wrong_usage(binary, port):
    ended = subprocess.run([binary, "serve", "--port", port], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2 and port in ended.stderr
