"""Repositories in Hugging Face's layout with random weights, one a case.

A case is a function that fills a folder. CASES maps its name to (kind, function): the kind says which class of
sentence-transformers is the reference, "dense", "pairs" or "sparse".
"""

import json
import pathlib
import shutil
import tempfile

import torch
from sentence_transformers import SentenceTransformer, SparseEncoder
from sentence_transformers.sentence_transformer.modules import (
    Dense, Dropout, LayerNorm, Normalize, Pooling, StaticEmbedding, Transformer, WeightedLayerPooling, WordWeights)
from sentence_transformers.sparse_encoder.modules import MLMTransformer, SpladePooling
from transformers import (
    AutoConfig, AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification)

import tokenizers_small as tok

CASES = {}


def add(name, kind, build):
    assert name not in CASES, name
    CASES[name] = (kind, build)


# ------------------------------------------------------------------ encoders


def randomize(module, seed):
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, p in module.named_parameters():
            if p.dim() >= 2:
                p.normal_(std=0.9 / p.shape[1] ** 0.5 if "embed" not in name else 0.7)
            else:
                p.normal_(std=0.15)
                if name.endswith("weight"):
                    p.add_(1)
    return module.eval()


SIZES = dict(hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=80, max_position_embeddings=80)
FAMILIES = {
    "bert": (tok.wordpiece, dict(SIZES, type_vocab_size=2)),
    "roberta": (tok.roberta, dict(SIZES, type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5)),
    "xlm-roberta": (tok.unigram, dict(SIZES, type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5)),
    "camembert": (tok.unigram, dict(SIZES, type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5)),
    "distilbert": (tok.wordpiece, dict(dim=48, n_layers=2, n_heads=4, hidden_dim=80, max_position_embeddings=80)),
    "mpnet": (tok.mpnet, dict(SIZES, pad_token_id=1)),
    "modernbert": (tok.modernbert, dict(SIZES, num_hidden_layers=4, local_attention=12, pad_token_id=0, bos_token_id=2, eos_token_id=3, cls_token_id=2, sep_token_id=3)),
    "nomic_bert": (tok.wordpiece, dict(SIZES, type_vocab_size=2)),
    "gte": (tok.unigram, dict(SIZES, type_vocab_size=1)),
    "qwen3": (tok.qwen, dict(SIZES, num_key_value_heads=2, head_dim=16)),
    "gemma3_text": (tok.gemma, dict(SIZES, num_hidden_layers=4, num_key_value_heads=2, head_dim=16, sliding_window=10, query_pre_attn_scalar=20)),
}


def encoder(folder, family, changes=None, *, head=AutoModel, seed=1, dtype=None, shard="5GB", tokenizer=None, limit=64, tok_changes=None, extra_rows=5):
    """Writes a model and its tokenizer. The token table has rows that no token needs."""
    make, config = FAMILIES[family]
    pair = tokenizer or make()
    config = {**config, "vocab_size": pair[0].get_vocab_size() + extra_rows, **(changes or {})}
    model = randomize(head.from_config(AutoConfig.for_model(family, **config)), seed)
    if dtype:
        model = model.to(dtype)
    model.save_pretrained(folder, max_shard_size=shard)
    tok.fast(pair, limit, **(tok_changes or {})).save_pretrained(folder)


def pipeline(folder, modules, make=SentenceTransformer, first=Transformer, **options):
    """Adds sentence-transformers' own files, as it writes them, to a folder with a model."""
    with tempfile.TemporaryDirectory() as out:
        make(modules=[first(str(folder)), *modules], device="cpu", **options).save_pretrained(out, create_model_card=False)
        for f in pathlib.Path(out).iterdir():
            if f.is_dir():
                shutil.copytree(f, folder / f.name, dirs_exist_ok=True)
            elif f.name in ("modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"):
                shutil.copy(f, folder)


def edit(folder, name, **changes):
    """Changes keys of a JSON file; None takes one away."""
    path = folder / name
    d = json.loads(path.read_text()) if path.exists() else {}
    for key, value in changes.items():
        d.pop(key, None)
        if value is not None:
            d[key] = value
    path.write_text(json.dumps(d))


