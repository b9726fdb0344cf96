"""Request bodies: checked, then turned into requests to the engine.

The fields are OpenAI's, and llama-server's where OpenAI has none. Unknown fields are ignored,
because clients send many; known fields that cannot be served are refused.
"""

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec

from chatdesk.core.generation import Embed, Generate, PromptMessage
from chatdesk.core.i18n import tr
from chatdesk.core.sampling import NUMBERS, SamplingParams
from chatdesk.server.errors import ApiError, bad_request

MAX_TOP_LOGPROBS = 20  # OpenAI's own limit
MAX_STOPS = 64
MAX_TEXTS = 2048  # OpenAI's own limit
_T = TypeVar("_T")

Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
TopLogprobs = Annotated[int, msgspec.Meta(ge=0, le=MAX_TOP_LOGPROBS)]


class StreamOptions(msgspec.Struct):
    """The options of a stream: what it contains besides the text."""

    include_usage: bool | None = None


class JsonSchema(msgspec.Struct):
    """The schema of a `response_format`; it is enforced whether `strict` or not."""

    schema: dict[str, Any] | None = None


class ResponseFormat(msgspec.Struct):
    """The required form of an answer: text, json_object or json_schema."""

    type: str
    json_schema: JsonSchema | None = None


if TYPE_CHECKING:

    class Sampling(msgspec.Struct, kw_only=True):
        """The numbers of `SamplingParams`, used unchanged."""

else:
    Sampling = msgspec.defstruct(
        "Sampling",
        [
            (
                each.name,
                (Whole if each.kind is int else float) | None,
                msgspec.field(default=None, name=each.api),
            )
            for each in NUMBERS
        ],
        kw_only=True,
    )


class GenerationBody(Sampling, kw_only=True):
    """The fields that chat and plain completions share."""

    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    seed: Whole | None = None
    max_tokens: Whole | None = None
    logit_bias: dict[int, float] | None = None
    dry_breakers: tuple[str, ...] | None = msgspec.field(default=None, name="dry_sequence_breakers")
    response_format: ResponseFormat | None = None
    grammar: str | None = None

    @property
    def usage_wanted(self) -> bool:
        """True if the stream ends with its usage."""
        return bool(self.stream_options and self.stream_options.include_usage)


class ContentPart(msgspec.Struct):
    """A part of a message's content; only text is supported."""

    type: str
    text: str | None = None


class ChatMessage(msgspec.Struct):
    """One turn of a chat."""

    role: str
    content: str | list[ContentPart] | None = None
    reasoning_content: str | None = None
    tool_calls: list[Any] | None = None


class ChatBody(GenerationBody, kw_only=True):
    """The body of /v1/chat/completions."""

    messages: list[ChatMessage]
    max_completion_tokens: Whole | None = None
    logprobs: bool | None = None
    top_logprobs: TopLogprobs | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None

    def request(self, request_id: str, defaults: SamplingParams) -> Generate:
        """The request to the engine. Raises `ApiError`."""
        if self.tools or self.functions:
            raise bad_request(tr("Tools cannot be called by this server."), "tools")
        if not self.messages:
            raise bad_request(tr("There is no message."), "messages")
        if self.top_logprobs is not None and not self.logprobs:
            raise bad_request(tr("top_logprobs goes with logprobs."), "top_logprobs")
        grammar, schema = _constraint(self)
        return Generate(
            request_id,
            tuple(_message(index, message) for index, message in enumerate(self.messages)),
            _sampling(self, defaults, self.max_completion_tokens),
            grammar=grammar,
            json_schema=schema,
            logprobs=(self.top_logprobs or 0) if self.logprobs else None,
        )


class CompletionBody(GenerationBody, kw_only=True):
    """The body of /v1/completions: the model continues the text as it is."""

    prompt: str | list[str | int | list[int]]
    logprobs: TopLogprobs | None = None
    echo: bool | None = None
    best_of: int | None = None
    suffix: str | None = None

    def request(self, request_id: str, defaults: SamplingParams) -> Generate:
        """The request to the engine. Raises `ApiError`."""
        for name, fine in (
            ("echo", not self.echo),
            ("best_of", self.best_of in (None, 1)),
            ("suffix", not self.suffix),
        ):
            if not fine:
                raise bad_request(tr("{name} is not supported.", name=name), name)
        prompts = _texts(self.prompt, "prompt")
        if len(prompts) != 1:
            raise bad_request(tr("Only one prompt at a time can be continued."), "prompt")
        grammar, schema = _constraint(self)
        return Generate(
            request_id,
            (),
            _sampling(self, defaults),
            prompt=prompts[0],
            grammar=grammar,
            json_schema=schema,
            logprobs=self.logprobs,
        )


