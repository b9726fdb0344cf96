"""The bodies of /v1/chat/completions and /v1/completions."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from chatdesk.core.generation import Generate
from chatdesk.core.i18n import tr
from chatdesk.core.sampling import SamplingParams
from chatdesk.server.bodies.messages import ChatMessage, prompt_messages
from chatdesk.server.bodies.reading import Whole
from chatdesk.server.bodies.shape import ShapedBody
from chatdesk.server.errors import bad_request
from chatdesk.server.wording.base import Wording
from chatdesk.server.wording.completions import ChatWording, CompletionWording

MAX_TOP_LOGPROBS = 20  # OpenAI's own limit
MAX_ANSWERS = 8  # to one prompt
MAX_CHOICES = 128  # answers to all prompts of one request, as OpenAI allows

NewId = Callable[[], str]


class TemplateOptions(msgspec.Struct):
    """What llama-server and vLLM pass on to a chat template; models are asked to think so."""

    enable_thinking: bool | None = None
    thinking: bool | None = None


class StreamOptions(msgspec.Struct):
    """The options of a stream: what it contains besides the text."""

    include_usage: bool | None = None


class GenerationBody(ShapedBody, kw_only=True):
    """The fields that chat and plain completions share."""

    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Whole | None = None

    @property
    def usage_wanted(self) -> bool:
        """True if the stream ends with its usage."""
        return bool(self.stream_options and self.stream_options.include_usage)

    @property
    def number(self) -> int:
        """How many answers are wanted to each prompt. Raises `ApiError` for too many."""
        number = 1 if self.n is None else int(self.n)
        if not 1 <= number <= MAX_ANSWERS:
            raise bad_request(
                tr("This must be from {low} to {high}.", low=1, high=MAX_ANSWERS), "n"
            )
        return number


class ChatBody(GenerationBody, kw_only=True):
    """The body of /v1/chat/completions."""

    messages: list[ChatMessage]
    max_completion_tokens: Whole | None = None
    logprobs: bool | None = None
    top_logprobs: Whole | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None
    functions: list[Any] | None = None
    function_call: Any = None
    modalities: list[str] | None = None
    reasoning_effort: str | None = None
    enable_thinking: bool | None = None
    chat_template_kwargs: TemplateOptions | None = None

    @property
    def thinks(self) -> bool | None:
        """Whether the model shall think before it answers; None leaves it to its template."""
        if self.reasoning_effort == "none":
            return False
        options = self.chat_template_kwargs or TemplateOptions()
        said = (self.enable_thinking, options.enable_thinking, options.thinking)
        return next((each for each in said if each is not None), None)

    def requests(self, new_id: NewId, defaults: SamplingParams) -> list[Generate]:
        """The requests to the engine, one for each answer. Raises `ApiError`."""
        return several(self._request(new_id(), defaults), self.number, new_id)

    def wording(self, request_id: str, model: str) -> Wording:
        """Return the format of the answers."""
        return ChatWording(
            request_id, model, usage_wanted=self.usage_wanted, per_prompt=self.number
        )

    def _request(self, request_id: str, defaults: SamplingParams) -> Generate:
        self._check_tools()
        if self.modalities and self.modalities != ["text"]:
            raise bad_request(tr("This model writes text only."), "modalities")
        if self.top_logprobs is not None and not self.logprobs:
            raise bad_request(tr("top_logprobs goes with logprobs."), "top_logprobs")
        grammar, schema = self.constraint()
        return Generate(
            request_id,
            prompt_messages(self.messages),
            self.sampling(defaults, self.max_completion_tokens),
            grammar=grammar,
            json_schema=schema,
            logprobs=_alternatives(self.top_logprobs or 0, "top_logprobs")
            if self.logprobs
            else None,
            thinks=self.thinks,
        )

    def _check_tools(self) -> None:
        for given, choice, param in (
            (self.tools, self.tool_choice, "tools"),
            (self.functions, self.function_call, "functions"),
        ):
            if (given and choice != "none") or (choice not in (None, "none", "auto")):
                message = tr(
                    "Tools cannot be called by this server; with the choice “none” it answers "
                    "without them."
                )
                raise bad_request(message, param)


class CompletionBody(GenerationBody, kw_only=True):
    """The body of /v1/completions: the model continues the text as it is."""

    prompt: str | list[str | int | list[int]]
    logprobs: Whole | None = None
    echo: bool | None = None
    best_of: Whole | None = None
    suffix: str | None = None

    @property
    def least_tokens(self) -> int:
        """How many tokens must be asked for at least: an echo may be all that is wanted."""
        return 0 if self.echo else 1

    def requests(self, new_id: NewId, defaults: SamplingParams) -> list[Generate]:
        """The requests to the engine, one for each answer. Raises `ApiError`."""
        for name, fine in (
            ("best_of", self.best_of in (None, 1)),
            ("suffix", not self.suffix),
        ):
            if not fine:
                raise bad_request(tr("{name} is not supported.", name=name), name)
        prompts = self._prompts()
        if len(prompts) * self.number > MAX_CHOICES:
            raise bad_request(tr("At most {n} answers at a time.", n=MAX_CHOICES), "prompt")
        grammar, schema = self.constraint()
        logprobs = None if self.logprobs is None else _alternatives(self.logprobs, "logprobs")
        sampling = self.sampling(defaults)
        return [
            asked
            for prompt in prompts
            for asked in several(
                Generate(
                    new_id(),
                    (),
                    sampling,
                    prompt=prompt,
                    grammar=grammar,
                    json_schema=schema,
                    logprobs=logprobs,
                    echo=bool(self.echo),
                ),
                self.number,
                new_id,
            )
        ]

    def wording(self, request_id: str, model: str) -> Wording:
        """Return the format of the answers."""
        return CompletionWording(
            request_id, model, usage_wanted=self.usage_wanted, per_prompt=self.number
        )

    def _prompts(self) -> list[str | tuple[int, ...]]:
        """Return the prompts; a list of token ids is one. Raises `ApiError`."""
        given = self.prompt
        if isinstance(given, str):
            return [given]
        if given and all(isinstance(each, int) for each in given):
            given = [[each for each in given if isinstance(each, int)]]
        prompts: list[str | tuple[int, ...]] = []
        for index, each in enumerate(given):
            if isinstance(each, int) or each == []:
                raise bad_request(tr("There is no text."), f"prompt[{index}]")
            prompts.append(each if isinstance(each, str) else tuple(each))
        if not prompts:
            raise bad_request(tr("There is no text."), "prompt")
        return prompts


def several(asked: Generate, number: int, new_id: NewId) -> list[Generate]:
    """Return so many of a request; each has a seed of its own."""
    seed = asked.sampling.seed
    return [asked] + [
        replace(
            asked,
            request_id=new_id(),
            sampling=replace(asked.sampling, seed=None if seed is None else seed + index),
        )
        for index in range(1, number)
    ]


def _alternatives(number: int, param: str) -> int:
    if not 0 <= number <= MAX_TOP_LOGPROBS:
        message = tr("This must be from {low} to {high}.", low=0, high=MAX_TOP_LOGPROBS)
        raise bad_request(message, param)
    return int(number)