def width(folder):
    c = json.loads((folder / "config.json").read_text())
    return c.get("hidden_size") or c.get("dim") or c.get("n_embd")


def dense(name, family, changes=None, *, pooling="mean", modules=None, after=None, options=None, **o):
    def build(folder):
        encoder(folder, family, changes, seed=len(name), **o)
        make = modules or (lambda w: [Pooling(w, pooling_mode=pooling), Normalize()])
        pipeline(folder, make(width(folder)), **(options or {}))
        if after:
            after(folder)
    add(name, "dense", build)


def randomized(module, seed=7):
    return randomize(module, seed)


# ------------------------------------------------------------------ families and their sizes

for heads, wide, act in [(3, 192, "gelu_new"), (1, 96, "relu"), (2, 256, "silu"), (4, 60, "gelu_pytorch_tanh"), (2, 66, "gelu"), (5, 40, "gelu_fast"),
                         (2, 40, "quick_gelu"), (2, 40, "gelu_python"), (2, 40, "gelu_10"), (2, 40, "mish"), (2, 40, "tanh"), (2, 40, "relu2"), (2, 40, "swish")]:
    dense(f"bert-{wide}x{heads}-{act}", "bert", dict(hidden_size=wide, num_attention_heads=heads, hidden_act=act, intermediate_size=wide * 2 + 3))
dense("bert-one-type", "bert", dict(type_vocab_size=1))
dense("bert-three-types", "bert", dict(type_vocab_size=3))
dense("bert-eps", "bert", dict(layer_norm_eps=0.05))
dense("bert-one-layer", "bert", dict(num_hidden_layers=1))
dense("bert-five-layers", "bert", dict(num_hidden_layers=5))
dense("bert-decoder", "bert", dict(is_decoder=True))
dense("bert-cross-attention", "bert", dict(is_decoder=True, add_cross_attention=True))
dense("bert-f16", "bert", dtype=torch.float16)
dense("bert-bf16", "bert", dtype=torch.bfloat16)
dense("bert-f64", "bert", dtype=torch.float64)
dense("bert-shards", "bert", shard="30KB")
dense("bert-masked-lm", "bert", head=AutoModelForMaskedLM)
dense("bert-untied", "bert", dict(tie_word_embeddings=False), head=AutoModelForMaskedLM)
dense("bert-relative", "bert", after=lambda f: edit(f, "config.json", position_embedding_type="relative_key"))
dense("bert-bare", "bert", after=lambda f: [(f / n).unlink() for n in ("modules.json", "sentence_bert_config.json", "config_sentence_transformers.json")])
for family in ("roberta", "xlm-roberta", "camembert"):
    dense(f"{family}-96x1-relu", family, dict(hidden_size=96, num_attention_heads=1, hidden_act="relu"))
    dense(f"{family}-two-types", family, dict(type_vocab_size=2))
    dense(f"{family}-pad-0", family, dict(pad_token_id=0))
    dense(f"{family}-pad-5", family, dict(pad_token_id=5))
    dense(f"{family}-masked-lm", family, head=AutoModelForMaskedLM)
    dense(f"{family}-decoder", family, dict(is_decoder=True))
