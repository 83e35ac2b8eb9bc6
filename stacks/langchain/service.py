"""HuggingFaceEmbeddings of LangChain behind POST /embed: each request by itself, no queue between requests."""

from contextlib import asynccontextmanager
from os import environ

import torch
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from langchain_huggingface import HuggingFaceEmbeddings
from pydantic import BaseModel

MODEL = environ.get("MODEL", "sentence-transformers/all-MiniLM-L6-v2")
MODEL_NAME = environ.get("MODEL_NAME", "all-MiniLM-L6-v2")
THREADS = int(environ.get("THREADS", "0"))  # 0: PyTorch's own choice
BATCH_TEXTS = int(environ.get("BATCH_TEXTS", "32"))
NORMALIZE = environ.get("NORMALIZE", "true") == "true"


@asynccontextmanager
async def lifespan(app: FastAPI):
    if THREADS:
        torch.set_num_threads(THREADS)
    app.state.embeddings = HuggingFaceEmbeddings(
        model_name=MODEL,
        model_kwargs={"device": "cuda" if torch.cuda.is_available() else "cpu"},
        encode_kwargs={"batch_size": BATCH_TEXTS, "normalize_embeddings": NORMALIZE},
    )
    app.state.embeddings.embed_query("ready")  # the first call allocates
    yield


app = FastAPI(title="Text embeddings: LangChain", lifespan=lifespan)


class EmbedRequest(BaseModel):
    texts: list[str]


@app.post("/embed")
def embed(body: EmbedRequest, request: Request) -> Response:
    """Runs in the server's thread pool, as a plain function does in FastAPI."""
    vectors = request.app.state.embeddings.embed_documents(body.texts) if body.texts else []
    return JSONResponse(
        {
            "embeddings": vectors,
            "model": MODEL_NAME,
            "num_embeddings": len(vectors),
            "embedding_dim": len(vectors[0]) if vectors else 0,
        }
    )


@app.get("/health")
async def health() -> dict:
    return {
        "status": "healthy",
        "backend": "huggingface",
        "model": MODEL_NAME,
        "gpu_available": torch.cuda.is_available(),
    }
