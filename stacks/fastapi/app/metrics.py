"""Prometheus metrics, by the names that dashboards of such services use."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("embedding_requests_total", "Embedding requests", ["model", "type"])
EMBEDDINGS = Counter("embeddings_generated_total", "Embeddings generated", ["model"])
DURATION = Histogram("embedding_duration_seconds", "Time of one batch in the model", ["model"])
BATCH_SIZE = Histogram(
    "embedding_batch_size", "Texts in a batch", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
)
QUEUE_SIZE = Gauge("embedding_queue_size", "Requests waiting for a batch")
ACTIVE = Gauge("active_embedding_requests", "Requests being answered")
