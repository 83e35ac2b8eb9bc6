"""CTranslate2, float32 or int8, on the checkpoint's own weights; tokenizer and pooling as for onnxruntime."""

import os
import tempfile

import ctranslate2
import numpy as np
from ctranslate2.specs import common_spec, transformer_spec
from tokenizers import Tokenizer

import checkpoint
import peer


def linear(spec, weights, *names):
    """Layers of the same inputs go into one spec, their outputs side by side."""
    spec.weight = np.concatenate([weights[f"{name}.weight"] for name in names])
    spec.bias = np.concatenate([weights[f"{name}.bias"] for name in names])


def norm(spec, weights, name):
    spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]


def layer(spec, weights, name):
    linear(spec.self_attention.linear[0], weights, *(f"{name}.attention.self.{part}" for part in ("query", "key", "value")))
    linear(spec.self_attention.linear[1], weights, f"{name}.attention.output.dense")
    norm(spec.self_attention.layer_norm, weights, f"{name}.attention.output.LayerNorm")
    linear(spec.ffn.linear_0, weights, f"{name}.intermediate.dense")
    linear(spec.ffn.linear_1, weights, f"{name}.output.dense")
    norm(spec.ffn.layer_norm, weights, f"{name}.output.LayerNorm")


def convert(model, dtype, folder):
    """Writes the checkpoint as CTranslate2 wants it."""
    config, weights = checkpoint.read_json(model, "config.json"), checkpoint.read_weights(model)
    encoder = transformer_spec.TransformerEncoderSpec(
        config["num_hidden_layers"], config["num_attention_heads"], pre_norm=False, activation=common_spec.Activation.GELU,
        layernorm_embedding=True, num_source_embeddings=2, embeddings_merge=common_spec.EmbeddingsMerge.ADD,
    )
    encoder.scale_embeddings = False
    for spec, part in zip(encoder.embeddings, ("word", "token_type")):
        spec.weight = weights[f"embeddings.{part}_embeddings.weight"]
    encoder.position_encodings.encodings = weights["embeddings.position_embeddings.weight"]
    norm(encoder.layernorm_embedding, weights, "embeddings.LayerNorm")
    for i, spec in enumerate(encoder.layer):
        layer(spec, weights, f"encoder.layer.{i}")
    spec = transformer_spec.TransformerEncoderModelSpec(encoder)
    spec.register_vocabulary([str(i) for i in range(config["vocab_size"])])  # ids are given, words never asked for
    spec.config.layer_norm_epsilon = config["layer_norm_eps"]
    spec.config.unk_token = "0"
    spec.validate()
    spec.optimize(quantization=dtype)
    spec.save(folder)


class CTranslate2:
    def open(self, model, threads, dtype):
        pipeline = checkpoint.read_pipeline(model)
        self.tokenizer = Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
        self.tokenizer.enable_truncation(pipeline["max_seq_length"])
        self.tokenizer.no_padding()
        with tempfile.TemporaryDirectory() as folder:
            convert(model, dtype, folder)
            self.encoder = ctranslate2.Encoder(folder, device="cpu", compute_type=dtype, inter_threads=1, intra_threads=threads)
        return f"ctranslate2 {ctranslate2.__version__} {dtype}"

    def embed(self, texts):
        ids = [e.ids for e in self.tokenizer.encode_batch(texts)]
        lengths = np.array([len(i) for i in ids])
        hidden = np.array(self.encoder.forward_batch(ids).last_hidden_state)
        mask = (np.arange(hidden.shape[1]) < lengths[:, None]).astype(np.float32)
        vectors = np.einsum("bth,bt->bh", hidden, mask) / lengths[:, None]
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    peer.serve(CTranslate2())