dense("distilbert-96x1-relu", "distilbert", dict(dim=96, n_heads=1, activation="relu"))
dense("distilbert-sinusoidal", "distilbert", dict(sinusoidal_pos_embds=True))
dense("distilbert-masked-lm", "distilbert", head=AutoModelForMaskedLM)
dense("mpnet-66x2-silu", "mpnet", dict(hidden_size=66, num_attention_heads=2, hidden_act="silu"))
dense("mpnet-64-buckets", "mpnet", dict(relative_attention_num_buckets=64))
dense("mpnet-pad-0", "mpnet", dict(pad_token_id=0))
dense("mpnet-masked-lm", "mpnet", head=AutoModelForMaskedLM)
dense("modernbert-96x1", "modernbert", dict(hidden_size=96, num_attention_heads=1))
dense("modernbert-odd-window", "modernbert", dict(local_attention=11))
dense("modernbert-silu", "modernbert", dict(hidden_activation="silu"))
dense("modernbert-biases", "modernbert", dict(attention_bias=True, mlp_bias=True, norm_bias=True))
dense("modernbert-every-2", "modernbert", dict(global_attn_every_n_layers=2))
dense("modernbert-types", "modernbert", dict(layer_types=["sliding_attention", "full_attention", "full_attention", "sliding_attention"]))
dense("modernbert-bases", "modernbert", dict(global_rope_theta=5000.0, local_rope_theta=300.0))
dense("modernbert-scaled", "modernbert", dict(rope_parameters={"full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 5000.0}, "sliding_attention": {"rope_type": "default", "rope_theta": 300.0}}))
dense("modernbert-yarn", "modernbert", dict(rope_parameters={"full_attention": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 5000.0, "original_max_position_embeddings": 40}, "sliding_attention": {"rope_type": "default", "rope_theta": 300.0}}))
dense("modernbert-masked-lm", "modernbert", head=AutoModelForMaskedLM)
dense("modernbert-bf16", "modernbert", dtype=torch.bfloat16)
dense("nomic_bert-72x3-gelu", "nomic_bert", dict(hidden_size=72, num_attention_heads=3, hidden_act="gelu"))
dense("nomic_bert-head-dim", "nomic_bert", dict(head_dim=20))
dense("nomic_bert-one-type", "nomic_bert", dict(type_vocab_size=1))
dense("nomic_bert-base", "nomic_bert", dict(rope_parameters={"rope_type": "default", "rope_theta": 77.0}))
dense("nomic_bert-scaled", "nomic_bert", dict(rope_parameters={"rope_type": "linear", "factor": 3.0, "rope_theta": 1000.0}))
dense("nomic_bert-dynamic", "nomic_bert", dict(rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1000.0}))
dense("gte-72x3-silu", "gte", dict(hidden_size=72, num_attention_heads=3, hidden_act="silu"))
dense("gte-no-types", "gte", dict(type_vocab_size=0))
dense("gte-two-types", "gte", dict(type_vocab_size=2))
dense("gte-head-dim", "gte", dict(head_dim=20))
dense("gte-default-base", "gte", after=lambda f: edit(f, "config.json", rope_parameters=None))
dense("gte-old-base", "gte", after=lambda f: edit(f, "config.json", rope_parameters=None, rope_theta=600.0))
dense("nomic_bert-default-base", "nomic_bert", after=lambda f: edit(f, "config.json", rope_parameters=None))
dense("qwen3-default-base", "qwen3", after=lambda f: edit(f, "config.json", rope_parameters=None))
dense("gemma3-default-bases", "gemma3_text", after=lambda f: edit(f, "config.json", rope_parameters=None))
dense("modernbert-default-bases", "modernbert", after=lambda f: edit(f, "config.json", rope_parameters=None))
dense("modernbert-no-types", "modernbert", after=lambda f: edit(f, "config.json", layer_types=None))
dense("gemma3-pattern", "gemma3_text", dict(layer_types=["sliding_attention", "full_attention"] * 2), after=lambda f: edit(f, "config.json", layer_types=None, sliding_window_pattern=2))
dense("gemma3-own-pattern", "gemma3_text", after=lambda f: edit(f, "config.json", layer_types=None, _sliding_window_pattern=2))
dense("qwen3-null-window", "qwen3", after=lambda f: edit(f, "config.json", use_sliding_window=True, sliding_window=None, layer_types=None, max_window_layers=0))
dense("gte-partial", "gte", dict(rope_parameters={"rope_type": "default", "rope_theta": 500.0, "partial_rotary_factor": 0.5}))
for keys, heads, dim in [(1, 4, 64), (2, 6, 20), (4, 4, 96), (3, 3, 128)]:
    dense(f"qwen3-{heads}/{keys}x{dim}", "qwen3", dict(num_attention_heads=heads, num_key_value_heads=keys, head_dim=dim), pooling="lasttoken")
dense("qwen3-biases", "qwen3", dict(attention_bias=True), pooling="lasttoken")
dense("qwen3-window", "qwen3", dict(use_sliding_window=True, sliding_window=9, max_window_layers=1), pooling="lasttoken")
dense("qwen3-window-all", "qwen3", dict(use_sliding_window=True, sliding_window=9, max_window_layers=0), pooling="lasttoken")
dense("qwen3-types", "qwen3", dict(use_sliding_window=True, sliding_window=9, layer_types=["full_attention", "sliding_attention"]), pooling="lasttoken")
dense("qwen3-types-no-window", "qwen3", dict(layer_types=["full_attention", "sliding_attention"]), pooling="lasttoken")
dense("qwen3-unused-window", "qwen3", dict(use_sliding_window=False, sliding_window=9, max_window_layers=1), pooling="lasttoken")
dense("qwen3-both-ways", "qwen3", dict(is_causal=False))
dense("qwen3-both-ways-window", "qwen3", dict(is_causal=False, use_sliding_window=True, sliding_window=9, max_window_layers=0))
dense("qwen3-use-both-ways", "qwen3", dict(use_bidirectional_attention=True))
dense("qwen3-linear", "qwen3", dict(rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 5000.0}), pooling="lasttoken")
dense("qwen3-yarn", "qwen3", dict(rope_parameters={"rope_type": "yarn", "factor": 4.0, "rope_theta": 5000.0, "original_max_position_embeddings": 40}), pooling="lasttoken")
dense("qwen3-partial", "qwen3", dict(rope_parameters={"rope_type": "default", "rope_theta": 5000.0, "partial_rotary_factor": 0.5}), pooling="lasttoken")
dense("qwen3-old-base", "qwen3", pooling="lasttoken", after=lambda f: edit(f, "config.json", rope_parameters=None, rope_theta=333.0, rope_scaling=None))
dense("qwen3-mean", "qwen3")
dense("qwen3-relu", "qwen3", dict(hidden_act="relu"), pooling="lasttoken")
dense("gemma3-causal", "gemma3_text", pooling="lasttoken")
dense("gemma3-both-ways", "gemma3_text", dict(use_bidirectional_attention=True))
dense("gemma3-is-causal", "gemma3_text", dict(is_causal=False))
dense("gemma3-odd-window", "gemma3_text", dict(use_bidirectional_attention=True, sliding_window=9))
dense("gemma3-cap", "gemma3_text", dict(attn_logit_softcapping=20.0))
dense("gemma3-final-cap", "gemma3_text", dict(final_logit_softcapping=20.0))
dense("gemma3-types", "gemma3_text", dict(layer_types=["full_attention", "sliding_attention", "sliding_attention", "full_attention"]))
dense("gemma3-biases-1x64", "gemma3_text", dict(attention_bias=True, num_attention_heads=3, num_key_value_heads=1, head_dim=64))
dense("gemma3-bf16", "gemma3_text", dict(use_bidirectional_attention=True), dtype=torch.bfloat16)
dense("gemma3-scaled", "gemma3_text", dict(rope_parameters={"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6}, "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}))

