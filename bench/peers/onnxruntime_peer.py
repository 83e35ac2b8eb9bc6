"""onnxruntime, float32, with Hugging Face's tokenizers before it and mean pooling in NumPy after it."""

import os

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

import export
import peer


class OnnxRuntime:
    def open(self, model, threads):
        pipeline = export.read_pipeline(model)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self.session = onnxruntime.InferenceSession(export.bert(model).SerializeToString(), options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
        self.tokenizer.enable_truncation(pipeline["max_seq_length"])
        self.tokenizer.enable_padding()
        return f"onnxruntime {onnxruntime.__version__} float32"

    def embed(self, texts):
        encodings = self.tokenizer.encode_batch(texts)
        ids = np.array([e.ids for e in encodings], dtype=np.int64)
        mask = np.array([e.attention_mask for e in encodings], dtype=np.int64)
        (hidden,) = self.session.run(None, {"input_ids": ids, "attention_mask": mask})
        vectors = np.einsum("bth,bt->bh", hidden, mask.astype(np.float32)) / mask.sum(1, keepdims=True)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    peer.serve(OnnxRuntime())
