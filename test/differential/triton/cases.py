"""What is asked of both servers, in this order: later cases see what earlier ones have changed."""

import gzip
import json
import struct
import zlib
from dataclasses import dataclass, field

import tritonclient.grpc.service_pb2 as pb
from google.protobuf import json_format

ENCODER, TOKENIZER, PIPELINE = "sentence_transformer", "tokenizer", "embedding_pipeline"
HEADER_LENGTH = "Inference-Header-Content-Length"


@dataclass
class HTTP:
    name: str
    path: str
    body: bytes | None = None  # None: GET
    headers: dict = field(default_factory=dict)
    values: bool = False  # the values of the answer are compared as well, not only its keys and their types
    method: str = ""


@dataclass
class GRPC:
    name: str
    call: str
    request: object
    values: bool = False


@dataclass
class Stream:
    name: str
    requests: list


def post(name, path, body=None, **options):
    return HTTP(name, path, b"" if body is None else json.dumps(body).encode(), **options)


def infer_path(model=PIPELINE, version=""):
    return f"/v2/models/{model}{version and '/versions/' + version}/infer"


def strings(*texts):
    return b"".join(struct.pack("<I", len(t)) + t for t in texts)


def ints(*values):
    return struct.pack(f"<{len(values)}i", *values)


def json_input(name="texts", shape=(1, 1), datatype="BYTES", data=("hello",), **more):
    return {"name": name, "shape": list(shape), "datatype": datatype, "data": list(data), **more}


def json_case(name, *inputs, path=infer_path(), **request):
    return post("json: " + name, path, {"inputs": list(inputs) or [json_input()], **request})


def binary_case(name, raw, inputs=None, header=None, headers=None, path=infer_path(), claim=None, tail=b"", **request):
    """One BYTES input in the binary extension; claim is the binary_data_size it states, header the length."""
    size = len(raw) if claim is None else claim
    inputs = inputs or [{"name": "texts", "shape": [1, 1], "datatype": "BYTES", "parameters": {"binary_data_size": size}}]
    text = json.dumps({"inputs": inputs, **request}).encode()
    length = {HEADER_LENGTH: str(len(text) if header is None else header)}
    return HTTP("binary: " + name, path, text + raw + tail, length | (headers or {}))


def ids_inputs(ids, mask, shape=None, datatype="INT32", mask_shape=None):
    shape = shape or (1, len(ids))
    return [json_input("input_ids", shape, datatype, ids), json_input("attention_mask", mask_shape or shape, datatype, mask)]


def ids_case(name, *arguments, **options):
    return json_case("ids: " + name, *ids_inputs(*arguments, **options), path=infer_path(ENCODER))


def descriptions():
    yield HTTP("server metadata", "/v2")
    yield HTTP("server metadata, final slash", "/v2/")
    yield HTTP("live", "/v2/health/live")
    yield HTTP("ready", "/v2/health/ready")
    yield HTTP("unknown health", "/v2/health/well")
    yield HTTP("live by POST", "/v2/health/live", b"")
    yield HTTP("live by HEAD", "/v2/health/live", method="HEAD")
    yield HTTP("another version of the protocol", "/v3")
    for model in (TOKENIZER, ENCODER, PIPELINE):
        yield HTTP(f"metadata of {model}", f"/v2/models/{model}", values=True)
        yield HTTP(f"config of {model}", f"/v2/models/{model}/config", values=True)
    for version in ("1", "9", "0", "-1", "x", "99999999999999999999"):
        for what in ("", "/ready", "/config") + ("/stats",) * (version != "1"):
            yield HTTP(f"version {version}{what}", f"/v2/models/{PIPELINE}/versions/{version}{what}")
    for what in ("", "/ready", "/config", "/stats", "/nothing"):
        yield HTTP(f"unknown model{what}", f"/v2/models/nobody{what}")
    yield HTTP("model ready", f"/v2/models/{PIPELINE}/ready")
    yield HTTP("metadata by POST", f"/v2/models/{PIPELINE}", b"")
    yield HTTP("infer by GET", infer_path())
    yield HTTP("index by GET", "/v2/repository/index")
    yield post("index", "/v2/repository/index", values=True)
    yield post("index of ready ones", "/v2/repository/index", {"ready": True}, values=True)
    yield post("index of a repository", "/v2/repository/mine/index", {})
    yield HTTP("index, not JSON", "/v2/repository/index", b"{")