# ------------------------------------------------------------------ the pipeline

MODES = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
PROMPTS = dict(prompts={"query": "the question is: ", "document": "", "odd": "x"}, default_prompt_name="query")
for mode in MODES:
    dense(f"pool-{mode}", "bert", modules=lambda w, m=mode: [Pooling(w, pooling_mode=m)])
    dense(f"pool-{mode}-without-prompt", "bert", modules=lambda w, m=mode: [Pooling(w, pooling_mode=m, include_prompt=False)], options=PROMPTS)
    dense(f"pool-{mode}-without-prompt-qwen3", "qwen3", modules=lambda w, m=mode: [Pooling(w, pooling_mode=m, include_prompt=False)], options=PROMPTS)
dense("pool-all", "bert", modules=lambda w: [Pooling(w, pooling_mode=tuple(MODES)), Normalize()])
dense("pool-order", "bert", modules=lambda w: [Pooling(w, pooling_mode=("mean", "cls")), Normalize()])
dense("pool-old-spelling", "bert", modules=lambda w: [Pooling(w)], after=lambda f: edit(
    f, "1_Pooling/config.json", pooling_mode=None, embedding_dimension=None, word_embedding_dimension=48, pooling_mode_cls_token=True, pooling_mode_max_tokens=True, pooling_mode_mean_tokens=False))
