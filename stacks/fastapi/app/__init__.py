"""Text embeddings with FastAPI, PyTorch and sentence-transformers."""
