"""The failure of a request that cannot be done: its code and text."""

import logging

from chatdesk.core.generation import Failed, FailureCode
from chatdesk.inference.decoding.grammar import ConstraintError
from chatdesk.inference.native.lora import AdapterError
from chatdesk.inference.prompt.context_view import TooLong
from chatdesk.inference.prompt.template import RenderError

_log = logging.getLogger(__name__)


def failed(request_id: str, problem: Exception) -> Failed:
    """Return the terminal event for an exception while a request was prepared."""
    match problem:
        case TooLong():
            detail = f"{problem.tokens} tokens, at most {problem.limit}"
            code = FailureCode.PROMPT_TOO_LONG
            return Failed(request_id, code, detail, problem.tokens, problem.limit)
        case RenderError():
            return Failed(request_id, FailureCode.TEMPLATE, str(problem))
        case ConstraintError():
            return Failed(request_id, problem.code, problem.detail)
        case AdapterError():
            return Failed(request_id, FailureCode.ADAPTER, str(problem))
        case ValueError():
            return Failed(request_id, FailureCode.PARAMETER, str(problem))
        case _:
            return broken(request_id, problem)


def broken(request_id: str, bug: Exception) -> Failed:
    """Return the terminal event for an exception that is our own bug; it is logged."""
    _log.error("a request failed", exc_info=bug)
    return Failed(request_id, FailureCode.INTERNAL, type(bug).__name__)