def inference_json():
    yield json_case("a text")
    yield json_case("two texts", json_input(shape=(2, 1), data=("a", "b")))
    yield json_case("nested data", json_input(shape=(2, 1), data=(["a"], ["b"])))
    yield json_case("id", id="q7")
    yield json_case("id that is no string", id=7)
    yield json_case("an output", outputs=[{"name": "embeddings"}])
    yield json_case("no outputs", outputs=[])
    yield json_case("binary output", outputs=[{"name": "embeddings", "parameters": {"binary_data": True}}])
    yield json_case("binary outputs", parameters={"binary_data_output": True})
    yield json_case("unknown output", outputs=[{"name": "vectors"}])
    yield json_case("output twice", outputs=[{"name": "embeddings"}, {"name": "embeddings"}])
    yield json_case("output without a name", outputs=[{}])
    yield json_case("classification", outputs=[{"name": "embeddings", "parameters": {"classification": 3}}])
    yield json_case("unknown fields", json_input(color="red"), mood="good")
    yield json_case("unknown parameter", parameters={"mood": "good"})
    yield json_case("reserved parameter", parameters={"triton_mood": "good"})
    yield json_case("priority and timeout", parameters={"priority": 1, "timeout": 60000000})
    yield json_case("priority that is a string", parameters={"priority": "high"})
    yield json_case("version 1", path=infer_path(version="1"))
    yield json_case("version 9", path=infer_path(version="9"))
    yield json_case("version x", path=infer_path(version="x"))
    yield json_case("unknown model", path=infer_path("nobody"))
    yield json_case("shape too long", json_input(shape=(1, 2), data=("a", "b")))
    yield json_case("shape too short", json_input(shape=(1,)))
    yield json_case("empty shape", json_input(shape=()))
    yield json_case("negative shape", json_input(shape=(-1, 1)))
    yield json_case("shape beyond 64 bits", json_input(shape=(1 << 62, 1 << 62)))
    yield json_case("dimension beyond 64 bits", json_input(shape=(1 << 70, 1)))
    yield json_case("shape of fractions", json_input(shape=(1.5, 1)))
    yield json_case("no texts", json_input(shape=(0, 1), data=()))
    yield json_case("too many rows", json_input(shape=(129, 1), data=["a"] * 129))
    yield json_case("too little data", json_input(shape=(2, 1)))
    yield json_case("too much data", json_input(data=("a", "b")))
    yield json_case("wrong datatype", json_input(datatype="INT32", data=(1,)))
    yield json_case("unknown datatype", json_input(datatype="TEXT"))
    yield json_case("numbers as texts", json_input(data=(1,)))
    yield json_case("unknown input", json_input("sentences"))
    yield json_case("an input too many", json_input(), json_input("more"))
    yield json_case("input twice", json_input(), json_input())
    yield json_case("data that is no list", {"name": "texts", "shape": [1, 1], "datatype": "BYTES", "data": "a"})
    for missing in ("name", "shape", "datatype", "data"):
        yield json_case(f"input without {missing}", {k: v for k, v in json_input().items() if k != missing})
    yield json_case("shared memory input", json_input(parameters={"shared_memory_region": "r", "shared_memory_byte_size": 8}))
    yield json_case("shared memory output", outputs=[{"name": "embeddings", "parameters": {"shared_memory_region": "r", "shared_memory_byte_size": 8}}])
    yield post("json: no inputs", infer_path(), {})
    yield post("json: empty inputs", infer_path(), {"inputs": []})
    yield post("json: inputs that are no list", infer_path(), {"inputs": {}})
    yield HTTP("json: empty body", infer_path(), b"")
    yield HTTP("json: not JSON", infer_path(), b"{")
    yield HTTP("json: a list", infer_path(), b"[]")
    yield HTTP("json: not UTF-8", infer_path(), b'{"inputs":[{"name":"texts","shape":[1,1],"datatype":"BYTES","data":["\xff"]}]}')
    yield HTTP("json: nested deeply", infer_path(), b'{"inputs":' + b"[" * 5000 + b"]" * 5000 + b"}")
    yield HTTP("json: another media type", infer_path(), json.dumps({"inputs": [json_input()]}).encode(), {"Content-Type": "text/plain"})


