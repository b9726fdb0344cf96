"""An error in the words of the interface that was asked."""

from starlette.responses import Response

from chatdesk.server.dialects import anthropic, ollama
from chatdesk.server.errors import ApiError, json_response


def error_response(error: ApiError, path: str) -> Response:
    """Return the response to a request for `path`."""
    if path.startswith("/api/"):
        document = ollama.error_document(error)
    elif path.startswith("/v1/messages"):
        document = anthropic.error_document(error)
    else:
        document = error.document()
    return json_response(document, error.status, error.headers)
