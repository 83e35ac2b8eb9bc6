"""The HTTP API."""

import time
from contextlib import asynccontextmanager
from typing import Annotated, Any

import numpy as np
from fastapi import Body, Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from . import metrics
from .batching import Batcher, Encoded, Overloaded
from .encoder import Encoder, normalized
from .settings import Settings
from .similarity import METHODS

settings = Settings()


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.encoder = Encoder(settings)
    app.state.batcher = Batcher(app.state.encoder, settings)
    app.state.batcher.on_batch = _observe_batch
    app.state.batcher.start()
    yield
    await app.state.batcher.stop()
    app.state.encoder.close()


app = FastAPI(title="Text embeddings: FastAPI + PyTorch", lifespan=lifespan)


def _observe_batch(batch: Encoded) -> None:
    metrics.DURATION.labels(settings.model_name).observe(batch.seconds)
    metrics.EMBEDDINGS.labels(settings.model_name).inc(batch.batch_texts)
    metrics.BATCH_SIZE.observe(batch.batch_texts)
    metrics.QUEUE_SIZE.set(app.state.batcher.queue_size)


@app.exception_handler(Overloaded)
async def overloaded(_: Request, error: Overloaded) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=503, headers={"Retry-After": "1"})


class Embeddings(BaseModel):
    """The request as one JSON object; a bare string or list is accepted as well."""

    texts: str | list[str]
    normalize: bool = True
    use_batching: bool = True


class Similarity(BaseModel):
    texts1: list[str]
    texts2: list[str]
    method: str = "cosine"
    normalize: bool = True


class Search(BaseModel):
    query: str
    corpus: list[str]
    top_k: int = 10
    similarity_method: str = "cosine"


def _embeddings_request(
    body: Annotated[Embeddings | list[str] | str, Body()], normalize: bool = True, use_batching: bool = True
) -> Embeddings:
    if isinstance(body, Embeddings):
        return body
    return Embeddings(texts=body, normalize=normalize, use_batching=use_batching)


@app.post("/embeddings")
async def create_embeddings(request: Annotated[Embeddings, Depends(_embeddings_request)]) -> Response:
    texts = [request.texts] if isinstance(request.texts, str) else request.texts
    return await _answer(texts, request.normalize, request.use_batching)


@app.post("/embeddings/batch")
async def create_batch_embeddings(request: Annotated[Embeddings, Depends(_embeddings_request)]) -> Response:
    limit = 2 * settings.max_batch_requests
    texts = [request.texts] if isinstance(request.texts, str) else request.texts
    if len(texts) > limit:
        raise HTTPException(400, f"batch of {len(texts)} texts is over the limit of {limit}: send several requests")
    return await _answer(texts, request.normalize, use_batching=True)


async def _answer(texts: list[str], normalize: bool, use_batching: bool) -> Response:
    started = time.perf_counter()
    encoded = await _encode(texts, use_batching)
    vectors = normalized(encoded.vectors) if normalize else encoded.vectors
    reply: dict[str, Any] = {
        "embeddings": vectors.tolist(),
        "model": settings.model_name,
        "embedding_dim": app.state.encoder.dimension,
        "num_embeddings": len(texts),
        "processing_time_ms": (time.perf_counter() - started) * 1000,
        "normalized": normalize,
    }
    if use_batching:
        reply |= {"batch_size": encoded.batch_requests, "total_batch_texts": encoded.batch_texts}
    return JSONResponse(reply)  # the shape is ours: validating every float again would cost more than the model


async def _encode(texts: list[str], use_batching: bool) -> Encoded:
    kind = "batch" if use_batching else "direct"
    if not texts:
        return Encoded(np.zeros((0, app.state.encoder.dimension), np.float32), 1, 0, 0.0)
    with metrics.ACTIVE.track_inprogress():
        try:
            encoded = await (app.state.batcher.encode(texts) if use_batching else _encode_directly(texts))
        except Exception:
            metrics.REQUESTS.labels(settings.model_name, "error").inc()
            raise
    metrics.REQUESTS.labels(settings.model_name, kind).inc()
    return encoded