def inference_ids():
    yield ids_case("a row", (101, 7592, 102), (1, 1, 1))
    yield ids_case("two rows", (101, 7592, 102, 101, 102, 0), (1, 1, 1, 1, 1, 0), shape=(2, 3))
    yield ids_case("wrong datatype", (101, 102), (1, 1), datatype="INT64")
    yield ids_case("a number that is no INT32", (1 << 40, 102), (1, 1))
    yield ids_case("fractions", (101.5, 102), (1, 1))
    yield ids_case("rows that differ in number", (101, 102), (1, 1, 1, 1), mask_shape=(2, 2))
    yield ids_case("no tokens", (), (), shape=(1, 0))
    yield json_case("ids: no mask", json_input("input_ids", (1, 2), "INT32", (101, 102)), path=infer_path(ENCODER))
    yield ids_case("outside the vocabulary", (101, 999999, 102), (1, 1, 1))
    yield ids_case("negative", (101, -5, 102), (1, 1, 1))
    yield ids_case("a mask of 2", (101, 7592, 102), (1, 2, 1))
    yield ids_case("a mask of zeros", (101, 7592, 102), (0, 0, 0))
    yield json_case("tokenizer", path=infer_path(TOKENIZER))
    yield json_case("tokenizer, one output", path=infer_path(TOKENIZER), outputs=[{"name": "attention_mask"}])
    yield json_case("tokenizer, outputs in another order", path=infer_path(TOKENIZER), outputs=[{"name": "attention_mask"}, {"name": "input_ids"}])


def inference_binary():
    good = strings(b"hello")
    yield binary_case("a text", good)
    yield binary_case("binary out", good, outputs=[{"name": "embeddings", "parameters": {"binary_data": True}}])
    yield binary_case("all binary out", good, parameters={"binary_data_output": True})
    yield binary_case("not UTF-8", strings(b"\xff\xfe"))
    yield binary_case("an empty text", strings(b""))
    yield binary_case("longer length", struct.pack("<I", 50) + b"hello")
    yield binary_case("shorter length", struct.pack("<I", 2) + b"hello")
    yield binary_case("half a length", b"\x05\x00")
    yield binary_case("no bytes", b"")
    yield binary_case("a text too many", good + good)
    yield binary_case("more bytes claimed", good, claim=500)
    yield binary_case("fewer bytes claimed", good, claim=5)
    yield binary_case("negative bytes claimed", good, claim=-1)
    yield binary_case("bytes behind", good, tail=b"more")
    yield binary_case("header too long", good, header=100000)
    yield binary_case("header too short", good, header=3)
    yield binary_case("header negative", good, header=-1)
    yield binary_case("header no number", good, header="x")
    yield binary_case("header beyond 64 bits", good, header="99999999999999999999")
    yield HTTP("binary: raw text", infer_path(), b"hello", {HEADER_LENGTH: "0"})
    yield HTTP("binary: raw text for two inputs", infer_path(ENCODER), b"hello", {HEADER_LENGTH: "0"})
    yield HTTP("binary: empty raw text", infer_path(), b"", {HEADER_LENGTH: "0"})
    two = [{"name": n, "shape": [1, 2], "datatype": "INT32", "parameters": {"binary_data_size": 8}} for n in ("input_ids", "attention_mask")]
    yield binary_case("ids", ints(101, 102, 1, 1), two, path=infer_path(ENCODER))
    yield binary_case("fewer ids than the shape", ints(101, 102, 1, 1), [two[0] | {"shape": [1, 3]}, two[1] | {"shape": [1, 3]}], path=infer_path(ENCODER))
    yield binary_case("more ids than the shape", ints(101, 102, 1, 1), [two[0] | {"shape": [1, 1]}, two[1] | {"shape": [1, 1]}], path=infer_path(ENCODER))
    yield HTTP("binary: size without header", infer_path(), binary_case("", good).body)
    yield binary_case("data and size", good, [json_input(parameters={"binary_data_size": len(good)})])
    plain = json.dumps({"inputs": [json_input()]}).encode()
    for name, pack in (("gzip", gzip.compress), ("deflate", zlib.compress)):
        yield HTTP(f"{name} in", infer_path(), pack(plain), {"Content-Encoding": name})
        yield HTTP(f"{name} out", infer_path(), plain, {"Accept-Encoding": name})
        yield HTTP(f"{name} that is none", infer_path(), plain, {"Content-Encoding": name})
    yield HTTP("unknown encoding", infer_path(), plain, {"Content-Encoding": "br"})
    yield HTTP("several encodings accepted", infer_path(), plain, {"Accept-Encoding": "gzip, deflate, br"})
    packed = binary_case("", good)
    yield HTTP("gzip around binary", infer_path(), gzip.compress(packed.body), packed.headers | {"Content-Encoding": "gzip"})


