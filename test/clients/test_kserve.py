"""Triton's own client library against the triton profile and a model repository."""

import concurrent.futures
import queue
import subprocess
import threading

import numpy as np
import pytest
import requests
import tritonclient.grpc as triton_grpc
import tritonclient.grpc.aio as triton_grpc_aio
import tritonclient.http as triton_http
import tritonclient.http.aio as triton_http_aio
from geventhttpclient.response import HTTPConnectionClosed
from tritonclient.utils import InferenceServerException

PIPELINE = "embedding_pipeline"


def texts_array(texts) -> np.ndarray:
    return np.array([[text] for text in texts], dtype=np.object_)


def texts_input(library, texts, **options):
    tensor = library.InferInput("texts", [len(texts), 1], "BYTES")
    tensor.set_data_from_numpy(texts_array(texts), **options)
    return [tensor]


def ids_inputs(library, rows):
    """Padded token ids, as a client of Triton sends them."""
    longest = max(len(row) for row in rows)
    inputs = []
    for name, values in (("input_ids", rows), ("attention_mask", [[1] * len(row) for row in rows])):
        padded = np.zeros((len(rows), longest), dtype=np.int32)
        for i, row in enumerate(values):
            padded[i, : len(row)] = row
        tensor = library.InferInput(name, list(padded.shape), "INT32")
        tensor.set_data_from_numpy(padded)
        inputs.append(tensor)
    return inputs


@pytest.fixture
def service(start, reference):
    return start(reference, "triton")


@pytest.fixture
def over_http(service):
    with triton_http.InferenceServerClient(service.url.removeprefix("http://"), network_timeout=120) as client:
        yield client


@pytest.fixture
def over_grpc(service):
    with triton_grpc.InferenceServerClient(service.ready["grpc"]) as client:
        yield client


@pytest.fixture(params=["http", "grpc"])
def client(request):
    return request.getfixturevalue(f"over_{request.param}")


@pytest.fixture
def library(client):
    return triton_http if isinstance(client, triton_http.InferenceServerClient) else triton_grpc


def test_ensemble(client, library, reference):
    indices = reference.some(16)
    answer = client.infer(PIPELINE, texts_input(library, [reference.texts[i] for i in indices]), request_id="q7")
    reference.check(indices, answer.as_numpy("embeddings"))
    response = answer.get_response()
    assert (response["id"] if library is triton_http else response.id) == "q7"


def test_every_text(client, library, reference):
    """Also the empty, the blank, the very long and the very strange ones."""
    count = min(len(reference.texts), 128)
    answer = client.infer(PIPELINE, texts_input(library, reference.texts[:count]))
    reference.check(range(count), answer.as_numpy("embeddings"))


def test_token_ids(client, library, reference):
    indices = reference.some(16, offset=3)
    answer = client.infer("sentence_transformer", ids_inputs(library, [reference.ids[i] for i in indices]))
    reference.check(indices, answer.as_numpy("embeddings"))


def test_tokenizer(client, library, reference):
    indices = reference.some(5)
    answer = client.infer("tokenizer", texts_input(library, [reference.texts[i] for i in indices]))
    ids, mask = answer.as_numpy("input_ids"), answer.as_numpy("attention_mask")
    assert ids.dtype == mask.dtype == np.int32
    for row, (i, ones) in enumerate(zip(indices, mask.sum(axis=1))):
        assert tuple(ids[row, :ones]) == reference.ids[i]
        assert not ids[row, ones:].any() and not mask[row, ones:].any()


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_json_and_binary(over_http, reference, binary_in, binary_out):
    indices = reference.some(3)
    texts = texts_input(triton_http, [reference.texts[i] for i in indices], binary_data=binary_in)
    outputs = [triton_http.InferRequestedOutput("embeddings", binary_data=binary_out)]
    answer = over_http.infer(PIPELINE, texts, outputs=outputs)
    parameters = answer.get_output("embeddings").get("parameters", {})
    assert ("binary_data_size" in parameters) == binary_out
    reference.check(indices, answer.as_numpy("embeddings"))


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_compression(client, library, reference, algorithm):
    indices = reference.some(16)
    options = {"request_compression_algorithm": algorithm, "response_compression_algorithm": algorithm}
    if library is triton_grpc:
        options = {"compression_algorithm": algorithm}
    answer = client.infer(PIPELINE, texts_input(library, [reference.texts[i] for i in indices]), **options)
    reference.check(indices, answer.as_numpy("embeddings"))


