"""Runs perf_analyzer against `paceline serve --profile triton` and prints a table of what client and server count.

Both protocols, by concurrency and by request rate, with texts from --input-data. The server's time of a request (queue and
computing, of the ensemble's models together) must add up to the client's within 5 %. perf_analyzer's own output is kept
under --out.
"""

import argparse
import json
import random
import re
import shlex
import subprocess
import sys
from pathlib import Path

BATCH, TEXTS, CLOSE = 32, 64, 5.0
LOADS = [("2 at once", ["--concurrency-range", "2"]), ("2 requests/s", ["--request-rate-range", "2"])]
WORDS = "the quick brown fox jumps over a lazy dog while riders take turns in front of long and windy roads".split()


def input_data(path: Path) -> Path:
    """Texts of 4 to 60 words, the same in every run."""
    choose = random.Random(42)
    texts = [" ".join(choose.choices(WORDS, k=choose.randint(4, 60))) for _ in range(TEXTS)]
    path.write_text(json.dumps({"data": [{"texts": {"content": [text], "shape": [1]}} for text in texts]}))
    return path


def figures(output: str) -> tuple[float, float, float] | None:
    """Inferences per second, and the mean microseconds of a request as client and server have them; None if unstable."""
    client = re.search(r"Client:.*?Throughput: ([\d.]+) infer.*?Avg latency: (\d+) usec", output, re.S)
    server = re.search(r"Server:.*?Avg request latency: (\d+) usec", output, re.S)
    if not client or not server:
        return None
    return float(client[1]), float(client[2]), float(server[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--paceline", "--model", "--out", "--analyzer"):
        parser.add_argument(name, required=True)
    parser.add_argument("--tries", type=int, default=3, help="of a run that does not become stable")
    args = parser.parse_args()
    out = Path(args.out)
    data = input_data(out / "input.json")
    command = [args.paceline, "serve", "--profile", "triton", "--model", args.model, "--dtype", "float32", "--port", "0"]
    failed = False
    with open(out / "serve.log", "wb") as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as server:
        try:
            ready = json.loads(server.stdout.readline())
            print("\n| door, load (32 texts a request) | inferences/s | client, mean ms | server's account, ms | difference |\n|---|---|---|---|---|")
            for protocol, address in (("http", ready["listening"].removeprefix("http://")), ("grpc", ready["grpc"])):
                for name, load in LOADS:
                    failed |= not measure(args, out, data, protocol, address, name, load)
        finally:
            server.terminate()
    return failed


def measure(args, out, data, protocol, address, name, load) -> bool:
    command = [*shlex.split(args.analyzer), "-m", "embedding_pipeline", "-i", protocol, "-u", address, "-b", str(BATCH), "--input-data", str(data),
               "-p", "5000", "-s", "20", "-r", "12", "-v", *load]
    for _ in range(args.tries):
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        (out / f"{protocol}-{name.split()[1].split('/')[0]}.txt").write_text(shlex.join(command) + "\n" + run.stdout)
        found = figures(run.stdout) if run.returncode == 0 else None
        if found:
            rate, client, server = found
            apart = 100 * (client - server) / client
            print(f"| {protocol}, {name} | {rate:.0f} | {client / 1000:.1f} | {server / 1000:.1f} | {apart:.1f} %{'' if abs(apart) <= CLOSE else ' TOO FAR'} |", flush=True)
            return abs(apart) <= CLOSE
    print(f"| {protocol}, {name} | not stable in {args.tries} tries | | | |", flush=True)
    return False


if __name__ == "__main__":
    sys.exit(main())