async def _encode_directly(texts: list[str]) -> Encoded:
    started = time.perf_counter()
    vectors = await app.state.encoder.encode(texts)
    encoded = Encoded(vectors, 1, len(texts), time.perf_counter() - started)
    _observe_batch(encoded)
    return encoded


def _similarity_request(body: Similarity, method: str | None = None, normalize: bool | None = None) -> Similarity:
    return body.model_copy(update=_given(method=method, normalize=normalize))


@app.post("/similarity")
async def similarity(request: Annotated[Similarity, Depends(_similarity_request)]) -> Response:
    method = _method(request.method)
    a = await _vectors(request.texts1, request.normalize)
    b = await _vectors(request.texts2, request.normalize)
    matrix = method(a, b)
    return JSONResponse(
        {
            "similarities": matrix.tolist(),
            "method": request.method,
            "shape": list(matrix.shape),
            "texts1_count": len(a),
            "texts2_count": len(b),
        }
    )


def _search_request(
    body: Annotated[Search | list[str], Body()],
    query: str | None = None,
    top_k: int | None = None,
    similarity_method: str | None = None,
) -> Search:
    given = _given(query=query, top_k=top_k, similarity_method=similarity_method)
    if isinstance(body, Search):
        return body.model_copy(update=given)
    if query is None:
        raise HTTPException(422, "a bare list is the corpus: give the query as ?query=")
    return Search(corpus=body, **given)


def _given(**parameters: Any) -> dict[str, Any]:
    """The query parameters that were sent; they win over the body's fields."""
    return {name: value for name, value in parameters.items() if value is not None}


@app.post("/search")
async def search(request: Annotated[Search, Depends(_search_request)]) -> Response:
    if len(request.corpus) > settings.max_corpus_texts:
        raise HTTPException(
            400, f"corpus of {len(request.corpus)} texts is over the limit of {settings.max_corpus_texts:,}"
        )
    method = _method(request.similarity_method)
    started = time.perf_counter()
    corpus = await _vectors(request.corpus, normalize=True)
    query = await _vectors([request.query], normalize=True)
    scores = method(query, corpus)[0] if len(corpus) else np.zeros(0)
    best = np.argsort(-scores, kind="stable")[: max(request.top_k, 0)]
    return JSONResponse(
        {
            "query": request.query,
            "results": [
                {"text": request.corpus[i], "similarity": float(scores[i]), "index": int(i)} for i in best
            ],
            "search_time_ms": (time.perf_counter() - started) * 1000,
            "corpus_size": len(request.corpus),
            "similarity_method": request.similarity_method,
        }
    )


def _method(name: str):
    if name not in METHODS:
        raise HTTPException(400, f"unknown similarity method {name!r}: one of {', '.join(METHODS)}")
    return METHODS[name]


async def _vectors(texts: list[str], normalize: bool) -> np.ndarray:
    vectors = (await _encode(texts, use_batching=True)).vectors
    return normalized(vectors) if normalize else vectors


def _stats() -> dict[str, Any]:
    batcher = app.state.batcher
    return {
        "model_name": settings.model_name,
        "device": app.state.encoder.device,
        "processed_batches": batcher.processed_batches,
        "total_embeddings": batcher.total_embeddings,
        "avg_batch_size": batcher.total_embeddings / max(batcher.processed_batches, 1),
        "queue_size": batcher.queue_size,
        "max_batch_size": settings.max_batch_requests,
        "target_batch_size": settings.target_batch_requests,
    }


@app.get("/health")
async def health() -> dict[str, Any]:
    return {"status": "healthy", **_stats()}


@app.get("/stats")
async def stats() -> dict[str, Any]:
    return _stats()


@app.get("/metrics")
async def metrics_page() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