def test_same_bits_through_every_door(service, over_http, over_grpc, reference):
    texts = [reference.texts[i] for i in reference.some(16)]
    plain = service.post("/embeddings", {"texts": texts}).json()["embeddings"]
    want = np.array(plain, dtype=np.float32)
    for client, library in ((over_http, triton_http), (over_grpc, triton_grpc)):
        got = client.infer(PIPELINE, texts_input(library, texts)).as_numpy("embeddings")
        assert got.dtype == np.float32 and np.array_equal(got.view(np.uint32), want.view(np.uint32))


def test_async_infer(over_http, over_grpc, reference):
    indices = reference.some(4)
    texts = [reference.texts[i] for i in indices]
    pending = [over_http.async_infer(PIPELINE, texts_input(triton_http, texts)) for _ in range(4)]
    for p in pending:
        reference.check(indices, p.get_result(timeout=120).as_numpy("embeddings"))
    answers = queue.Queue()
    for _ in range(4):
        over_grpc.async_infer(PIPELINE, texts_input(triton_grpc, texts), lambda result, error: answers.put((result, error)))
    for _ in range(4):
        result, error = answers.get(timeout=120)
        assert error is None
        reference.check(indices, result.as_numpy("embeddings"))


def test_asyncio(service, reference):
    import asyncio

    indices = reference.some(4)
    texts = [reference.texts[i] for i in indices]

    async def run():
        async with triton_http_aio.InferenceServerClient(service.url.removeprefix("http://")) as http:
            async with triton_grpc_aio.InferenceServerClient(service.ready["grpc"]) as grpc:
                assert await http.is_server_ready() and await grpc.is_model_ready(PIPELINE)
                return await asyncio.gather(
                    *[http.infer(PIPELINE, texts_input(triton_http, texts)) for _ in range(8)],
                    *[grpc.infer(PIPELINE, texts_input(triton_grpc, texts)) for _ in range(8)],
                )

    for answer in asyncio.run(run()):
        reference.check(indices, answer.as_numpy("embeddings"))


def test_stream(over_grpc, reference):
    """Answers of a stream come in its order; a wrong request does not end it."""
    answers = queue.Queue()
    over_grpc.start_stream(lambda result, error: answers.put((result, error)))
    sizes = [1, 5, 2, 16, 3]
    for n in sizes:
        over_grpc.async_stream_infer(PIPELINE, texts_input(triton_grpc, [reference.texts[i] for i in reference.some(n)]), request_id=str(n))
    over_grpc.async_stream_infer("nobody", texts_input(triton_grpc, ["x"]))
    over_grpc.async_stream_infer(PIPELINE, texts_input(triton_grpc, [reference.texts[i] for i in reference.some(7)]))
    for n in sizes:
        result, error = answers.get(timeout=120)
        assert error is None and result.get_response().id == str(n)
        assert result.get_response().parameters["triton_final_response"].bool_param
        reference.check(reference.some(n), result.as_numpy("embeddings"))
    result, error = answers.get(timeout=120)
    assert "unknown model" in str(error)
    result, error = answers.get(timeout=120)
    reference.check(reference.some(7), result.as_numpy("embeddings"))
    over_grpc.stop_stream()


def test_descriptions(client, library, reference):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(PIPELINE)
    assert not client.is_model_ready("nobody")
    plain = {} if library is triton_http else {"as_json": True}
    metadata = client.get_model_metadata("sentence_transformer", **plain)
    assert [t["name"] for t in metadata["inputs"]] == ["input_ids", "attention_mask"]
    assert [int(d) for d in metadata["outputs"][0]["shape"]] == [-1, reference.dim]
    config = client.get_model_config("sentence_transformer", **plain)
    config = config.get("config", config)
    assert config["max_batch_size"] == 128 and config["dynamic_batching"]["preferred_batch_size"] == [16, 32, 64, 128]
    assert client.get_server_metadata(**plain)["name"] == "triton"
    index = client.get_model_repository_index(**plain)
    names = [m["name"] for m in (index if library is triton_http else index["models"])]
    assert names == [PIPELINE, "sentence_transformer", "tokenizer"]
    assert client.get_trace_settings(**plain) and client.get_log_settings(**plain)
    client.unregister_system_shared_memory()
    with pytest.raises(InferenceServerException, match="shared memory"):
        client.register_system_shared_memory("region", "/key", 64)