def statistics():
    for model in (TOKENIZER, ENCODER, PIPELINE):
        yield HTTP(f"stats of {model}", f"/v2/models/{model}/stats")
    yield HTTP("all stats", "/v2/models/stats")


def settings():
    for path in ("/v2/trace/setting", f"/v2/models/{PIPELINE}/trace/setting", "/v2/models/nobody/trace/setting"):
        yield HTTP(f"GET {path}", path)
        yield post(f"POST {path}, nothing", path, {})
        yield post(f"POST {path}, null", path, {"trace_rate": None})
        yield post(f"POST {path}, a level", path, {"trace_level": ["TIMESTAMPS"]})
        yield post(f"POST {path}, unknown", path, {"mood": "good"})
    yield HTTP("GET logging", "/v2/logging")
    yield post("POST logging, nothing", "/v2/logging", {})
    yield post("POST logging, the same", "/v2/logging", {"log_info": True})
    yield post("POST logging, unknown", "/v2/logging", {"mood": "good"})
    yield HTTP("POST logging, not JSON", "/v2/logging", b"{")
    region = {"key": "/nothing", "offset": 0, "byte_size": 64}
    for kind in ("system", "cuda"):
        base = f"/v2/{kind}sharedmemory"
        yield HTTP(f"{kind} memory status", base + "/status")
        yield HTTP(f"{kind} memory status of a region", base + "/region/r/status")
        yield post(f"{kind} memory register", base + "/region/r/register", region | {"raw_handle": {"b64": "aaaa"}, "device_id": 0})
        yield post(f"{kind} memory register, nothing", base + "/region/r/register", {})
        yield post(f"{kind} memory unregister", base + "/unregister")
        yield post(f"{kind} memory unregister of a region", base + "/region/r/unregister")


def control():
    yield post("load nobody", "/v2/repository/models/nobody/load")
    yield post("unload nobody", "/v2/repository/models/nobody/unload")
    yield post("load again", f"/v2/repository/models/{TOKENIZER}/load")
    yield HTTP("load, not JSON", f"/v2/repository/models/{TOKENIZER}/load", b"{")
    yield post("load, unknown parameter", f"/v2/repository/models/{TOKENIZER}/load", {"parameters": {"mood": "good"}})
    yield post("load, config that is none", f"/v2/repository/models/{TOKENIZER}/load", {"parameters": {"config": "{"}})
    yield post("load, from a repository", f"/v2/repository/mine/models/{TOKENIZER}/load")
    yield HTTP("load by GET", f"/v2/repository/models/{TOKENIZER}/load")
    yield post("unload", f"/v2/repository/models/{PIPELINE}/unload")
    yield HTTP("unloaded: ready", f"/v2/models/{PIPELINE}/ready")
    yield HTTP("unloaded: metadata", f"/v2/models/{PIPELINE}")
    yield HTTP("unloaded: stats", f"/v2/models/{PIPELINE}/stats")
    yield json_case("unloaded: infer")
    yield post("unloaded: index", "/v2/repository/index", values=True)
    yield post("unloaded: index of ready ones", "/v2/repository/index", {"ready": True}, values=True)
    yield post("unload again", f"/v2/repository/models/{PIPELINE}/unload")
    yield post("load back", f"/v2/repository/models/{PIPELINE}/load")
    yield json_case("loaded: infer")
    yield HTTP("server ready", "/v2/health/ready")


