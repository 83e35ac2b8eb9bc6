"""Asks a Triton server and `paceline serve` the same, right and wrong, and compares what clients can tell apart.

usage: compare.py TRITON PACELINE [-v]

Each is host:http-port:grpc-port. Both serve one model repository, in explicit control mode with all models loaded (README.md
beside this file). Compared are the status or code, the kind of body, its keys and their types (of configs, metadata and
index the values too), the headers of the protocol, and whether an error has a message. With -v every answer is shown.
Differences that are meant are in known.py, with their reason; any other, and a known one that is none any more, is a failure.
"""

import gzip
import http.client
import json
import socket
import sys
import zlib

import grpc
import tritonclient.grpc.service_pb2_grpc as services
from google.protobuf import json_format

from cases import GRPC, HEADER_LENGTH, HTTP, everything
from known import KNOWN

PATIENCE = 60.0


class Answer(dict):
    """What is compared of an answer, and the message of an error beside it."""

    message = ""


def outline(value, values):
    """A JSON value with its types in place of its values, unless these are compared too."""
    if isinstance(value, dict):
        return {k: outline(v, values) for k, v in sorted(value.items())}
    if isinstance(value, list):
        inside = [outline(v, values) for v in value]
        return inside if values else [i for n, i in enumerate(inside) if i not in inside[:n]]
    return value if values else "number" if type(value) in (int, float) else type(value).__name__


def without_sequence(value):
    """An answer to an inference without the parameters of sequence batching that Triton's ensembles always add."""
    if isinstance(value, dict) and "parameters" in value:
        value["parameters"] = {k: v for k, v in value["parameters"].items() if not k.startswith("sequence_")}
        if not value["parameters"]:
            del value["parameters"]
    return value


def ask_http(address, case):
    host, port = address
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    method = case.method or ("GET" if case.body is None else "POST")
    try:
        connection.request(method, case.path, case.body, case.headers)
        response = connection.getresponse()
        return describe(response, response.read(), case)
    except (http.client.HTTPException, socket.error) as error:
        return Answer(broken=type(error).__name__)
    finally:
        connection.close()


def describe(response, body, case):
    header = response.getheader
    answer = Answer(status=response.status, encoding=header("Content-Encoding"))
    if encoding := header("Content-Encoding"):
        body = gzip.decompress(body) if encoding == "gzip" else zlib.decompress(body)
    length = header(HEADER_LENGTH)
    answer["binary bytes"] = len(body) - int(length) if length else None
    text = body[: int(length)] if length else body
    try:
        value = json.loads(text) if text else None
    except ValueError:
        value = text.decode(errors="replace")
    if isinstance(value, dict) and "error" in value:
        answer.message = value["error"]
    if response.status == 200:
        answer["type"] = header("Content-Type") if text else None
    answer["body"] = outline(without_sequence(value), case.values)
    return answer


def ask_grpc(stub, case):
    try:
        reply = getattr(stub, case.call)(case.request, timeout=PATIENCE)
    except grpc.RpcError as error:
        answer = Answer(code=error.code().name)
        answer.message = error.details()
        return answer
    value = json_format.MessageToDict(reply, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    raw = value.pop("raw_output_contents", [])
    return Answer(code="OK", raw=[len(r) for r in raw], body=outline(without_sequence(value), case.values))


def compare(theirs, ours):
    """The places where two answers differ, each with what stands there."""
    if not isinstance(theirs, dict) or not isinstance(ours, dict):
        return {} if theirs == ours else {"": (theirs, ours)}
    different = {}
    for key in theirs.keys() | ours.keys():
        inside = compare(theirs.get(key), ours.get(key))
        different |= {f"{key}.{place}".rstrip("."): pair for place, pair in inside.items()}
    return different


def ask_stream(stub, case):
    answers = []
    try:
        for reply in stub.ModelStreamInfer(iter(case.requests), timeout=PATIENCE):
            value = json_format.MessageToDict(reply.infer_response, preserving_proto_field_name=True)
            value.pop("raw_output_contents", None)
            answers.append({"error": bool(reply.error_message), "answer": outline(without_sequence(value), True)})
    except grpc.RpcError as error:
        return Answer(code=error.code().name, answers=answers)
    return Answer(code="OK", answers=answers)


class Server:
    def __init__(self, address):
        host, http_port, grpc_port = address.rsplit(":", 2)
        self.http = (host, int(http_port))
        self.stub = services.GRPCInferenceServiceStub(grpc.insecure_channel(f"{host}:{grpc_port}"))

    def ask(self, case):
        match case:
            case HTTP():
                return ask_http(self.http, case)
            case GRPC():
                return ask_grpc(self.stub, case)
        return ask_stream(self.stub, case)


def main():
    servers = [Server(address) for address in sys.argv[1:3]]
    loud, seen, failures, count = "-v" in sys.argv, set(), 0, 0
    for case in everything():
        count += 1
        theirs, ours = (server.ask(case) for server in servers)
        name = f"{type(case).__name__.lower()} {case.name}"
        different = compare(theirs, ours)
        if bool(theirs.message) != bool(ours.message):
            different["message"] = (theirs.message, ours.message)
        if different:
            seen.add(name)
        if different and name not in KNOWN:
            failures += 1
            print(f"DIFFERENT  {name}")
            for key, (a, b) in sorted(different.items()):
                print(f"  {key}:\n    triton   {a}\n    paceline {b}")
        if (loud or different and name not in KNOWN) and (theirs.message or ours.message):
            print(f"{name}\n    triton   says {theirs.message!r}\n    paceline says {ours.message!r}")
    for name in KNOWN.keys() - seen:
        failures += 1
        print(f"NOT DIFFERENT any more: {name}")
    print(f"{count} requests, {failures} unexplained; {len(seen & KNOWN.keys())} differ as known.py says")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
