"""The window policy: requests wait together, at most so long, then run as one batch."""

import asyncio
import logging
from dataclasses import dataclass, field

import numpy as np

from .encoder import Encoder
from .settings import Settings

log = logging.getLogger(__name__)


class Overloaded(Exception):
    """The queue is full; the client should come back later."""


@dataclass
class Pending:
    """One request in the queue."""

    texts: list[str]
    done: asyncio.Future = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@dataclass(frozen=True)
class Encoded:
    """One request's vectors and the batch it travelled in."""

    vectors: np.ndarray
    batch_requests: int
    batch_texts: int
    seconds: float


class Batcher:
    """Collects requests from a bounded queue and encodes them in batches.

    A batch is closed when max_batch_requests are in it or max_wait_seconds have
    passed since its first request; target_batch_requests closes it early once
    the queue is empty, because waiting longer would only cost latency.
    """

    def __init__(self, encoder: Encoder, settings: Settings):
        self._encoder = encoder
        self._settings = settings
        self._queue: asyncio.Queue[Pending] = asyncio.Queue(maxsize=settings.queue_requests)
        self._task: asyncio.Task | None = None
        self.processed_batches = 0
        self.total_embeddings = 0
        self.on_batch = lambda batch: None

    @property
    def queue_size(self) -> int:
        return self._queue.qsize()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="batcher")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def encode(self, texts: list[str]) -> Encoded:
        pending = Pending(texts)
        try:
            self._queue.put_nowait(pending)
        except asyncio.QueueFull:
            raise Overloaded(f"queue of {self._queue.maxsize} requests is full") from None
        return await pending.done

    async def _run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            await self._collect(batch)
            batch = [p for p in batch if not p.done.cancelled()]  # clients that left cost nothing
            if batch:
                await self._process(batch)

    async def _collect(self, batch: list[Pending]) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.max_wait_seconds
        while len(batch) < self._settings.max_batch_requests:
            if len(batch) >= self._settings.target_batch_requests and self._queue.empty():
                return
            try:
                batch.append(await asyncio.wait_for(self._queue.get(), deadline - loop.time()))
            except TimeoutError:
                return

    async def _process(self, batch: list[Pending]) -> None:
        texts = [text for pending in batch for text in pending.texts]
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            vectors = await self._encoder.encode(texts)
        except Exception as error:  # every request of the batch must be answered
            log.exception("batch of %d requests failed", len(batch))
            for pending in batch:
                _fail(pending, error)
            return
        self._count(len(texts))
        self._deliver(batch, vectors, loop.time() - started)

    def _count(self, texts: int) -> None:
        self.processed_batches += 1
        self.total_embeddings += texts

    def _deliver(self, batch: list[Pending], vectors: np.ndarray, seconds: float) -> None:
        start = 0
        for pending in batch:
            end = start + len(pending.texts)
            if not pending.done.done():
                pending.done.set_result(Encoded(vectors[start:end], len(batch), len(vectors), seconds))
            start = end
        self.on_batch(Encoded(vectors, len(batch), len(vectors), seconds))


def _fail(pending: Pending, error: Exception) -> None:
    if not pending.done.done():
        pending.done.set_exception(error)