def message(case):
    """The JSON of an inference as its gRPC message."""
    body = json.loads(case.body)
    request = pb.ModelInferRequest(model_name=case.path.split("/")[3], id=str(body.get("id", "")))
    for given in body.get("inputs", ()):
        t = request.inputs.add(name=given["name"], datatype=given["datatype"], shape=given["shape"])
        if t.datatype == "BYTES":
            t.contents.bytes_contents.extend(str(s).encode() for s in given["data"])
        elif t.datatype == "INT64":
            t.contents.int64_contents.extend(given["data"])
        elif t.datatype == "INT32":
            t.contents.int_contents.extend(given["data"])
    for name in body.get("outputs", ()):
        output = request.outputs.add(name=name["name"])
        if "classification" in name.get("parameters", {}):
            output.parameters["classification"].int64_param = 3
    return request


SAME_OVER_GRPC = (
    "a text", "two texts", "id", "an output", "unknown output", "classification", "unknown model", "shape too long", "shape too short", "empty shape", "negative shape",
    "no texts", "too many rows", "too little data", "too much data", "wrong datatype", "unknown datatype", "unknown input", "an input too many", "input twice",
    "ids: a row", "ids: two rows", "ids: wrong datatype", "ids: rows that differ in number", "ids: no tokens", "ids: no mask",
    "ids: outside the vocabulary", "ids: negative", "ids: a mask of 2", "ids: a mask of zeros", "tokenizer", "tokenizer, one output",
)


def calls():
    empty = {"ServerLive": pb.ServerLiveRequest(), "ServerReady": pb.ServerReadyRequest(), "ServerMetadata": pb.ServerMetadataRequest()}
    for call, request in empty.items():
        yield GRPC(call, call, request)
    for model, version in ((PIPELINE, ""), (PIPELINE, "1"), (PIPELINE, "9"), (PIPELINE, "x"), ("nobody", ""), ("", "")):
        for call in ("ModelReady", "ModelMetadata", "ModelConfig", "ModelStatistics"):
            request = getattr(pb, call + "Request")(name=model, version=version)
            yield GRPC(f"{call} {model or '(none)'} {version}", call, request, values=call in ("ModelMetadata", "ModelConfig"))
    yield GRPC("RepositoryIndex", "RepositoryIndex", pb.RepositoryIndexRequest(), values=True)
    yield GRPC("RepositoryIndex of a repository", "RepositoryIndex", pb.RepositoryIndexRequest(repository_name="mine"))
    for case in (*inference_json(), *inference_ids()):
        if isinstance(case, HTTP) and case.name.removeprefix("json: ") in SAME_OVER_GRPC:
            yield GRPC(case.name.removeprefix("json: "), "ModelInfer", message(case))
    yield from raw_calls()
    yield from control_calls()


def streams():
    def one(model=PIPELINE, **parameters):
        request = pb.ModelInferRequest(model_name=model, id="q", raw_input_contents=[strings(b"hello")])
        request.inputs.add(name="texts", datatype="BYTES", shape=[1, 1])
        for name, value in parameters.items():
            request.parameters[name].bool_param = value
        return request

    yield Stream("nothing", [])
    yield Stream("a request", [one()])
    yield Stream("models in turn", [one(), one(TOKENIZER), one()])
    yield Stream("a mistake between", [one(), one("nobody"), one()])
    yield Stream("an empty final response wanted", [one(triton_enable_empty_final_response=True)])


