"""Makes three small models with heads, and what sentence-transformers says of them.

Run it by hand, with sentence-transformers and transformers installed. The weights are random; the tokenizer is the tiny BERT's.
"""

import json
import pathlib
import shutil

import numpy as np
import torch
from safetensors.torch import save_file
from sentence_transformers import CrossEncoder, SparseEncoder
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

HERE = pathlib.Path(__file__).resolve().parent
SMALL = dict(
    vocab_size=716, hidden_size=16, num_attention_heads=2, num_hidden_layers=1, intermediate_size=32, max_position_embeddings=128,
    type_vocab_size=2, pad_token_id=0,
)
QUERIES = ["How do I reset my password?", "what is protein", "short", "", "今天天气"]
DOCUMENTS = [
    "The cat sat on the mat.", "Protein is found in meat, fish, beans and nuts.", "Click on forgot password and read the mail.",
    "short", "", "Café naïve résumé", "A long one. " * 60,
]


def begin(name, model, labels=None):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    generator = torch.Generator().manual_seed(20261122)
    for key, parameter in model.named_parameters():  # wide enough that a mistake shows
        parameter.data.normal_(0, 1.2 if "attention" in key else 0.35, generator=generator)
    tensors = {k: v.contiguous() for k, v in model.state_dict().items() if "position_ids" not in k}
    if "cls.predictions.decoder.weight" in tensors:  # it is the embeddings' own
        del tensors["cls.predictions.decoder.weight"], tensors["cls.predictions.decoder.bias"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = {"architectures": [type(model).__name__], "model_type": "bert", "hidden_act": "gelu", "layer_norm_eps": 1e-12} | SMALL
    if labels:
        config["id2label"] = {str(i): label for i, label in enumerate(labels)}
        config["label2id"] = {label: i for i, label in enumerate(labels)}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(HERE.parent / "bert" / file, folder / file)
    return folder


def classifier(name, labels):
    torch.manual_seed(1)
    folder = begin(name, BertForSequenceClassification(BertConfig(**SMALL, num_labels=len(labels))), labels)
    model = CrossEncoder(str(folder), device="cpu", max_length=128)
    pairs = [[q, d] for q in QUERIES for d in DOCUMENTS]
    raw = np.stack([model.predict([pair], activation_fn=torch.nn.Identity()).reshape(-1) for pair in pairs])
    scores = np.stack([model.predict([pair]).reshape(-1) for pair in pairs])
    alone = []
    for text in DOCUMENTS:
        batch = model.tokenizer(text, truncation=True, max_length=128, return_tensors="pt")
        alone.append(model.model(**batch).logits.detach().numpy().reshape(-1))
    expected = {
        "labels": labels, "queries": QUERIES, "documents": DOCUMENTS,
        "logits": raw.reshape(len(QUERIES), len(DOCUMENTS), -1).tolist(), "scores": scores.reshape(len(QUERIES), len(DOCUMENTS), -1).tolist(),
        "alone": np.stack(alone).tolist(),
    }
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")


def splade(name):
    folder = begin(name, BertForMaskedLM(BertConfig(**SMALL)))
    modules = [("", "sentence_transformers.sparse_encoder.models.MLMTransformer"), ("1_SpladePooling", "sentence_transformers.sparse_encoder.models.SpladePooling")]
    (folder / "modules.json").write_text(json.dumps([{"idx": i, "name": str(i), "path": path, "type": kind} for i, (path, kind) in enumerate(modules)]) + "\n")
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 128, "do_lower_case": False}) + "\n")
    (folder / "1_SpladePooling").mkdir()
    (folder / "1_SpladePooling" / "config.json").write_text(json.dumps({"pooling_strategy": "max", "activation_function": "relu", "word_embedding_dimension": SMALL["vocab_size"]}) + "\n")
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"model_type": "SparseEncoder", "prompts": {"query": "", "document": ""}}) + "\n")
    model = SparseEncoder(str(folder), device="cpu")
    weights = [model.encode([text], convert_to_tensor=True).to_dense()[0].numpy() for text in DOCUMENTS]
    rows = [{str(i): float(w[i]) for i in np.flatnonzero(w)} for w in weights]
    (folder / "expected.json").write_text(json.dumps({"documents": DOCUMENTS, "weights": rows}, ensure_ascii=False) + "\n")


classifier("reranker", ["LABEL_0"])
classifier("classifier", ["anger", "joy", "surprise"])
splade("splade")