dense("pool-both-spellings", "bert", modules=lambda w: [Pooling(w, pooling_mode="max")], after=lambda f: edit(f, "1_Pooling/config.json", pooling_mode_cls_token=True))
dense("pool-no-mode", "bert", modules=lambda w: [Pooling(w)], after=lambda f: edit(f, "1_Pooling/config.json", pooling_mode=None))
for name, act in dict(tanh=torch.nn.Tanh(), none=None, gelu=torch.nn.GELU(), relu=torch.nn.ReLU(), silu=torch.nn.SiLU(), sigmoid=torch.nn.Sigmoid(), leaky=torch.nn.LeakyReLU(), softmax=torch.nn.Softmax(-1)).items():
    dense(f"dense-{name}", "bert", modules=lambda w, a=act: [Pooling(w), randomized(Dense(w, 30, activation_function=a, bias=a is not None))])
dense("dense-residual", "bert", modules=lambda w: [Pooling(w), randomized(Dense(w, w, use_residual=True))])
dense("dense-output-name", "bert", modules=lambda w: [Pooling(w), randomized(Dense(w, 30, module_output_name="elsewhere"))])
dense("dense-tokens", "bert", modules=lambda w: [randomized(Dense(w, 30, module_input_name="token_embeddings")), Pooling(30)])
dense("dense-own-activation", "bert", modules=lambda w: [Pooling(w), randomized(Dense(w, 30))], after=lambda f: edit(f, "2_Dense/config.json", activation_function="mine.GELU"))
dense("dense-between-normalize", "bert", modules=lambda w: [Pooling(w), Normalize(), randomized(Dense(w, 30))])
dense("dense-bf16", "bert", modules=lambda w: [Pooling(w), randomized(Dense(w, 30)).to(torch.bfloat16)], dtype=torch.bfloat16)
dense("norm-of-vector", "bert", modules=lambda w: [Pooling(w), randomized(LayerNorm(w)), Dropout(0.3), Normalize()])
dense("normalize-tokens", "bert", modules=lambda w: [Normalize(module_input_name="token_embeddings"), Pooling(w)])
dense("normalize-elsewhere", "bert", modules=lambda w: [Pooling(w), Normalize(module_output_name="elsewhere")])
dense("normalize-other-input", "bert", modules=lambda w: [Pooling(w), Normalize(module_input_name="token_embeddings")])
dense("weighted-layers", "bert", dict(num_hidden_layers=4, output_hidden_states=True), modules=lambda w: [randomized(WeightedLayerPooling(w, num_hidden_layers=4, layer_start=2)), Pooling(w)])
dense("word-weights", "bert", modules=lambda w: [WordWeights(["a"], {"a": 2.0}), Pooling(w)])
dense("truncate-dim", "bert", options=dict(truncate_dim=17))
dense("truncate-dim-large", "bert", options=dict(truncate_dim=170))
dense("similarity-dot", "bert", options=dict(similarity_fn_name="dot"))
dense("prompts", "bert", options=PROMPTS)

# ------------------------------------------------------------------ lengths, and what else is said of the tokenizer


def old_limit(f, n):
    edit(f, "sentence_bert_config.json", transformer_task=None, modality_config=None, module_output_name=None, max_seq_length=n, do_lower_case=False)