class EmbeddingBody(msgspec.Struct):
    """The body of /v1/embeddings."""

    input: str | list[str | int | list[int]]
    model: str | None = None
    encoding_format: str | None = None
    dimensions: int | None = None

    def request(self, request_id: str) -> Embed:
        """The request to the engine. Raises `ApiError`."""
        if self.encoding_format not in (None, "float", "base64"):
            raise bad_request(tr("This must be “float” or “base64”."), "encoding_format")
        if self.dimensions is not None:
            raise bad_request(tr("{name} is not supported.", name="dimensions"), "dimensions")
        texts = _texts(self.input, "input")
        if not texts or not all(texts):
            raise bad_request(tr("There is no text."), "input")
        if len(texts) > MAX_TEXTS:
            raise bad_request(tr("At most {n} texts at a time.", n=MAX_TEXTS), "input")
        return Embed(request_id, texts)


def decode(data: bytes, kind: type[_T]) -> _T:
    """Return a request's body. Raises `ApiError` when the data is not JSON of that kind."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as problem:
        reason, _, place = str(problem).partition(" - at ")
        param = place.rpartition("`$.")[2].rstrip("`") or None
        message = tr("The request is not as it must be: {reason}.", reason=problem)
        raise ApiError(400, message, param, "invalid_type" if reason else None) from None
    except RecursionError:
        raise bad_request(tr("The JSON is nested too deeply.")) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise bad_request(tr("The body is not JSON in UTF-8: {reason}.", reason=problem)) from None


def _sampling(
    body: GenerationBody, defaults: SamplingParams, max_tokens: int | None = None
) -> SamplingParams:
    """Return the user's own parameters, replaced by the client's where the client sends some."""
    if body.n not in (None, 1):
        raise bad_request(tr("Only one answer to a request can be written (n = 1)."), "n")
    names = (field.name for field in fields(defaults))
    given = {name: value for name in names if (value := getattr(body, name, None)) is not None}
    if max_tokens is not None:
        given["max_tokens"] = max_tokens
    if given.get("max_tokens") == 0:
        raise bad_request(tr("max_tokens must be at least 1."), "max_tokens")
    for name in ("max_tokens", "seed"):
        if given.get(name) == -1:  # means “no limit” and “any” in llama-server
            given[name] = None
    if body.stop is not None:
        given["stop"] = _stops(body.stop)
    if body.logit_bias is not None:
        given["logit_bias"] = tuple(body.logit_bias.items())
    return replace(defaults, **given)


def _stops(stop: str | list[str]) -> tuple[str, ...]:
    stops = tuple(filter(None, [stop] if isinstance(stop, str) else stop))
    if len(stops) > MAX_STOPS:
        raise bad_request(tr("At most {n} texts at a time.", n=MAX_STOPS), "stop")
    return stops


def _constraint(body: GenerationBody) -> tuple[str | None, str | None]:
    """Return the grammar, and the JSON Schema as text; at most one of them is set."""
    wanted = body.response_format
    if wanted is None or wanted.type == "text":
        return body.grammar or None, None
    if body.grammar:
        raise bad_request(tr("A grammar and a response_format exclude each other."), "grammar")
    if wanted.type == "json_object":
        return None, '{"type":"object"}'
    if wanted.type != "json_schema":
        raise bad_request(
            tr("This must be “text”, “json_object” or “json_schema”."), "response_format.type"
        )
    if wanted.json_schema is None or wanted.json_schema.schema is None:
        raise bad_request(tr("The schema is missing."), "response_format.json_schema.schema")
    return None, msgspec.json.encode(wanted.json_schema.schema).decode()


def _message(index: int, message: ChatMessage) -> PromptMessage:
    place = f"messages[{index}]"
    role = "system" if message.role == "developer" else message.role
    if role in ("tool", "function") or message.tool_calls:
        raise bad_request(tr("Tools cannot be called by this server."), place)
    if role not in ("system", "user", "assistant"):
        raise bad_request(
            tr("The role must be system, developer, user or assistant."), f"{place}.role"
        )
    thinking = message.reasoning_content or ""
    return PromptMessage(role, _content(place, message.content), thinking)


def _content(place: str, content: str | list[ContentPart] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    for index, part in enumerate(content):
        param = f"{place}.content[{index}]"
        if part.type in ("image_url", "input_image", "image"):
            raise bad_request(tr("This model reads text only, no images."), param)
        if part.type != "text" or part.text is None:
            raise bad_request(tr("This model reads text only."), param)
    return "".join(part.text or "" for part in content)


def _texts(given: str | list[str | int | list[int]], param: str) -> tuple[str, ...]:
    texts = [given] if isinstance(given, str) else given
    if not all(isinstance(text, str) for text in texts):
        raise bad_request(tr("Token ids cannot be read here; send the text itself."), param)
    return tuple(text for text in texts if isinstance(text, str))
