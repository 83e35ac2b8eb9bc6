"""OpenVINO, float32 or quantised to int8 by NNCF on texts of common words; tokenizer and pooling as for onnxruntime."""

import os
import random

import nncf
import numpy as np
import openvino
from tokenizers import Tokenizer

import checkpoint
import export
import peer

CALIBRATION_TEXTS = 300


class OpenVINO:
    def open(self, model, threads, dtype):
        pipeline = checkpoint.read_pipeline(model)
        self.tokenizer = Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
        self.tokenizer.enable_truncation(pipeline["max_seq_length"])
        self.tokenizer.enable_padding()
        core = openvino.Core()
        graph = core.read_model(export.bert(model).SerializeToString())
        if dtype == "int8":
            data = nncf.Dataset([self.inputs([text])[0] for text in self.calibration()])
            graph = nncf.quantize(graph, data, model_type=nncf.ModelType.TRANSFORMER, subset_size=CALIBRATION_TEXTS)
        hints = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        self.compiled = core.compile_model(graph, "CPU", hints)
        return f"openvino {openvino.__version__.split('-')[0]} {dtype}"

    def calibration(self):
        words = sorted(w for w in self.tokenizer.get_vocab() if w.isascii() and w.isalpha() and w.islower() and 3 <= len(w) <= 9)
        rng = random.Random(7)
        return [" ".join(rng.choices(words, k=rng.randint(0, 60))) for _ in range(CALIBRATION_TEXTS)]

    def inputs(self, texts):
        encodings = self.tokenizer.encode_batch(texts)
        ids = np.array([e.ids for e in encodings], dtype=np.int64)
        mask = np.array([e.attention_mask for e in encodings], dtype=np.int64)
        return {"input_ids": ids, "attention_mask": mask}, mask

    def embed(self, texts):
        inputs, mask = self.inputs(texts)
        hidden = self.compiled(inputs)[0]
        vectors = np.einsum("bth,bt->bh", hidden, mask.astype(np.float32)) / mask.sum(1, keepdims=True)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    peer.serve(OpenVINO())