dense("limit-old-9", "bert", after=lambda f: old_limit(f, 9))
dense("limit-old-null", "bert", limit=31, after=lambda f: old_limit(f, None))
dense("limit-tokenizer-9", "bert", limit=9)
dense("limit-none", "bert", limit=10**30)
dense("limit-roberta", "roberta", limit=10**30, after=lambda f: old_limit(f, 78))
dense("lower-no-class", "bert", after=lambda f: edit(f, "tokenizer_config.json", tokenizer_class=None, do_lower_case=False))
dense("limit-processor", "bert", after=lambda f: edit(f, "sentence_bert_config.json", processor_kwargs={"model_max_length": 11}))
dense("limit-tokenizer-args", "bert", after=lambda f: edit(f, "sentence_bert_config.json", tokenizer_args={"model_max_length": 11}))
dense("left-truncation", "bert", limit=9, tok_changes=dict(truncation_side="left"))
dense("left-truncation-args", "bert", limit=9, after=lambda f: edit(f, "sentence_bert_config.json", tokenizer_args={"truncation_side": "left"}))
dense("left-truncation-processing", "bert", limit=9, after=lambda f: edit(f, "sentence_bert_config.json", processing_kwargs={"text": {"truncation_side": "left"}}))
dense("limit-processing", "bert", after=lambda f: edit(f, "sentence_bert_config.json", processing_kwargs={"text": {"max_length": 7}}))
dense("no-specials-processing", "bert", after=lambda f: edit(f, "sentence_bert_config.json", processing_kwargs={"text": {"add_special_tokens": False}}))
dense("config-kwargs", "bert", after=lambda f: edit(f, "sentence_bert_config.json", config_kwargs={"hidden_act": "relu"}))
dense("config-args", "bert", after=lambda f: edit(f, "sentence_bert_config.json", config_args={"num_hidden_layers": 1}))
dense("model-args", "bert", after=lambda f: edit(f, "sentence_bert_config.json", model_args={"attn_implementation": "eager"}))
dense("pooler-output", "bert", after=lambda f: edit(f, "sentence_bert_config.json", modality_config={"text": {"method": "forward", "method_output_name": "pooler_output"}}, module_output_name="sentence_embedding"))
dense("query-length", "bert", after=lambda f: edit(f, "sentence_bert_config.json", query_length=8))
dense("padding-left", "bert", tok_changes=dict(padding_side="left"))
dense("lower-old", "bert", tokenizer=tok.wordpiece(False), after=lambda f: edit(f, "sentence_bert_config.json", do_lower_case=True))
dense("lower-config-false", "bert", after=lambda f: edit(f, "tokenizer_config.json", do_lower_case=False, tokenizer_class="BertTokenizer"))
dense("lower-config-true", "bert", tokenizer=tok.wordpiece(False), after=lambda f: edit(f, "tokenizer_config.json", do_lower_case=True, tokenizer_class="BertTokenizer"))
dense("lower-config-fast", "bert", after=lambda f: edit(f, "tokenizer_config.json", do_lower_case=False, tokenizer_class="BertTokenizerFast"))
dense("lower-config-generic", "bert", after=lambda f: edit(f, "tokenizer_config.json", do_lower_case=False))
dense("accents-config", "bert", after=lambda f: edit(f, "tokenizer_config.json", strip_accents=False, do_lower_case=True, tokenizer_class="BertTokenizer"))
dense("chinese-config", "bert", after=lambda f: edit(f, "tokenizer_config.json", tokenize_chinese_chars=False, do_lower_case=True, tokenizer_class="BertTokenizer"))
dense("prefix-space-config", "roberta", after=lambda f: edit(f, "tokenizer_config.json", add_prefix_space=True, tokenizer_class="RobertaTokenizer"))
dense("roberta-class", "roberta", after=lambda f: edit(f, "tokenizer_config.json", tokenizer_class="RobertaTokenizer"))
dense("mpnet-class", "mpnet", after=lambda f: edit(f, "tokenizer_config.json", tokenizer_class="MPNetTokenizer"))
dense("xlm-roberta-class", "xlm-roberta", after=lambda f: edit(f, "tokenizer_config.json", tokenizer_class="XLMRobertaTokenizer"))
dense("qwen2-class", "qwen3", pooling="lasttoken", after=lambda f: edit(f, "tokenizer_config.json", tokenizer_class="Qwen2Tokenizer"))
dense("gemma-class", "gemma3_text", after=lambda f: edit(f, "tokenizer_config.json", tokenizer_class="GemmaTokenizer"))
dense("add-eos-config", "qwen3", pooling="lasttoken", after=lambda f: edit(f, "tokenizer_config.json", add_eos_token=True, tokenizer_class="Qwen2Tokenizer"))
dense("added-in-config", "bert", after=lambda f: edit(f, "tokenizer_config.json", added_tokens_decoder={
    **{str(i): {"content": c, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True} for i, c in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])},
    "299": {"content": "batch", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False, "special": False}}, tokenizer_class="BertTokenizer"))
