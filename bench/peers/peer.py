"""What every Python peer has in common: a process that answers commands, one JSON line each.

    {"op": "open", "model": FOLDER, "threads": N, "dtype": "float32", "bfloat16" or "int8"}   -> {"name": ..., "settings": [...]}
    {"op": "use", "setting": one of those}          -> {}      the setting of the commands that follow; at first it is the first one
    {"op": "texts", "texts": [...]}                 -> {}      the texts of the commands that follow
    {"op": "vectors", "batch": B}                   -> {"width": D, "vectors": base64 of float32}
    {"op": "run", "seconds": S, "batch": B}         -> {"texts": N, "seconds": wall}
    {"op": "lone", "seconds": S}                    -> {"seconds": [of each text by itself]}

A peer is a class with open(model, threads, dtype), which returns its name, and embed(texts), which returns float32 vectors of
length 1. One that has a choice to make, whose best depends on the texts, also has settings, a list of names, and use(setting); the
comparison times each and takes the quickest. Replies go to the descriptor that was standard output; whatever a library prints goes to standard error.
"""

import base64
import json
import os
import sys
import time

import numpy as np


def embed_all(peer, texts, batch):
    return np.concatenate([peer.embed(texts[i : i + batch]) for i in range(0, len(texts), batch)])


def run(peer, texts, seconds, batch):
    """Embeds the texts again and again, in batches, until the time is over; the last batch is finished."""
    done, at, start = 0, 0, time.perf_counter()
    while True:
        part = texts[at : at + batch]
        peer.embed(part)
        done, at = done + len(part), at + batch if at + batch < len(texts) else 0
        wall = time.perf_counter() - start
        if wall >= seconds:
            return {"texts": done, "seconds": wall}


def lone(peer, texts, seconds):
    took, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds:
        begin = time.perf_counter()
        peer.embed([texts[len(took) % len(texts)]])
        took.append(time.perf_counter() - begin)
    return {"seconds": took}


def answer(peer, state, command):
    op = command["op"]
    if op == "open":
        name = peer.open(command["model"], command["threads"], command["dtype"])
        return {"name": name, "settings": getattr(peer, "settings", [])}
    if op == "use":
        peer.use(command["setting"])
        return {}
    if op == "texts":
        state["texts"] = command["texts"]
        return {}
    if op == "vectors":
        vectors = np.ascontiguousarray(embed_all(peer, state["texts"], command["batch"]), dtype="<f4")
        return {"width": vectors.shape[1], "vectors": base64.b64encode(vectors.tobytes()).decode()}
    if op == "run":
        return run(peer, state["texts"], command["seconds"], command["batch"])
    if op == "lone":
        return lone(peer, state["texts"], command["seconds"])
    raise ValueError(f"unknown command {op!r}")


def serve(peer):
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    state = {"texts": []}
    for line in sys.stdin:
        print(json.dumps(answer(peer, state, json.loads(line))), file=replies)
