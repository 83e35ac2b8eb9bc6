"""Reads what every peer needs of a checkpoint in Hugging Face layout: no more than BERT with mean pooling."""

import json
import os

from safetensors.numpy import load_file


def read_json(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


def read_pipeline(folder):
    """The maximal length, of a model that this comparison can run: BERT, mean pooling."""
    if (family := read_json(folder, "config.json")["model_type"]) != "bert":
        raise SystemExit(f"only BERT models are compared here, not {family}")
    if not read_json(folder, "1_Pooling/config.json").get("pooling_mode_mean_tokens"):
        raise SystemExit("only mean pooling is written here")
    return read_json(folder, "sentence_bert_config.json")


def read_weights(folder):
    """The tensors by name, without the prefix that some checkpoints have."""
    weights = load_file(os.path.join(folder, "model.safetensors"))
    return {name.removeprefix("bert."): value for name, value in weights.items()}