dense("too-many-tokens", "bert", extra_rows=-20)


def truncated(f):
    t = json.loads((f / "tokenizer.json").read_text())
    t["truncation"] = {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}
    t["padding"] = {"strategy": {"Fixed": 30}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}
    (f / "tokenizer.json").write_text(json.dumps(t))


dense("tokenizer-truncates", "bert", after=truncated)


def vocabulary_alone(f, **config):
    t = json.loads((f / "tokenizer.json").read_text())
    (f / "tokenizer.json").unlink()
    words = sorted(t["model"]["vocab"], key=t["model"]["vocab"].get)
    (f / "vocab.txt").write_text("\n".join(words) + "\n")
    edit(f, "tokenizer_config.json", tokenizer_class="BertTokenizer", **config)


dense("vocab-alone", "bert", after=lambda f: vocabulary_alone(f, do_lower_case=True))
dense("vocab-alone-cased", "bert", after=lambda f: vocabulary_alone(f, do_lower_case=False))
dense("vocab-alone-default", "bert", after=vocabulary_alone)

# ------------------------------------------------------------------ static embeddings


def static(name, edit_tensors, normalize=False):
    def build(folder):
        t, _ = tok.wordpiece()
        torch.manual_seed(5)
        weights = torch.randn(t.get_vocab_size(), 24)
        modules = [StaticEmbedding(t, embedding_weights=weights)] + ([Normalize()] if normalize else [])
        SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder), create_model_card=False)
        if edit_tensors:
            from safetensors.torch import save_file
            place = next(folder.rglob("model.safetensors"))
            save_file(edit_tensors(weights), place)
    add(name, "dense", build)


static("static", None)
static("static-normalized", None, True)
static("static-f16", lambda w: {"embedding.weight": w.half()})
static("static-model2vec", lambda w: {"embeddings": w.half()})
static("static-model2vec-mapping", lambda w: {"embeddings": w[:50].contiguous(), "mapping": torch.arange(len(w)) % 50})
static("static-model2vec-weights", lambda w: {"embeddings": w, "weights": torch.rand(len(w), dtype=torch.float64)})
static("static-int8", lambda w: {"embeddings": (w * 20).to(torch.int8)})

# ------------------------------------------------------------------ rerankers and classifiers


def pairs(name, family, labels, changes=None, after=None, saved=False, **o):
    def build(folder):
        encoder(folder, family, {**dict(num_labels=labels), **(changes or {})}, head=AutoModelForSequenceClassification, seed=len(name), **o)
        if after:
            after(folder)
        if saved:
            from sentence_transformers import CrossEncoder
            with tempfile.TemporaryDirectory() as out:
                CrossEncoder(str(folder), device="cpu").save_pretrained(out)
                shutil.copytree(out, folder, dirs_exist_ok=True)
    add(name, "pairs", build)


for family in ("bert", "roberta", "xlm-roberta", "camembert", "distilbert", "mpnet", "modernbert", "nomic_bert", "gte", "qwen3", "gemma3_text"):
    more = dict(pad_token_id=0) if family in ("qwen3", "gemma3_text") else {}
    pairs(f"pairs-{family}-1", family, 1, more)
    pairs(f"pairs-{family}-3", family, 3, more)
    pairs(f"pairs-{family}-saved", family, 1, more, saved=True)
