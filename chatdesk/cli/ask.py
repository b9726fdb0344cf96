"""One turn without a window: the `chatdesk ask` command."""

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from chatdesk.cli.services import open_services
from chatdesk.core.chat import AnswerRecord, Conversation, Message, MessageState, Role, new_id, now
from chatdesk.core.errors import EngineProblem, NotFound
from chatdesk.core.generation import PromptMessage
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths
from chatdesk.core.prompts import prompt_messages, readable
from chatdesk.core.settings import ChatSettings, Settings
from chatdesk.core.unicode import sound_text
from chatdesk.services.adapters.facts import AdapterLeftOut
from chatdesk.services.adapters.service import Applied
from chatdesk.services.app import App
from chatdesk.services.chat.answer import Answer, answer_record
from chatdesk.services.chat.facts import AnswerEnded, TextArrived
from chatdesk.services.engine.template_notice import template_notice
from chatdesk.services.facts import Fact
from chatdesk.services.models.facts import ChosenModelMissing


@dataclass(frozen=True, slots=True)
class AskRequest:
    """A turn to take. `conversation` None starts a new one.

    `model` None takes the one that answered last in the conversation, else the default.
    """

    prompt: str
    model: str | None = None
    system: str | None = None
    conversation: str | None = None
    temporary: bool = False
    adapter: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class AskResult:
    """The result of a request, with the names of the command line's JSON document.

    `view_start` is the number of the oldest message of the conversation that the model still reads,
    `notice` what should be known of its chat template, None for nothing.
    """

    text: str
    conversation: str | None
    message: str | None
    model: str
    adapter: str | None
    prompt_tokens: int | None
    cached_tokens: int | None
    completion_tokens: int | None
    ttft_s: float | None
    tokens_per_s: float | None
    stop_reason: str | None
    view_start: int
    notice: str | None


def ask(
    paths: AppPaths,
    settings: Settings,
    request: AskRequest,
    on_text: Callable[[str], None],
    on_note: Callable[[str], None] = lambda note: None,
) -> AskResult:
    """Ask, pass the answer's pieces to `on_text`, and return the answer.

    `on_note` gets a sentence with anything else the user should know. Ctrl+C stops the answer,
    keeps the text so far and returns it with `stop_reason` "cancelled". Raises
    `EnvironmentProblem`.
    """
    facts: queue.SimpleQueue[Fact] = queue.SimpleQueue()

    def publish(fact: Fact) -> None:
        if isinstance(fact, AdapterLeftOut):
            on_note(str(fact.problem))
        elif isinstance(fact, ChosenModelMissing):
            on_note(fact.sentence)
        else:
            facts.put(fact)

    with open_services(paths, settings, publish) as services:
        conversation = _conversation(services, request)
        model = services.models.chosen(request.model, settings.models.chosen)
        if conversation and conversation.held_with and not request.model:
            model = services.models.held(conversation.held_with, model) or model
        adapters = services.adapters.named(model, request.adapter) if request.adapter else None
        chat = _with_options(services.models.notes.defaults(model), request)
        services.load_model(model)
        if request.temporary:
            adapters = services.adapters.for_answer(model, None) if adapters is None else adapters
            prompt = prompt_messages(chat.system_prompt, (), sound_text(request.prompt))
            record = answer_record(model, chat.sampling, adapters)
            ended = _ask_temporary(services, prompt, record, adapters, facts, on_text)
        else:
            services.tidy()
            sent = services.chat.send(
                conversation.id if conversation else None,
                request.prompt,
                system_prompt=chat.system_prompt,
                sampling=chat.sampling,
                adapters=adapters,
            )
            ended = _follow(facts, on_text, lambda: services.chat.stop(sent))
        view_start = 0
        if ended.view_start or ended.view_cut is not None:
            on_note(tr("The model no longer reads the beginning of this conversation."))
            view_start = _number(services, ended)
        notice = _notice(services, ended.message, on_note)
        return _result(ended.message, model.id, view_start, notice, temporary=request.temporary)


