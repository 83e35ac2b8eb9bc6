"""The vLLM engine behind POST /embed: continuous batching, every request joins the running engine at once."""

import asyncio
from contextlib import asynccontextmanager
from os import environ
from uuid import uuid4

import torch
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from vllm import AsyncEngineArgs, PoolingParams
from vllm.v1.engine.async_llm import AsyncLLM

MODEL = environ.get("MODEL", "sentence-transformers/all-MiniLM-L6-v2")
MODEL_NAME = environ.get("MODEL_NAME", "all-MiniLM-L6-v2")
DTYPE = environ.get("DTYPE", "auto")
PARAMETERS = PoolingParams(task="embed")
TRUNCATE = {"truncate_prompt_tokens": -1}  # to what the model takes


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.engine = AsyncLLM.from_engine_args(AsyncEngineArgs(model=MODEL, runner="pooling", dtype=DTYPE))
    yield
    app.state.engine.shutdown()


app = FastAPI(title="Text embeddings: vLLM", lifespan=lifespan)


class EmbedRequest(BaseModel):
    texts: list[str]


@app.post("/embed")
async def embed(body: EmbedRequest, request: Request) -> Response:
    engine = request.app.state.engine
    async with asyncio.TaskGroup() as group:  # one text that fails ends the others of its request
        tasks = [group.create_task(_vector(engine, text)) for text in body.texts]
    vectors = [task.result() for task in tasks]
    return JSONResponse(
        {
            "embeddings": vectors,
            "model": MODEL_NAME,
            "num_embeddings": len(vectors),
            "embedding_dim": len(vectors[0]) if vectors else 0,
        }
    )


async def _vector(engine: AsyncLLM, text: str) -> list[float]:
    last = None
    async for last in engine.encode(text, PARAMETERS, uuid4().hex, tokenization_kwargs=dict(TRUNCATE)):
        pass
    return last.outputs.data.tolist()


@app.get("/health")
async def health(request: Request) -> dict:
    await request.app.state.engine.check_health()
    return {
        "status": "healthy",
        "backend": "vllm",
        "model": MODEL_NAME,
        "gpu_available": torch.cuda.is_available(),
    }