pairs("pairs-modernbert-mean", "modernbert", 1, dict(classifier_pooling="mean", classifier_activation="silu", classifier_bias=True, norm_bias=True))
pairs("pairs-bert-one-type", "bert", 1, dict(type_vocab_size=1))
pairs("pairs-bert-no-types-input", "bert", 1, tok_changes=dict(model_input_names=["input_ids", "attention_mask"]))
pairs("pairs-bert-types-input", "bert", 1, tok_changes=dict(model_input_names=["input_ids", "token_type_ids", "attention_mask"]))
pairs("pairs-gte-two-types", "gte", 1, dict(type_vocab_size=2), tokenizer=tok.wordpiece())
pairs("pairs-roberta-two-types", "roberta", 1, dict(type_vocab_size=2))
pairs("pairs-nomic-types", "nomic_bert", 1, tok_changes=dict(model_input_names=["input_ids", "attention_mask"]))
pairs("pairs-bert-short", "bert", 1, limit=12)
pairs("pairs-bert-left", "bert", 1, limit=12, tok_changes=dict(truncation_side="left"))
pairs("pairs-bert-num-labels", "bert", 1, after=lambda f: edit(f, "config.json", id2label=None, label2id=None, num_labels=1))
pairs("pairs-bert-identity", "bert", 1, after=lambda f: edit(f, "config.json", sentence_transformers={"activation_fn": "torch.nn.modules.linear.Identity", "version": "4.1"}))
pairs("pairs-bert-tanh", "bert", 1, after=lambda f: edit(f, "config.json", sentence_transformers={"activation_fn": "torch.nn.modules.activation.Tanh", "version": "4.1"}))
pairs("pairs-bert-old-sigmoid", "bert", 3, after=lambda f: edit(f, "config.json", sbert_ce_default_activation_function="torch.nn.modules.activation.Sigmoid"))
pairs("pairs-bert-own-activation", "bert", 1, after=lambda f: edit(f, "config.json", sentence_transformers={"activation_fn": "mine.Identity", "version": "4.1"}))
pairs("pairs-bert-hidden-relu", "bert", 1, dict(hidden_act="relu"))
pairs("pairs-bert-prompts", "bert", 1, saved=True, after=lambda f: edit(f, "config_sentence_transformers.json", prompts={"query": "find: "}, default_prompt_name="query"))

# ------------------------------------------------------------------ sparse


def sparse(name, family, changes=None, after=None, strategy="max", activation="relu", first=MLMTransformer, make=None, **o):
    def build(folder):
        encoder(folder, family, changes, head=AutoModelForMaskedLM, seed=len(name), **o)
        pipeline(folder, [SpladePooling(pooling_strategy=strategy, activation_function=activation)], SparseEncoder,
                 make or (lambda f: Transformer(f, transformer_task="fill-mask")))
        if after:
            after(folder)
    add(name, "sparse", build)


for family in ("bert", "roberta", "xlm-roberta", "camembert", "distilbert", "mpnet", "modernbert"):
    sparse(f"sparse-{family}", family)
    sparse(f"sparse-{family}-sum", family, strategy="sum")
    sparse(f"sparse-{family}-untied", family, dict(tie_word_embeddings=False))
    act = {"distilbert": "activation", "modernbert": "hidden_activation"}.get(family, "hidden_act")
    sparse(f"sparse-{family}-relu", family, {act: "relu"})
sparse("sparse-bert-log1p", "bert", activation="log1p_relu")
sparse("sparse-bert-old", "bert", make=MLMTransformer)
sparse("sparse-modernbert-head", "modernbert", dict(classifier_activation="silu", classifier_bias=True, norm_bias=True))
sparse("sparse-modernbert-no-decoder-bias", "modernbert", dict(decoder_bias=False))
sparse("sparse-bert-eps", "bert", dict(layer_norm_eps=0.05))
sparse("sparse-nomic_bert", "nomic_bert")
sparse("sparse-bert-f16", "bert", dtype=torch.float16)
