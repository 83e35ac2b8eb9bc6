"""What the service is told from outside: environment variables, read once."""

from dataclasses import dataclass
from os import environ


@dataclass(frozen=True)
class Settings:
    model: str = environ.get("MODEL", "sentence-transformers/all-MiniLM-L6-v2")
    model_name: str = environ.get("MODEL_NAME", "all-MiniLM-L6-v2")
    threads: int = int(environ.get("THREADS", "0"))  # 0: PyTorch's own choice
    queue_requests: int = int(environ.get("QUEUE_REQUESTS", "500"))
    max_batch_requests: int = int(environ.get("MAX_BATCH_REQUESTS", "64"))
    target_batch_requests: int = int(environ.get("TARGET_BATCH_REQUESTS", "32"))
    max_wait_seconds: float = float(environ.get("MAX_WAIT_MS", "50")) / 1000
    encode_batch_texts: int = int(environ.get("ENCODE_BATCH_TEXTS", "64"))
    max_corpus_texts: int = 10_000
