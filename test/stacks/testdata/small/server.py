"""A service that embeds by counting letters, with a child that ignores requests to end."""

import argparse
import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import first
import second

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/crash":
            print("out of memory", flush=True)
            os._exit(9)
        self.answer({"status": "healthy", "packages": [first.NAME, second.NAME]})

    def do_POST(self):
        self.server.left -= 1
        if self.server.left < 0:
            print("out of memory", flush=True)
            os._exit(9)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer({"embeddings": [vector(text) for text in body["texts"]]})

    def answer(self, reply):
        text = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


def vector(text):
    counts = [1.0 + text.count(chr(ord("a") + i % 26)) for i in range(int(os.environ["DIMENSION"]))]
    length = sum(c * c for c in counts) ** 0.5
    return [c / length for c in counts]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--requests", type=int, default=10**9, help="after which it crashes")
    args = parser.parse_args()
    child = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE)
    child.stdout.readline()
    print(f"child {child.pid}, threads {os.environ['OMP_NUM_THREADS']}, model {os.environ['MODEL']}", flush=True)
    server = ThreadingHTTPServer(("127.0.0.1", args.port), Handler)
    server.left = args.requests
    server.serve_forever()


main()