def raw_calls():
    def raw(name, contents, **more):
        request = pb.ModelInferRequest(model_name=PIPELINE, raw_input_contents=contents)
        request.inputs.add(name="texts", datatype="BYTES", shape=[1, 1])
        for field_name, value in more.items():
            if isinstance(value, dict):
                json_format.ParseDict({field_name: value}, request)
            else:
                setattr(request, field_name, value)
        return GRPC("raw: " + name, "ModelInfer", request)

    good = strings(b"hello")
    yield raw("a text", [good])
    yield raw("nothing", [])
    yield raw("an empty one", [b""])
    yield raw("longer length", [struct.pack("<I", 50) + b"hello"])
    yield raw("half a length", [b"\x05\x00"])
    yield raw("one too many", [good, good])
    yield raw("two texts in one row", [good + good])
    yield raw("version 9", [good], model_version="9")
    yield raw("version x", [good], model_version="x")
    yield raw("priority", [good], parameters={"priority": {"uint64Param": "1"}})
    yield raw("priority of text", [good], parameters={"priority": {"stringParam": "high"}})
    yield raw("unknown parameter", [good], parameters={"mood": {"stringParam": "good"}})
    yield raw("reserved parameter", [good], parameters={"triton_mood": {"stringParam": "good"}})
    both = raw("contents as well", [good])
    both.request.inputs[0].contents.bytes_contents.append(b"hello")
    yield both
    memory = raw("shared memory", [])
    memory.request.inputs[0].parameters["shared_memory_region"].string_param = "r"
    memory.request.inputs[0].parameters["shared_memory_byte_size"].int64_param = 8
    yield memory


def control_calls():
    yield GRPC("TraceSetting", "TraceSetting", pb.TraceSettingRequest())
    yield GRPC("TraceSetting of nobody", "TraceSetting", pb.TraceSettingRequest(model_name="nobody"))
    level = pb.TraceSettingRequest()
    level.settings["trace_level"].value.append("TIMESTAMPS")
    yield GRPC("TraceSetting, a level", "TraceSetting", level)
    yield GRPC("LogSettings", "LogSettings", pb.LogSettingsRequest())
    same = pb.LogSettingsRequest()
    same.settings["log_info"].bool_param = True
    yield GRPC("LogSettings, the same", "LogSettings", same)
    for kind in ("System", "Cuda"):
        call = f"{kind}SharedMemory"
        yield GRPC(f"{call}Status", call + "Status", getattr(pb, call + "StatusRequest")())
        yield GRPC(f"{call}Status of a region", call + "Status", getattr(pb, call + "StatusRequest")(name="r"))
        yield GRPC(f"{call}Unregister", call + "Unregister", getattr(pb, call + "UnregisterRequest")())
        yield GRPC(f"{call}Unregister of a region", call + "Unregister", getattr(pb, call + "UnregisterRequest")(name="r"))
    yield GRPC("SystemSharedMemoryRegister", "SystemSharedMemoryRegister", pb.SystemSharedMemoryRegisterRequest(name="r", key="/nothing", byte_size=64))
    yield GRPC("load nobody", "RepositoryModelLoad", pb.RepositoryModelLoadRequest(model_name="nobody"))
    yield GRPC("load from a repository", "RepositoryModelLoad", pb.RepositoryModelLoadRequest(model_name=TOKENIZER, repository_name="mine"))
    mood = pb.RepositoryModelLoadRequest(model_name=TOKENIZER)
    mood.parameters["mood"].string_param = "good"
    yield GRPC("load, unknown parameter", "RepositoryModelLoad", mood)
    config = pb.RepositoryModelLoadRequest(model_name=TOKENIZER)
    config.parameters["config"].string_param = "{"
    yield GRPC("load, config that is none", "RepositoryModelLoad", config)
    yield GRPC("load again", "RepositoryModelLoad", pb.RepositoryModelLoadRequest(model_name=TOKENIZER))
    yield GRPC("unload nobody", "RepositoryModelUnload", pb.RepositoryModelUnloadRequest(model_name="nobody"))
    yield GRPC("unload", "RepositoryModelUnload", pb.RepositoryModelUnloadRequest(model_name=PIPELINE))
    yield GRPC("unloaded: ready", "ModelReady", pb.ModelReadyRequest(name=PIPELINE))
    yield GRPC("unloaded: index", "RepositoryIndex", pb.RepositoryIndexRequest(), values=True)
    yield GRPC("load back", "RepositoryModelLoad", pb.RepositoryModelLoadRequest(model_name=PIPELINE))


def everything():
    for part in (descriptions, inference_json, inference_ids, inference_binary, statistics, settings, streams, control, calls):
        yield from part()
