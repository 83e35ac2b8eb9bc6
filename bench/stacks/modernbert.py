"""Random weights in the shape of ModernBERT-base, as a repository that every stack can serve.

    python bench/stacks/modernbert.py --tokenizer "$(paceline models pull all-MiniLM-L6-v2)" --out modernbert-shape

needs torch and transformers, which the environment of an installed stack has. What the vectors mean is nothing; what they cost
is what ModernBERT-base's cost: 22 layers, 768 wide, every third with full attention, and a vocabulary of 50,368, of which the
tokenizer given uses a part. Mean pooling and normalising are asked for by name, because the stacks' own choices for the bare
model differ. Texts are cut at 512 tokens.
"""

import argparse
import json
import pathlib
import shutil

import torch
from transformers import AutoTokenizer, ModernBertConfig, ModernBertModel

MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]

# What the published model's config.json calls things, and transformers no longer writes: other engines read these names.
AS_PUBLISHED = {"global_rope_theta": 160000.0, "local_rope_theta": 10000.0, "global_attn_every_n_layers": 3}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True, help="folder whose tokenizer it gets")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    o = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(o.tokenizer)
    torch.manual_seed(o.seed)
    config = ModernBertConfig(
        pad_token_id=tokenizer.pad_token_id,
        cls_token_id=tokenizer.cls_token_id,
        bos_token_id=tokenizer.cls_token_id,
        sep_token_id=tokenizer.sep_token_id,
        eos_token_id=tokenizer.sep_token_id,
    )
    ModernBertModel(config).save_pretrained(o.out)
    written = o.out / "config.json"
    written.write_text(json.dumps(json.loads(written.read_text()) | AS_PUBLISHED, indent=2) + "\n")
    for name in ("tokenizer.json", "special_tokens_map.json", "vocab.txt"):
        if (o.tokenizer / name).exists():
            shutil.copy(o.tokenizer / name, o.out / name)
    settings = json.loads((o.tokenizer / "tokenizer_config.json").read_text()) | {"model_input_names": ["input_ids", "attention_mask"]}
    (o.out / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")  # it has no segments
    (o.out / "1_Pooling").mkdir(exist_ok=True)
    (o.out / "2_Normalize").mkdir(exist_ok=True)
    pooling = {"word_embedding_dimension": config.hidden_size, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
    for name, value in (
        ("modules.json", MODULES),
        ("1_Pooling/config.json", pooling),
        ("sentence_bert_config.json", {"max_seq_length": 512, "do_lower_case": False}),
    ):
        (o.out / name).write_text(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    main()
