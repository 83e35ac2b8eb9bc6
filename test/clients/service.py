"""A `paceline serve` process on a free port of the loopback interface."""

import json
import pathlib
import signal
import subprocess

import requests

STOPS_WITHIN = 30.0  # seconds


class Service:
    def __init__(self, binary: str, model: pathlib.Path, profile: str, flags: tuple[str, ...], log: pathlib.Path):
        self.log = log
        command = [binary, "serve", "--model", str(model), "--port", "0", *flags]
        if "--dtype" not in flags:  # the references are float32
            command += ["--dtype", "float32"]
        if profile:
            command += ["--profile", profile]
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output)
        ready = self.process.stdout.readline()  # empty if it ends before
        if not ready:
            self.kill()
            raise RuntimeError(f"the server did not become ready:\n{self.log.read_text()}")
        self.ready = json.loads(ready)  # where it listens: listening, grpc, metrics
        self.url = self.ready["listening"]

    def get(self, path: str, **options) -> requests.Response:
        return requests.get(self.url + path, **{"timeout": 60, **options})

    def post(self, path: str, json=None, **options) -> requests.Response:
        return requests.post(self.url + path, json=json, **{"timeout": 60, **options})

    def stop(self) -> str:
        """Ends the server as a supervisor would, and returns what is wrong with how it ended."""
        if self.process.poll() is not None:
            return f"the server had ended with {self.process.returncode}:\n{self.log.read_text()}"
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
            return f"the server did not end within {STOPS_WITHIN} s of SIGTERM:\n{self.log.read_text()}"
        text = self.log.read_text()
        if code != 0 or "panic" in text:
            return f"the server ended with {code}:\n{text}"
        return ""

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
