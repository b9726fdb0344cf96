"""The body of /v1/embeddings."""

import msgspec

from chatdesk.core.generation import Embed
from chatdesk.core.i18n import tr
from chatdesk.server.bodies.reading import Whole
from chatdesk.server.errors import bad_request

MAX_TEXTS = 2048  # OpenAI's own limit


class EmbeddingBody(msgspec.Struct):
    """What to embed, and how the vectors are sent."""

    input: str | list[str | int | list[int]]
    model: str | None = None
    encoding_format: str | None = None
    dimensions: Whole | None = None

    def request(self, request_id: str) -> Embed:
        """The request to the engine. Raises `ApiError`."""
        if self.encoding_format not in (None, "float", "base64"):
            raise bad_request(tr("This must be “float” or “base64”."), "encoding_format")
        return Embed(request_id, texts_of(self.input, "input"))


def texts_of(given: str | list[str | int | list[int]], param: str) -> tuple[str, ...]:
    """Return the texts; none is empty. Raises `ApiError` that names the place of a bad one."""
    texts = [given] if isinstance(given, str) else given
    if not texts:
        raise bad_request(tr("There is no text."), param)
    if len(texts) > MAX_TEXTS:
        raise bad_request(tr("At most {n} texts at a time.", n=MAX_TEXTS), param)
    found = []
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            message = tr(
                "Token ids cannot be read here; send the text itself "
                "(LangChain: check_embedding_ctx_length=False)."
            )
            raise bad_request(message, param)
        if not text:
            place = param if given is text else f"{param}[{index}]"
            raise bad_request(tr("There is no text."), place)
        found.append(text)
    return tuple(found)
