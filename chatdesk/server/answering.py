"""Responses that the engine produces: answers, whole or as a stream, and embeddings."""

import base64
import struct
from collections.abc import Callable, Sequence
from typing import Any

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
from chatdesk.core.i18n import tr
from chatdesk.server.asking import Ask
from chatdesk.server.choices import Choices
from chatdesk.server.dimensions import shortened
from chatdesk.server.errors import ApiError, json_response, of_failure, of_problem, try_later
from chatdesk.server.serving import ServingService
from chatdesk.server.wording.base import Document, Wording, WrittenAnswer
from chatdesk.services.engine.process import EngineLost, Reply

MakeAsk = Callable[[Receive], Ask]


class AnswerResponse:
    """Generated answers as an ASGI response; each of `make_asks` starts a request to the engine.

    `make_wording` gets the id of the model that answers.
    """

    def __init__(
        self,
        make_asks: Sequence[MakeAsk],
        make_wording: Callable[[str], Wording],
        serving: ServingService,
        *,
        stream: bool,
    ) -> None:
        self._make_asks = make_asks
        self._make_wording = make_wording
        self._serving = serving
        self._stream = stream
        self._answers = [WrittenAnswer() for _ in make_asks]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answers. Raises `ApiError` or `EnvironmentProblem` before the first byte."""
        makers = [lambda make=make: make(receive) for make in self._make_asks]
        async with Choices(makers) as choices:
            if self._stream:
                await self._send_stream(choices, send)
                return
            while not self._complete:
                self._take(*await choices.next())
        document = self._wording().whole(self._answers)
        await json_response(document)(scope, receive, send)

    @property
    def _complete(self) -> bool:
        return all(answer.finished for answer in self._answers)

    def _wording(self) -> Wording:
        return self._make_wording(model_id(self._serving))

    async def _send_stream(self, choices: Choices, send: Send) -> None:
        """Send events. A failure before the first reply is an ordinary error."""
        index, reply = await choices.next()
        self._take(index, reply)
        wording = self._wording()
        headers = [(b"content-type", wording.content_type), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

        async def tell(documents: Sequence[Document]) -> None:
            for document in documents:
                await _send_piece(send, wording.frame(document))

        await tell(wording.opening())
        try:
            while True:
                await tell(self._words(wording, index, reply))
                if self._complete:
                    break
                index, reply = await choices.next()
                self._take(index, reply)
            await tell(wording.ending(self._answers))
        except ApiError as error:
            await tell([wording.failure(error)])
        await _send_piece(send, wording.last_line, more=False)

    def _words(self, wording: Wording, index: int, reply: Reply) -> Sequence[Document]:
        if isinstance(reply, Finished):
            return wording.closing(index, self._answers[index])
        if isinstance(reply, TextDelta | ThinkingDelta):
            return wording.chunk(index, reply)
        return ()

    def _take(self, index: int, reply: Reply) -> None:
        """Note a reply. Raises `ApiError` for a failure."""
        match reply:
            case TextDelta() | ThinkingDelta():
                self._answers[index].deltas.append(reply)
            case Finished():
                self._answers[index].finished = reply
            case PromptProgress():
                pass
            case _:
                raise bad_news(reply, self._serving)


class EmbeddingResponse:
    """Vectors as an ASGI response, in the words of `describe`."""

    def __init__(
        self,
        make_ask: MakeAsk,
        serving: ServingService,
        describe: Callable[[Embedded, str], Document],
        dimensions: int | None = None,
    ) -> None:
        self._make_ask = make_ask
        self._serving = serving
        self._describe = describe
        self._dimensions = dimensions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the vectors. Raises `ApiError` or `EnvironmentProblem`."""
        async with self._make_ask(receive) as ask:
            reply = await ask.next()
        if not isinstance(reply, Embedded):
            raise bad_news(reply, self._serving)
        model = self._serving.status.model
        vectors = shortened(reply, self._dimensions, model.header if model else None)
        document = self._describe(vectors, model_id(self._serving))
        await json_response(document)(scope, receive, send)


def embedding_list(embedded: Embedded, model: str, *, as_base64: bool) -> Document:
    """Return vectors as OpenAI sends them; base64 holds little-endian 32-bit floats."""

    def sent(vector: tuple[float, ...]) -> Any:
        if not as_base64:
            return vector
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()

    data = [
        {"object": "embedding", "index": index, "embedding": sent(vector)}
        for index, vector in enumerate(embedded.vectors)
    ]
    usage = {"prompt_tokens": embedded.tokens, "total_tokens": embedded.tokens}
    return {"object": "list", "data": data, "model": model, "usage": usage}


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


async def _send_piece(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})
