"""OpenVINO in float32, in bfloat16, or quantised to int8 by NNCF on texts of common words; tokenizer and pooling as for onnxruntime.

On a processor with AMX its default is bfloat16, so the arithmetic is named in each case.
"""

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
        self.core, self.threads, self.requests = openvino.Core(), threads, {}
        self.graph = self.core.read_model(export.bert(model).SerializeToString())
        if dtype == "int8":
            data = nncf.Dataset([self.inputs(text)[0] for text in self.calibration()])
            self.graph = nncf.quantize(self.graph, data, model_type=nncf.ModelType.TRANSFORMER, subset_size=CALIBRATION_TEXTS)
        self.choices = dict(self.hints(self.precisions(dtype)))
        self.settings = list(self.choices)
        self.use(self.settings[0])
        return f"openvino {openvino.__version__.split('-')[0]} {dtype}"

    def precisions(self, dtype):
        """What computes the operations that are not int8."""
        bfloat16 = ["bf16"] if "BF16" in self.core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else []
        if dtype == "bfloat16" and not bfloat16:
            raise ValueError("this processor has no bfloat16")
        return {"float32": ["f32"], "bfloat16": bfloat16, "int8": ["f32"] + bfloat16}[dtype]

    def hints(self, precisions):
        for precision in precisions:
            rest = f", the rest {precision}" if len(precisions) > 1 else ""
            fixed = {"INFERENCE_NUM_THREADS": self.threads, "INFERENCE_PRECISION_HINT": precision}
            for hint in ("throughput", "latency"):
                yield f"{hint} hint{rest}", {"PERFORMANCE_HINT": hint.upper(), **fixed}
            if self.threads > 1:
                yield f"{self.threads} streams{rest}", {"NUM_STREAMS": self.threads, **fixed}

    def use(self, setting):
        if setting not in self.requests:
            compiled = self.core.compile_model(self.graph, "CPU", self.choices[setting])
            count = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
            self.requests[setting] = [compiled.create_infer_request() for _ in range(count)]
        self.setting = setting

    def calibration(self):
        words = sorted(w for w in self.tokenizer.get_vocab() if w.isascii() and w.isalpha() and w.islower() and 3 <= len(w) <= 9)
        rng = random.Random(7)
        return [[" ".join(rng.choices(words, k=rng.randint(0, 60)))] for _ in range(CALIBRATION_TEXTS)]

    def inputs(self, texts):
        encodings = self.tokenizer.encode_batch(texts)
        ids = np.array([e.ids for e in encodings], dtype=np.int64)
        mask = np.array([e.attention_mask for e in encodings], dtype=np.int64)
        return {"input_ids": ids, "attention_mask": mask}, mask

    def embed(self, texts):
        """The texts in equal parts, one for each request that may be under way; the second is tokenised while the first runs."""
        requests = self.requests[self.setting]
        size = -(-len(texts) // len(requests))
        running = []
        for request, start in zip(requests, range(0, len(texts), size)):
            inputs, mask = self.inputs(texts[start : start + size])
            request.start_async(inputs)
            running.append((request, mask))
        return np.concatenate([pooled(request, mask) for request, mask in running])


def pooled(request, mask):
    request.wait()
    hidden = request.get_output_tensor(0).data
    vectors = np.einsum("bth,bt->bh", hidden, mask.astype(np.float32)) / mask.sum(1, keepdims=True)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    peer.serve(OpenVINO())
