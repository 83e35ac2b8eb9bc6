"""Writes a BERT in Hugging Face layout as GGUF, with the names and settings that llama.cpp reads. Ids are given to it, so there is
no vocabulary."""

import gguf
import numpy as np

import checkpoint

ARCHITECTURE = "bert"
TENSORS = {
    "token_embd": "embeddings.word_embeddings",
    "position_embd": "embeddings.position_embeddings",
    "token_types": "embeddings.token_type_embeddings",
    "token_embd_norm": "embeddings.LayerNorm",
}
LAYER = {
    "attn_q": "attention.self.query",
    "attn_k": "attention.self.key",
    "attn_v": "attention.self.value",
    "attn_output": "attention.output.dense",
    "attn_output_norm": "attention.output.LayerNorm",
    "ffn_up": "intermediate.dense",
    "ffn_down": "output.dense",
    "layer_output_norm": "output.LayerNorm",
}


def write(model, path, linear):
    """linear is the type of the linear layers' weights; all else is float32."""
    config, weights = checkpoint.read_json(model, "config.json"), checkpoint.read_weights(model)
    writer = gguf.GGUFWriter(path, ARCHITECTURE)
    settings(writer, config)
    for ours, theirs in TENSORS.items():
        add(writer, weights, ours, theirs, gguf.GGMLQuantizationType.F32)
    for i in range(config["num_hidden_layers"]):
        for ours, theirs in LAYER.items():
            kind = gguf.GGMLQuantizationType.F32 if ours.endswith("norm") else linear
            add(writer, weights, f"blk.{i}.{ours}", f"encoder.layer.{i}.{theirs}", kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def settings(writer, config):
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_token_type_count(config["type_vocab_size"])
    writer.add_tokenizer_model("no_vocab")


def add(writer, weights, ours, theirs, kind):
    writer.add_tensor(f"{ours}.weight", gguf.quants.quantize(np.ascontiguousarray(weights[f"{theirs}.weight"]), kind), raw_dtype=kind)
    if f"{theirs}.bias" in weights:
        writer.add_tensor(f"{ours}.bias", weights[f"{theirs}.bias"])