def _with_options(chat: ChatSettings, request: AskRequest) -> ChatSettings:
    sampling = replace(
        chat.sampling,
        max_tokens=request.max_tokens or chat.sampling.max_tokens,
        seed=chat.sampling.seed if request.seed is None else request.seed,
        temperature=(
            chat.sampling.temperature if request.temperature is None else request.temperature
        ),
    )
    system = chat.system_prompt if request.system is None else request.system
    return replace(chat, sampling=sampling, system_prompt=system)


def _conversation(services: App, request: AskRequest) -> Conversation | None:
    """Return the conversation to go on with, if one is named. Raises `NotFound`."""
    if request.conversation is None:
        return None
    conversation = services.conversations.get(services.conversations.resolve(request.conversation))
    if conversation.deleted:
        raise NotFound(
            tr("The conversation {id} is in the trash.", id=conversation.id),
            tr("Take it out with: chatdesk conversations restore {id}", id=conversation.id),
        )
    return conversation


def _ask_temporary(
    services: App,
    prompt: Sequence[PromptMessage],
    record: AnswerRecord,
    adapters: Sequence[Applied],
    facts: "queue.SimpleQueue[Fact]",
    on_text: Callable[[str], None],
) -> AnswerEnded:
    """Answer without a conversation: nothing of it touches the disk."""
    services.chat.check_fits(prompt)
    state = MessageState.STREAMING
    message = Message(new_id(), "", None, Role.ASSISTANT, (), state, now(), record)
    answer = Answer(message, None, facts.put, lambda ended: None)
    applied = [each.adapter for each in adapters]
    request_id = services.engine.generate(prompt, record.sampling, answer.take, adapters=applied)
    return _follow(facts, on_text, lambda: services.engine.cancel(request_id))


def _follow(
    facts: "queue.SimpleQueue[Fact]", on_text: Callable[[str], None], stop: Callable[[], None]
) -> AnswerEnded:
    """Hand on the text until the answer ends. Raises the problem it ended with.

    A second Ctrl+C does not wait for the end.
    """
    stopped = False
    while True:
        try:
            fact = facts.get()
            if isinstance(fact, TextArrived):
                on_text(fact.text)
        except KeyboardInterrupt:
            if stopped:
                raise
            stopped = True
            stop()
            continue
        if isinstance(fact, AnswerEnded):
            break
    if fact.unsaved:
        raise fact.unsaved
    if fact.message.state in (MessageState.FAILED, MessageState.INTERRUPTED):
        assert fact.message.answer
        raise EngineProblem(fact.message.answer.error or tr("The answer was interrupted."))
    return fact


def _number(services: App, ended: AnswerEnded) -> int:
    """Return the number in its conversation of the oldest message that the model read.

    One of which it read the end only counts as read.
    """
    conversation = services.chat.conversation(ended.message.conversation_id)
    path = conversation.path(ended.message.parent_id)
    place = max(0, ended.view_start - (1 if conversation.system_prompt else 0))
    oldest = readable(path, continued=False)[place]
    return [each.id for each in path].index(oldest.id)


def _notice(services: App, message: Message, on_note: Callable[[str], None]) -> str | None:
    """Tell what the model is, if it has no template, and that it said nothing."""
    loaded = services.engine.status.loaded
    words = template_notice(loaded) if loaded else None
    notice = " ".join(words).replace("\n", " ") if words else None
    if notice:
        on_note(notice)
    if not message.text and message.answer and message.answer.stop_reason != "cancelled":
        on_note(tr("The model ended its answer without a word."))
    return notice


def _result(
    message: Message, model: str, view_start: int, notice: str | None, *, temporary: bool
) -> AskResult:
    record = message.answer
    assert record
    return AskResult(
        text=message.text,
        conversation=None if temporary else message.conversation_id,
        message=None if temporary else message.id,
        model=model,
        adapter=record.adapter_id,
        prompt_tokens=record.prompt_tokens,
        cached_tokens=record.cached_tokens,
        completion_tokens=record.completion_tokens,
        ttft_s=record.ttft_s,
        tokens_per_s=record.tokens_per_s,
        stop_reason=record.stop_reason,
        view_start=view_start,
        notice=notice,
    )
