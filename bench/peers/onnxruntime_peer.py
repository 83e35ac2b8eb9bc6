"""onnxruntime, float32 or dynamically quantised to int8, with Hugging Face's tokenizers before it and mean pooling in NumPy after it."""

import os
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer

import checkpoint
import export
import peer


def graph(model, dtype):
    if dtype == "float32":
        return export.bert(model).SerializeToString()
    with tempfile.TemporaryDirectory() as folder:
        plain, quantized = os.path.join(folder, "plain.onnx"), os.path.join(folder, "quantized.onnx")
        onnx.save(export.bert(model), plain)
        quantize_dynamic(plain, quantized, per_channel=True, weight_type=QuantType.QInt8)
        with open(quantized, "rb") as file:
            return file.read()


class OnnxRuntime:
    def open(self, model, threads, dtype):
        pipeline = checkpoint.read_pipeline(model)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self.session = onnxruntime.InferenceSession(graph(model, dtype), options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
        self.tokenizer.enable_truncation(pipeline["max_seq_length"])
        self.tokenizer.enable_padding()
        return f"onnxruntime {onnxruntime.__version__} {dtype}"

    def embed(self, texts):
        encodings = self.tokenizer.encode_batch(texts)
        ids = np.array([e.ids for e in encodings], dtype=np.int64)
        mask = np.array([e.attention_mask for e in encodings], dtype=np.int64)
        (hidden,) = self.session.run(None, {"input_ids": ids, "attention_mask": mask})
        vectors = np.einsum("bth,bt->bh", hidden, mask.astype(np.float32)) / mask.sum(1, keepdims=True)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    peer.serve(OnnxRuntime())
