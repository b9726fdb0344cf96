"""One request to the engine, seen from the event loop.

The engine's replies arrive on its reader thread and go into a queue. When the client or the code
here leaves early, the request is cancelled. A request is over when its terminal event arrives;
until then it keeps its place.
"""

import asyncio
import time
from concurrent.futures import Executor, Future
from contextlib import suppress
from types import TracebackType
from typing import Self

from starlette.types import Receive

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.generation import (
    Cancelled,
    CountTokens,
    Embed,
    Embedded,
    Finished,
    Generate,
    GenerationStats,
    TextDelta,
    ThinkingDelta,
)
from chatdesk.core.models import ModelFile
from chatdesk.core.protocol import Terminal
from chatdesk.server.metrics import Metrics, Stage
from chatdesk.server.serving import ServingService
from chatdesk.services.engine.process import Reply


class ClientGone(Exception):
    """The client closed its connection; there is nobody to answer."""


class Ask:
    """A request to the engine. Use it with `async with`.

    `receive` is the ASGI channel of a request whose body was read: its next message is the
    disconnect. Blocking calls run on `threads`.
    """

    def __init__(
        self,
        serving: ServingService,
        threads: Executor,
        metrics: Metrics,
        model: str,
        request: Generate | Embed | CountTokens,
        receive: Receive,
    ) -> None:
        self._serving = serving
        self._threads = threads
        self._metrics = metrics
        self._model = model
        self._request = request
        self._receive = receive
        self._stage: Stage | None = None
        self._queue: asyncio.Queue[Reply | Exception] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._asked = time.monotonic()
        self._speaking = False

    async def __aenter__(self) -> Self:
        self._move(Stage.WAITING)
        self._begun: Future[ModelFile | None] = self._threads.submit(self._begin)
        self._watcher = asyncio.create_task(self._watch_client())
        return self

    async def next(self) -> Reply:
        """Return the next reply. Raises `ClientGone`, or the problem that prevented the request."""
        item = await self._queue.get()
        if isinstance(item, ClientGone):
            raise item
        self._count(item)
        if isinstance(item, Exception | Terminal):
            self._move(Stage.ENDED)
        elif self._stage is Stage.WAITING:
            self._move(Stage.RUNNING)
        if isinstance(item, Exception):
            raise item
        return item

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watcher.cancel()
        if self._stage is not Stage.ENDED:
            self._threads.submit(self._cancel)
        while self._stage is not Stage.ENDED:
            try:
                await self.next()
            except asyncio.CancelledError:
                self._move(Stage.ENDED)  # the server ends; the engine still gets a cancel
                raise
            except (ClientGone, EnvironmentProblem):
                continue  # there is already another outcome

    def _count(self, item: Reply | Exception) -> None:
        match item:
            case TextDelta() | ThinkingDelta():
                if not self._speaking:
                    self._speaking = True
                    self._metrics.first_token(time.monotonic() - self._asked)
            case Finished(stats=stats) | Cancelled(stats=stats) if stats:
                self._metrics.finished(stats)
                self._threads.submit(self._note, stats)
            case Embedded():
                self._metrics.read(item.tokens)

    def _move(self, stage: Stage) -> None:
        self._metrics.moved(self._stage, stage)
        self._stage = stage

    async def _watch_client(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._queue.put_nowait(ClientGone())

    # On other threads

    def _begin(self) -> ModelFile | None:
        try:
            return self._serving.submit(self._model, self._request, self._bring)
        except Exception as problem:
            self._bring(problem)
            return None

    def _note(self, stats: GenerationStats) -> None:
        if model := self._begun.result():
            self._serving.note(model, stats)

    def _cancel(self) -> None:
        self._begun.result()  # a request that was not submitted cannot be cancelled
        self._serving.cancel(self._request.request_id)

    def _bring(self, item: Reply | Exception) -> None:
        with suppress(RuntimeError):  # the server and its loop have ended
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)
