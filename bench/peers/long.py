"""Time and memory of one long text: Paceline beside PyTorch on random weights in ModernBERT-base's shape.

    python bench/peers/long.py --paceline ./paceline [--layers 22] [--tokens 512 2048 8192] [--threads 2]

needs torch, transformers and safetensors. Each engine is a process of its own that takes the lengths in turn, in float32; its
processor time and the peak of its resident memory are read from /proc. The vectors must agree.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

WORDS = 1000
LIMIT = 8192


def make(folder, layers):
    """A repository of random weights whose tokenizer knows WORDS words."""
    import torch
    from transformers import ModernBertConfig, ModernBertModel

    torch.manual_seed(1)
    config = ModernBertConfig(vocab_size=WORDS + 4, num_hidden_layers=layers, max_position_embeddings=LIMIT, pad_token_id=0, cls_token_id=1,
                              bos_token_id=1, sep_token_id=2, eos_token_id=2)
    ModernBertModel(config).save_pretrained(folder)
    vocab = {"[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "[UNK]": 3} | {f"w{i}": i + 4 for i in range(WORDS)}
    part = lambda token: {"SpecialToken": {"id": token, "type_id": 0}}
    tokenizer = {
        "version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": None,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab},
        "post_processor": {"type": "TemplateProcessing", "single": [part("[CLS]"), {"Sequence": {"id": "A", "type_id": 0}}, part("[SEP]")],
                           "pair": [], "special_tokens": {t: {"id": t, "ids": [vocab[t]], "tokens": [t]} for t in ("[CLS]", "[SEP]")}},
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def numbers(tokens):
    """The words of a text of that many tokens, special ones included."""
    return [(i * 7919) % WORDS for i in range(tokens - 2)]


def usage(pid):
    """Processor seconds and peak resident MB of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return ticks / os.sysconf("SC_CLK_TCK"), int(status.partition("VmHWM:")[2].split()[0]) / 1024


def torch_child(folder, threads):
    """Answers lengths on stdin with the mean of the hidden states."""
    import torch
    from transformers import AutoModel

    torch.set_num_threads(threads)
    model = AutoModel.from_pretrained(folder, attn_implementation="sdpa", dtype=torch.float32).eval()
    print("ready", flush=True)
    for line in sys.stdin:
        ids = torch.tensor([[1, *(n + 4 for n in numbers(int(line))), 2]])
        with torch.inference_mode():
            hidden = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        print(json.dumps(hidden[0].mean(dim=0).tolist()), flush=True)


class Torch:
    def __init__(self, folder, o):
        self.process = subprocess.Popen([sys.executable, __file__, "--child", str(folder), "--threads", str(o.threads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def embed(self, tokens):
        print(tokens, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())


class Paceline:
    def __init__(self, folder, o):
        self.process = subprocess.Popen([o.paceline, "serve", "--model", str(folder), "--dtype", "float32", "--port", "0", "--threads", str(o.threads)],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = json.loads(self.process.stdout.readline())["listening"]

    def embed(self, tokens):
        text = " ".join(f"w{n}" for n in numbers(tokens))
        body = json.dumps({"texts": [text], "normalize": False}).encode()
        request = urllib.request.Request(self.url + "/embeddings", body, {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request))["embeddings"][0]


def cosine(a, b):
    dot = lambda x, y: sum(p * q for p, q in zip(x, y))
    return dot(a, b) / (dot(a, a) * dot(b, b)) ** 0.5


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--paceline", default="paceline")
    p.add_argument("--layers", type=int, default=22)
    p.add_argument("--tokens", type=int, nargs="+", default=[512, 2048, 8192])
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--child")
    o = p.parse_args()
    if o.child:
        torch_child(o.child, o.threads)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make(folder, o.layers)
        engines = {"paceline": Paceline(folder, o), "torch": Torch(folder, o)}
        print(f"{'tokens':>6} " + " ".join(f"{e + ' CPU-s':>15} {e + ' MB more':>17}" for e in engines) + "   cosine")
        loaded = {e: usage(engine.process.pid)[1] for e, engine in engines.items()}
        for tokens in o.tokens:
            row, vectors = [], []
            for e, engine in engines.items():
                before, _ = usage(engine.process.pid)
                vectors.append(engine.embed(tokens))
                after, peak = usage(engine.process.pid)
                row.append(f"{after - before:15.2f} {peak - loaded[e]:17.0f}")
            print(f"{tokens:6} " + " ".join(row) + f" {cosine(*vectors):.6f}", flush=True)
        for engine in engines.values():
            engine.process.terminate()
            engine.process.wait()


if __name__ == "__main__":
    main()
