"""How many tokens of a text a model reads."""

import json
from pathlib import Path


def max_tokens(folder: str, fallback: int) -> int:
    """What the sentence-transformers pipeline says, or else the tokenizer."""
    settings = Path(folder) / "sentence_bert_config.json"
    if settings.exists():
        limit = json.loads(settings.read_text()).get("max_seq_length")
        if limit:
            return int(limit)
    return fallback
