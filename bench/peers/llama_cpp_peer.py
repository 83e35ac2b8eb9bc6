"""llama.cpp on the checkpoint's own weights: float32, bfloat16, or Q8_0, whose products of 8-bit integers it scales in blocks of 32.

Its library is the one of the environment's folder engine, which has kernels for each processor (see run.sh); the Python package
gives only the bindings. Ids come from Hugging Face's tokenizers, pooling is llama.cpp's.
"""

import os
import sys
import tempfile

import gguf
import numpy as np
from llama_cpp_py_sync import _cffi_bindings
from tokenizers import Tokenizer

import checkpoint
import gguf_checkpoint
import peer

ENGINE = os.path.join(sys.prefix, "engine")
WEIGHTS = {"float32": gguf.GGMLQuantizationType.F32, "bfloat16": gguf.GGMLQuantizationType.BF16, "int8": gguf.GGMLQuantizationType.Q8_0}
SEQUENCES = 128
CALL = 512  # tokens at once; 128 and 1024 were no quicker, neither for texts of 12 tokens nor of 128

ffi = _cffi_bindings.ffi


def load():
    """The library, with the kernels of this processor."""
    ffi.cdef("void ggml_backend_load_all_from_path(const char *folder);")
    ffi.dlopen(os.path.join(ENGINE, "libggml.so")).ggml_backend_load_all_from_path(ENGINE.encode())
    library = ffi.dlopen(os.path.join(ENGINE, "libllama.so"))
    library.llama_backend_init()
    return library


class LlamaCpp:
    def open(self, model, threads, dtype):
        pipeline = checkpoint.read_pipeline(model)
        self.tokenizer = Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
        self.tokenizer.enable_truncation(min(pipeline["max_seq_length"], CALL))
        self.tokenizer.no_padding()
        self.library = load()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.gguf")
            gguf_checkpoint.write(model, path, WEIGHTS[dtype])
            self.model = self.library.llama_model_load_from_file(path.encode(), self.library.llama_model_default_params())
        if self.model == ffi.NULL:
            raise ValueError("llama.cpp does not load this model")
        self.context = self.library.llama_init_from_model(self.model, self.parameters(threads))
        self.width = checkpoint.read_json(model, "config.json")["hidden_size"]
        self.batch = self.library.llama_batch_init(CALL, 0, 1)
        return f"llama.cpp 0.5.0 {dtype}{' (Q8_0)' if dtype == 'int8' else ''}"

    def parameters(self, threads):
        parameters = self.library.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = CALL
        parameters.n_seq_max = SEQUENCES
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.embeddings, parameters.kv_unified = True, True
        return parameters

    def embed(self, texts):
        vectors = np.empty((len(texts), self.width), dtype=np.float32)
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        start = 0
        while start < len(ids):
            end, total = start + 1, len(ids[start])
            while end < len(ids) and end - start < SEQUENCES and total + len(ids[end]) <= CALL:
                total, end = total + len(ids[end]), end + 1
            self.call(ids[start:end], vectors[start:end])
            start = end
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def call(self, ids, vectors):
        """One pass over some texts side by side."""
        lengths = [len(i) for i in ids]
        batch, total = self.batch, sum(lengths)
        batch.n_tokens = total
        fill(batch.token, np.concatenate(ids), np.int32)
        fill(batch.pos, np.concatenate([np.arange(n) for n in lengths]), np.int32)
        fill(batch.n_seq_id, np.ones(total), np.int32)
        fill(batch.logits, np.ones(total), np.int8)
        at = 0
        for sequence, length in enumerate(lengths):
            for token in range(at, at + length):
                batch.seq_id[token][0] = sequence
            at += length
        if self.library.llama_encode(self.context, batch):
            raise RuntimeError("llama_encode failed")
        for sequence, vector in enumerate(vectors):
            found = self.library.llama_get_embeddings_seq(self.context, sequence)
            vector[:] = np.frombuffer(ffi.buffer(found, 4 * self.width), dtype=np.float32)


def fill(pointer, values, dtype):
    values = np.ascontiguousarray(values, dtype=dtype)
    ffi.memmove(pointer, values, values.nbytes)


if __name__ == "__main__":
    peer.serve(LlamaCpp())
