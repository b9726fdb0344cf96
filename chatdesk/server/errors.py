"""Errors as an HTTP status and OpenAI's error object."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chatdesk.core.errors import EnvironmentProblem, NotForChats, NotFound
from chatdesk.core.generation import Failed, FailureCode
from chatdesk.core.i18n import plain, tr
from chatdesk.core.sampling import NUMBERS
from chatdesk.server.serving import ModelBusy
from chatdesk.services.engine.problems import engine_problem

RETRY_AFTER_S = 2

_CLIENTS_FAULT = {  # with the field to blame, where there is one
    FailureCode.TEMPLATE: "messages",
    FailureCode.PARAMETER: None,
    FailureCode.GRAMMAR: "grammar",
    FailureCode.SCHEMA: "response_format",
}
_NAMES = {each.name: each.api for each in NUMBERS} | {
    "prompt": "prompt",
    "stop": "stop",
    "seed": "seed",
    "max_tokens": "max_tokens",
    "logit_bias": "logit_bias",
    "dry_breakers": "dry_sequence_breakers",
}
"""What clients call the parameters with which the engine's words begin."""


class ApiError(Exception):
    """A request that cannot be answered. `param` names the field to blame, `code` the error."""

    def __init__(
        self,
        status: int,
        message: str,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = str(message)  # a `Sentence` is no string to msgspec
        self.param = param
        self.code = code
        self.headers = headers

    def document(self) -> dict[str, Any]:
        """OpenAI's error object."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return {"error": error}

    def response(self) -> Response:
        """The error as an HTTP response."""
        return json_response(self.document(), self.status, self.headers)


def json_response(
    document: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A response with a JSON document."""
    return Response(
        msgspec.json.encode(document, enc_hook=plain),
        status,
        headers,
        "application/json; charset=utf-8",
    )


def bad_request(message: str, param: str | None = None) -> ApiError:
    """Return the error for a request that cannot be served as asked."""
    return ApiError(400, message, param, "invalid_value" if param else None)


def try_later(message: str, code: str) -> ApiError:
    """Return an error for a temporary condition; OpenAI's clients try again by themselves."""
    return ApiError(503, message, code=code, headers={"retry-after": str(RETRY_AFTER_S)})


def of_failure(failed: Failed, model: str) -> ApiError:
    """Return the error for a `Failed` event of the engine, with `model` as the model's name."""
    message = str(engine_problem(failed, model))
    if failed.code is FailureCode.PROMPT_TOO_LONG:
        # OpenAI's words: clients look for them, and shorten their prompt.
        known = f"This model's maximum context length is {failed.limit} tokens."
        return ApiError(400, f"{known} {message}", code="context_length_exceeded")
    if failed.code in _CLIENTS_FAULT:
        param = _CLIENTS_FAULT[failed.code] or _NAMES.get(failed.detail.split(" ")[0].rstrip(":"))
        return ApiError(400, message, param, failed.code.value)
    return ApiError(500, message, code=failed.code.value)


def of_problem(problem: EnvironmentProblem) -> ApiError:
    """Return the error for a problem that kept a request from the engine."""
    match problem:
        case NotFound():
            return ApiError(404, str(problem), "model", "model_not_found")
        case ModelBusy():
            return try_later(str(problem), "model_busy")
        case NotForChats():
            return ApiError(400, str(problem), "model", "model_not_supported")
        case _:
            return try_later(str(problem), "engine_unavailable")


def not_served(problem: HTTPException) -> ApiError:
    """Return the error for a route or method that does not exist."""
    if problem.status_code == 405:
        message = tr("This method is not supported here.")
        return ApiError(405, message, code="method_not_allowed", headers=problem.headers)
    return ApiError(404, tr("There is nothing at this address."), code="not_found")
