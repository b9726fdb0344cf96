"""The routes of the API."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive

from chatdesk import __version__
from chatdesk.core.generation import CountTokens, Embed, Embedded, Generate, TokensCounted
from chatdesk.core.i18n import tr
from chatdesk.core.loading import ModelLoaded
from chatdesk.core.models import ModelFile
from chatdesk.core.sampling import SamplingParams
from chatdesk.library.models.role import role_of
from chatdesk.server.access import Access
from chatdesk.server.answering import (
    AnswerResponse,
    EmbeddingResponse,
    bad_news,
    embedding_list,
    model_id,
)
from chatdesk.server.asking import Ask, ClientGone
from chatdesk.server.bodies.completions import ChatBody, CompletionBody
from chatdesk.server.bodies.embeddings import EmbeddingBody
from chatdesk.server.bodies.reading import decode
from chatdesk.server.dialects import ollama, ollama_models
from chatdesk.server.dialects.anthropic import MessagesBody
from chatdesk.server.dialects.responses import ResponsesBody
from chatdesk.server.errors import ApiError, json_response
from chatdesk.server.guard import MAX_OPEN, Guard
from chatdesk.server.metrics import CONTENT_TYPE, Metrics
from chatdesk.server.serving import ServingService
from chatdesk.server.wording.base import Document, Wording
from chatdesk.services.engine.facts import EngineState

MAX_BODY_BYTES = 4 * 1024 * 1024
BODY_TIMEOUT_S = 30.0


class AnsweredBody(Protocol):
    """A body that is answered in words."""

    @property
    def model(self) -> str | None:
        """The name of the model that is asked."""

    @property
    def stream(self) -> bool | None:
        """True for an answer in pieces."""

    def requests(self, new_id: Callable[[], str], defaults: SamplingParams) -> list[Generate]:
        """Return the requests to the engine. Raises `ApiError`."""

    def wording(self, request_id: str, model: str) -> Wording:
        """Return the format of the answers."""


ANSWER_BODIES: Mapping[str, type[AnsweredBody]] = {
    "/v1/chat/completions": ChatBody,
    "/v1/completions": CompletionBody,
    "/v1/responses": ResponsesBody,
    "/v1/messages": MessagesBody,
    "/api/chat": ollama.OllamaChatBody,
    "/api/generate": ollama.OllamaGenerateBody,
}


class Api:
    """The ASGI application, for those who have `access`.

    Call `close` when no request runs any more.
    """

    def __init__(self, serving: ServingService, access: Access) -> None:
        self._serving = serving
        self._metrics = Metrics()
        # A thread for each request that begins, which may wait for a model, and one for its
        # cancellation.
        self._threads = ThreadPoolExecutor(2 * MAX_OPEN, "api")
        routes = [
            Route("/health", self._health),
            Route("/metrics", self._show_metrics),
            Route("/v1/models", self._models),
            Route("/v1/models/{id}", self._model),
            Route("/v1/embeddings", self._embed, methods=["POST"]),
            Route("/v1/messages/count_tokens", self._count, methods=["POST"]),
            Route("/api/version", self._version),
            Route("/api/tags", self._tags),
            Route("/api/show", self._show, methods=["POST"]),
            Route("/api/ps", self._running),
            Route("/api/embed", self._embed_for_ollama, methods=["POST"]),
            Route("/api/embeddings", self._embed_for_older_clients, methods=["POST"]),
            *(
                Route(path, self._answering(kind), methods=["POST"])
                for path, kind in ANSWER_BODIES.items()
            ),
        ]
        router = Router(routes, redirect_slashes=False)
        paths = frozenset(route.path for route in routes)
        self.app: ASGIApp = Guard(router, access, self._metrics, paths)

    def close(self) -> None:
        """Let the threads end; a thread that waits for a model ends when the model is loaded."""
        self._threads.shutdown(wait=False)

    async def _health(self, _request: Request) -> Response:
        state = self._serving.status.state
        able = state not in (EngineState.LOADING, EngineState.FAILED)
        status = "ok" if able else state.name.lower()
        return json_response({"status": status}, 200 if able else 503)

    async def _show_metrics(self, _request: Request) -> Response:
        return PlainTextResponse(self._metrics.text(), headers={"content-type": CONTENT_TYPE})

    async def _models(self, _request: Request) -> Response:
        models = await asyncio.to_thread(self._serving.models)
        return json_response({"object": "list", "data": [self._describe(each) for each in models]})

    async def _model(self, request: Request) -> Response:
        wanted = request.path_params["id"]
        for model in await asyncio.to_thread(self._serving.models):
            if model.id == wanted:
                return json_response(self._describe(model))
        raise ApiError(
            404, tr("There is no model “{name}”.", name=wanted), "model", "model_not_found"
        )

    def _describe(self, model: ModelFile) -> Document:
        role = role_of(model.header)
        return {
            "id": model.id,
            "object": "model",
            "created": int(model.added.timestamp()),
            "owned_by": "chatdesk",
            "name": model.header.name,
            "loaded": model.id == model_id(self._serving),
            **({} if role.answers else {"role": role.value}),
        }

    def _answering(self, kind: type[AnsweredBody]) -> Callable[[Request], Awaitable[ASGIApp]]:
        """Return the endpoint that answers bodies of that kind."""

        async def answer(request: Request) -> ASGIApp:
            body = decode(await read_body(request), kind)
            if isinstance(body, ollama.OllamaBody) and body.is_empty:
                return await self._answer_wordless(body)
            asked = body.requests(self._serving.new_id, self._serving.sampling)
            return AnswerResponse(
                [self._ask(body.model, each) for each in asked],
                lambda model: body.wording(asked[0].request_id, model),
                self._serving,
                stream=bool(body.stream),
            )

        return answer

    async def _answer_wordless(self, body: ollama.OllamaBody) -> Response:
        change = self._serving.unload if body.unloads else self._serving.load
        loop = asyncio.get_running_loop()
        model = await loop.run_in_executor(self._threads, change, body.model)
        wording = body.wording("", model.id)
        return json_response(wording.wordless(unloaded=body.unloads))

    async def _embed(self, request: Request) -> EmbeddingResponse:
        body = decode(await read_body(request), EmbeddingBody)
        as_base64 = body.encoding_format == "base64"
        return EmbeddingResponse(
            self._ask(body.model, body.request(self._serving.new_id())),
            self._serving,
            lambda found, model: embedding_list(found, model, as_base64=as_base64),
            body.dimensions,
        )

    async def _count(self, request: Request) -> Response:
        body = decode(await read_body(request), MessagesBody)
        asked = self._ask(body.model, body.count(self._serving.new_id()))
        async with asked(request.receive) as ask:
            reply = await ask.next()
        if not isinstance(reply, TokensCounted):
            raise bad_news(reply, self._serving)
        return json_response({"input_tokens": reply.tokens})

    async def _version(self, _request: Request) -> Response:
        return json_response({"version": __version__})

    async def _tags(self, _request: Request) -> Response:
        models = await asyncio.to_thread(self._serving.models)
        return json_response({"models": [ollama_models.tag(each) for each in models]})

    async def _show(self, request: Request) -> Response:
        body = decode(await read_body(request), ollama.ShowBody)
        model = await asyncio.to_thread(self._serving.model, body.model or body.name)
        loaded = self._loaded
        thinks = loaded is not None and loaded[0].id == model.id and loaded[1].reasons
        return json_response(ollama_models.shown(model, thinks=thinks))

    async def _running(self, _request: Request) -> Response:
        left_s = self._serving.idle_left_s
        found = [ollama_models.running(*self._loaded, left_s)] if self._loaded else []
        return json_response({"models": found})

    @property
    def _loaded(self) -> tuple[ModelFile, ModelLoaded] | None:
        status = self._serving.status
        if status.state is not EngineState.READY or not (status.model and status.loaded):
            return None
        return status.model, status.loaded

    async def _embed_for_ollama(self, request: Request) -> ASGIApp:
        body = decode(await read_body(request), ollama.OllamaEmbedBody)
        if body.is_empty:
            loop = asyncio.get_running_loop()
            load = functools.partial(self._serving.load, body.model, to_embed=True)
            model = await loop.run_in_executor(self._threads, load)
            return json_response(ollama.embeddings(Embedded("", (), 0), model.id))
        asked = self._ask(body.model, body.request(self._serving.new_id()))
        return EmbeddingResponse(asked, self._serving, ollama.embeddings, body.dimensions)

    async def _embed_for_older_clients(self, request: Request) -> EmbeddingResponse:
        body = decode(await read_body(request), ollama.OllamaOldEmbedBody)
        asked = self._ask(body.model, body.request(self._serving.new_id()))
        return EmbeddingResponse(asked, self._serving, ollama.old_embedding)

    def _ask(
        self, model: str | None, asked: Generate | Embed | CountTokens
    ) -> Callable[[Receive], Ask]:
        return lambda receive: Ask(
            self._serving, self._threads, self._metrics, model or "", asked, receive
        )


async def read_body(request: Request) -> bytes:
    """Return the whole body. Raises `ApiError` when it is too long or too slow."""
    too_long = ApiError(
        413, tr("The request is longer than {n} bytes.", n=f"{MAX_BODY_BYTES:,}"), code="too_long"
    )
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > MAX_BODY_BYTES:
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for piece in request.stream():
                body += piece
                if len(body) > MAX_BODY_BYTES:
                    raise too_long
    except TimeoutError:
        message = tr("The request did not arrive in time.")
        raise ApiError(408, message, code="timeout", headers={"connection": "close"}) from None
    except ClientDisconnect:
        raise ClientGone from None
    return bytes(body)
