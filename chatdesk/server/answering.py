"""Responses that the engine produces: an answer, whole or as a stream, and embeddings."""

import asyncio
import base64
import struct
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from chatdesk.core.generation import (
    Cancelled,
    Embedded,
    Failed,
    Finished,
    PromptProgress,
    TextDelta,
    ThinkingDelta,
)
from chatdesk.core.i18n import plain, tr
from chatdesk.server.asking import Ask, ClientGone
from chatdesk.server.errors import ApiError, json_response, of_failure, of_problem, try_later
from chatdesk.server.serving import ServingService
from chatdesk.server.wording import Delta, Document, Wording
from chatdesk.services.engine.process import EngineLost, Reply

SEND_TIMEOUT_S = 60.0  # a client that reads nothing for so long counts as gone
SSE_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
]


class AnswerResponse:
    """A generated answer as an ASGI response; `make_ask` starts the request to the engine."""

    def __init__(
        self,
        make_ask: Callable[[Receive], Ask],
        make_wording: Callable[[], Wording],
        serving: ServingService,
        *,
        stream: bool,
        usage_wanted: bool,
    ) -> None:
        self._make_ask = make_ask
        self._make_wording = make_wording
        self._serving = serving
        self._stream = stream
        self._usage_wanted = usage_wanted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer. Raises `ApiError` or `EnvironmentProblem` before the first byte."""
        async with self._make_ask(receive) as ask:
            if self._stream:
                await self._send_stream(ask, send)
                return
            document = await self._whole(ask)
        await json_response(document)(scope, receive, send)

    async def _whole(self, ask: Ask) -> Document:
        deltas: list[Delta] = []
        while not isinstance(reply := await self._next(ask), Finished):
            if isinstance(reply, TextDelta | ThinkingDelta):
                deltas.append(reply)
        return self._make_wording().whole(deltas, reply)

    async def _send_stream(self, ask: Ask, send: Send) -> None:
        """Send server-sent events. A failure before the first reply is an ordinary error."""
        reply = await self._next(ask)
        wording = self._make_wording()
        await send({"type": "http.response.start", "status": 200, "headers": SSE_HEADERS})
        if opening := wording.opening():
            await _send_event(send, opening)
        try:
            while not isinstance(reply, Finished):
                if isinstance(reply, TextDelta | ThinkingDelta):
                    await _send_event(send, wording.chunk(reply))
                reply = await self._next(ask)
            await _send_event(send, wording.closing(reply))
            if self._usage_wanted:
                await _send_event(send, wording.usage_chunk(reply))
        except ApiError as error:
            await _send_event(send, error.document())
        await _send_data(send, b"[DONE]", more=False)

    async def _next(self, ask: Ask) -> Reply:
        """Return the next reply that is not a failure. Raises `ApiError` for a failure."""
        reply = await ask.next()
        if not isinstance(reply, TextDelta | ThinkingDelta | PromptProgress | Finished):
            raise bad_news(reply, self._serving)
        return reply


class EmbeddingResponse:
    """Vectors as an ASGI response; base64 holds little-endian 32-bit floats."""

    def __init__(
        self,
        make_ask: Callable[[Receive], Ask],
        serving: ServingService,
        *,
        as_base64: bool,
    ) -> None:
        self._make_ask = make_ask
        self._serving = serving
        self._as_base64 = as_base64

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the vectors. Raises `ApiError` or `EnvironmentProblem`."""
        async with self._make_ask(receive) as ask:
            reply = await ask.next()
        if not isinstance(reply, Embedded):
            raise bad_news(reply, self._serving)
        await json_response(self._document(reply))(scope, receive, send)

    def _document(self, embedded: Embedded) -> Document:
        data = [
            {"object": "embedding", "index": index, "embedding": self._vector(vector)}
            for index, vector in enumerate(embedded.vectors)
        ]
        model = model_id(self._serving)
        usage = {"prompt_tokens": embedded.tokens, "total_tokens": embedded.tokens}
        return {"object": "list", "data": data, "model": model, "usage": usage}

    def _vector(self, vector: tuple[float, ...]) -> Any:
        if not self._as_base64:
            return vector
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def model_id(serving: ServingService) -> str:
    """The id of the model in use."""
    model = serving.status.model
    return model.id if model else ""


def bad_news(reply: Reply, serving: ServingService) -> ApiError:
    """Return the error for a reply that is not an answer."""
    match reply:
        case Failed():
            model = serving.status.model
            return of_failure(reply, model.header.name if model else "")
        case EngineLost():
            return of_problem(reply.problem)
        case Cancelled():
            return try_later(tr("The answer was stopped."), "stopped")
        case _:
            raise TypeError(f"a {type(reply).__name__} for an answer")


async def _send_event(send: Send, document: Document) -> None:
    await _send_data(send, msgspec.json.encode(document, enc_hook=plain))


async def _send_data(send: Send, data: bytes, *, more: bool = True) -> None:
    body = b"data: " + data + b"\n\n"
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await send({"type": "http.response.body", "body": body, "more_body": more})
    except TimeoutError:
        raise ClientGone from None