def test_statistics(service, client, library, reference):
    def read():
        plain = {} if library is triton_http else {"as_json": True}
        stats = client.get_inference_statistics("sentence_transformer", **plain)["model_stats"][0]
        success = stats["inference_stats"]["success"]
        return int(success.get("count", 0)), int(stats.get("inference_count", 0)), int(stats.get("execution_count", 0))

    before = read()
    for _ in range(3):
        client.infer(PIPELINE, texts_input(library, [reference.texts[i] for i in reference.some(16)]))
    after = read()
    assert [a - b for a, b in zip(after, before)] == [3, 48, 3]
    text = requests.get(service.ready["metrics"] + "/metrics", timeout=60).text
    assert f'nv_inference_request_success{{model="sentence_transformer",version="1"}} {after[0]}\n' in text
    assert f'nv_inference_count{{model="sentence_transformer",version="1"}} {after[1]}\n' in text
    assert "nv_cpu_utilization" in text


ERRORS = {
    "datatype": (lambda library: [library.InferInput("texts", [1, 1], "INT32")], np.array([[1]], dtype=np.int32), PIPELINE, {}, "data-type is 'INT32'.* expects 'BYTES'"),
    "shape": (lambda library: [library.InferInput("texts", [1, 2], "BYTES")], np.array([["a", "b"]], dtype=np.object_), PIPELINE, {}, r"unexpected shape for input 'texts'.*Expected \[-1,1\], got \[1,2\]"),
    "batch": (lambda library: [library.InferInput("texts", [129, 1], "BYTES")], texts_array(["a"] * 129), PIPELINE, {}, "batch-size must be <= 128"),
    "input": (lambda library: [library.InferInput("sentences", [1, 1], "BYTES")], texts_array(["a"]), PIPELINE, {}, "unexpected inference input 'sentences'|missing required input"),
    "model": (lambda library: [library.InferInput("texts", [1, 1], "BYTES")], texts_array(["a"]), "nobody", {}, "unknown model: 'nobody' is not found"),
    "version": (lambda library: [library.InferInput("texts", [1, 1], "BYTES")], texts_array(["a"]), PIPELINE, {"model_version": "9"}, "version 9 is not found"),
}


@pytest.mark.parametrize("mistake", ERRORS)
def test_errors(client, library, reference, mistake):
    make, data, model, options, says = ERRORS[mistake]
    inputs = make(library)
    inputs[0].set_data_from_numpy(data)
    with pytest.raises(InferenceServerException, match=says):
        client.infer(model, inputs, **options)


def test_unknown_output_and_classification(client, library, reference):
    for output in (library.InferRequestedOutput("vectors"), library.InferRequestedOutput("embeddings", class_count=3)):
        with pytest.raises(InferenceServerException, match="unexpected inference output 'vectors'|classification"):
            client.infer(PIPELINE, texts_input(library, ["a"]), outputs=[output])


def test_deadline(over_grpc, reference):
    with pytest.raises(InferenceServerException, match="(?i)deadline.exceeded"):
        over_grpc.infer(PIPELINE, texts_input(triton_grpc, ["a"]), client_timeout=0.001)


