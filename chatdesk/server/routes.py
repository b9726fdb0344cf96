"""The routes of the API."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive

from chatdesk.core.generation import Embed, Generate
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.server.access import Access
from chatdesk.server.answering import AnswerResponse, EmbeddingResponse, embedding_list, model_id
from chatdesk.server.asking import Ask, ClientGone
from chatdesk.server.bodies.completions import ChatBody, CompletionBody
from chatdesk.server.bodies.embeddings import EmbeddingBody
from chatdesk.server.bodies.reading import decode
from chatdesk.server.errors import ApiError, json_response
from chatdesk.server.guard import MAX_OPEN, Guard
from chatdesk.server.metrics import CONTENT_TYPE, Metrics
from chatdesk.server.serving import ServingService
from chatdesk.server.wording.base import Document
from chatdesk.server.wording.completions import ChatWording, CompletionWording
from chatdesk.services.engine.facts import EngineState

MAX_BODY_BYTES = 4 * 1024 * 1024
BODY_TIMEOUT_S = 30.0


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
            Route("/v1/chat/completions", self._chat, methods=["POST"]),
            Route("/v1/completions", self._complete, methods=["POST"]),
            Route("/v1/embeddings", self._embed, methods=["POST"]),
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
        return {
            "id": model.id,
            "object": "model",
            "created": int(model.added.timestamp()),
            "owned_by": "chatdesk",
            "name": model.header.name,
            "loaded": model.id == model_id(self._serving),
        }

    async def _chat(self, request: Request) -> AnswerResponse:
        return await self._answer(request, ChatBody, ChatWording)

    async def _complete(self, request: Request) -> AnswerResponse:
        return await self._answer(request, CompletionBody, CompletionWording)

    async def _answer(
        self,
        request: Request,
        kind: type[ChatBody] | type[CompletionBody],
        wording: type[ChatWording] | type[CompletionWording],
    ) -> AnswerResponse:
        body = decode(await read_body(request), kind)
        asked = body.requests(self._serving.new_id, self._serving.sampling)
        return AnswerResponse(
            [self._ask(body.model, each) for each in asked],
            lambda model: wording(
                asked[0].request_id,
                model,
                usage_wanted=body.usage_wanted,
                per_prompt=body.number,
            ),
            self._serving,
            stream=bool(body.stream),
        )

    async def _embed(self, request: Request) -> EmbeddingResponse:
        body = decode(await read_body(request), EmbeddingBody)
        as_base64 = body.encoding_format == "base64"
        return EmbeddingResponse(
            self._ask(body.model, body.request(self._serving.new_id())),
            self._serving,
            lambda found, model: embedding_list(found, model, as_base64=as_base64),
        )

    def _ask(self, model: str | None, asked: Generate | Embed) -> Callable[[Receive], Ask]:
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