@pytest.fixture(scope="module")
def repository(binary, tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository") / "models"
    subprocess.run([binary, "models", "repository", "--from", str(tiny.folder), str(folder)], check=True)
    return folder


def test_load_and_unload_under_traffic(start_alone, tiny, repository):
    """Reloading drops nothing; unloading is what makes a model unknown."""
    service = start_alone(tiny, "triton", "--model-repository", str(repository), "--model-control-mode", "explicit", "--load-model", PIPELINE)
    address, stop, answered = service.url.removeprefix("http://"), threading.Event(), []
    indices = tiny.some(2)
    texts = [tiny.texts[i] for i in indices]

    def traffic() -> int:
        count = 0
        with triton_http.InferenceServerClient(address) as client:
            while not stop.is_set():
                tiny.check(indices, client.infer(PIPELINE, texts_input(triton_http, texts)).as_numpy("embeddings"))
                count += 1
        return count

    with triton_http.InferenceServerClient(address) as control, concurrent.futures.ThreadPoolExecutor(4) as pool:
        try:
            answered = [pool.submit(traffic) for _ in range(4)]
            for _ in range(10):
                for model in ("sentence_transformer", "tokenizer", PIPELINE):
                    control.load_model(model)
        finally:
            stop.set()
        assert sum(a.result() for a in answered) > 0
        control.unload_model(PIPELINE, unload_dependents=True)
        assert not control.is_model_ready("tokenizer")
        with pytest.raises(InferenceServerException, match="has no available versions"):
            control.infer(PIPELINE, texts_input(triton_http, ["a"]))
        states = {m["name"]: m["state"] for m in control.get_model_repository_index()}
        assert set(states.values()) == {"UNAVAILABLE"}
        control.load_model(PIPELINE)
        assert control.is_model_ready("tokenizer")
    assert not service.stop()


def test_what_both_doors_accepted_is_answered(start_alone, tiny):
    """At the end of the server every request gets its answer or no connection: none is answered with an error."""
    service = start_alone(tiny, "triton")
    indices = tiny.some(16)
    texts = [tiny.texts[i] for i in indices]
    underway = threading.Semaphore(0)

    def clients():
        yield triton_http, triton_http.InferenceServerClient(service.url.removeprefix("http://"))
        yield triton_grpc, triton_grpc.InferenceServerClient(service.ready["grpc"])

    def ask_until_the_end(library, client) -> str:
        with client:
            while True:
                try:
                    answer = client.infer(PIPELINE, texts_input(library, texts))
                except InferenceServerException as error:
                    return f"{error.status()} {error.message()}"
                except (OSError, HTTPConnectionClosed) as error:  # refused, or idle and closed before the request came
                    return f"no connection: {error!r}"
                tiny.check(indices, answer.as_numpy("embeddings"))
                underway.release()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(ask_until_the_end, library, client) for _ in range(4) for library, client in clients()]
        for _ in range(32):
            underway.acquire()
        assert not service.stop()
        ends = [a.result() for a in asking]
    assert all("no connection" in end or "StatusCode.UNAVAILABLE" in end and "stopping" not in end for end in ends), ends


def test_settings_that_clients_change(service, client, library):
    """Trace settings are kept; log settings change what is logged; what a client cannot change is told."""
    plain = {} if library is triton_http else {"as_json": True}

    def value(settings, name):
        return settings[name] if library is triton_http else settings["settings"][name]["value"][0]

    assert value(client.update_trace_settings(settings={"trace_rate": "77"}, **plain), "trace_rate") == "77"
    assert value(client.get_trace_settings(model_name="tokenizer", **plain), "trace_rate") == "77"
    assert value(client.update_trace_settings(settings={"trace_rate": None}, **plain), "trace_rate") == "1000"
    with pytest.raises(InferenceServerException, match="trace file name is not given"):
        client.update_trace_settings(settings={"trace_level": ["TIMESTAMPS"]})
    before = service.log.stat().st_size
    client.update_log_settings({"log_verbose_level": 1})
    service.get("/v2")
    client.update_log_settings({"log_verbose_level": 0})
    assert b"level=DEBUG" in service.log.read_bytes()[before:]
    with pytest.raises(InferenceServerException, match="log file location can not be updated"):
        client.update_log_settings({"log_file": "elsewhere"})


def test_openapi_has_the_protocol(service):
    paths = service.get("/openapi.json").json()["paths"]
    assert "post" in paths["/v2/models/{model}/infer"] and "get" in paths["/v2/health/ready"] and "/embeddings" in paths


def test_watching_door(service):
    """The metrics port has the health paths too."""
    for path in ("/v2/health/live", "/v2/health/ready", "/health"):
        assert requests.get(service.ready["metrics"] + path, timeout=60).status_code == 200
