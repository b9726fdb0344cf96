"""The parts of a conversation to learn, by ratings, corrections, choices and marks."""

from collections.abc import Iterator
from dataclasses import replace

from chatdesk.core.chat import (
    Conversation,
    Mark,
    Message,
    MessageState,
    Rating,
    Role,
    StopReason,
    with_thinking_apart,
)
from chatdesk.core.personalization import (
    Doubt,
    Example,
    ExampleReason,
    ExampleSource,
    LearnFrom,
    Turn,
)
from chatdesk.core.prompts import is_words, prompt_messages
from chatdesk.services.personalize.examples.examples import new_example


def candidates(conversation: Conversation, learn_from: LearnFrom) -> list[Example]:
    """Return the examples in a stored conversation.

    Excluded messages are neither target nor context: their turn is left out. Answers that were
    rated down or corrected are no targets, but others are preferred to them.
    """
    if learn_from is LearnFrom.NOTHING or conversation.mark is Mark.EXCLUDE:
        return []
    everything = learn_from is LearnFrom.EVERYTHING or conversation.mark is Mark.INCLUDE
    messages = tuple(map(with_thinking_apart, conversation.messages))
    return list(_Finder(replace(conversation, messages=messages), everything).examples())


class _Finder:
    """Checks every answer of a conversation; `everything` is all answers on the active path."""

    def __init__(self, conversation: Conversation, everything: bool) -> None:
        self._conversation = conversation
        self._everything = everything
        self._active = {message.id for message in conversation.path()}
        self._continued = {
            m.parent_id for m in conversation.messages if m.role is Role.USER and not m.hidden
        }
        self._corrected = {m.corrects for m in conversation.messages if _is_allowed(m)}

    def examples(self) -> Iterator[Example]:
        """Yield the examples, in the order of their target messages."""
        for message in self._conversation.messages:
            if not self._may_be_said(message):
                continue
            turns = self._turns_before(message)
            if not turns:
                continue
            if why := self._why(message):
                yield _example(why, turns, message)
            for reason, other in self._worse_ones(message):
                yield _example(reason, turns, message, other)

    def _may_be_said(self, message: Message) -> bool:
        return (
            message.role is Role.ASSISTANT
            and message.state is not MessageState.STREAMING
            and message.rating is not Rating.DOWN
            and message.id not in self._corrected
            and _is_allowed(message)
        )

    def _why(self, message: Message) -> ExampleReason | None:
        if message.corrects:
            return ExampleReason.CORRECTED
        if message.rating is Rating.UP:
            return ExampleReason.RATED
        if message.mark is Mark.INCLUDE:
            return ExampleReason.INCLUDED
        if self._everything and message.id in self._active and _is_complete(message):
            return ExampleReason.INCLUDED
        return None

    def _worse_ones(self, message: Message) -> Iterator[tuple[ExampleReason, Message]]:
        """Yield the other answers to the same question that this one is preferred to."""
        siblings = self._conversation.siblings(message.id)
        is_kept = self._is_kept(message)
        for other in siblings:
            if not _is_complete(other) or not _is_allowed(other) or other.text == message.text:
                continue
            if other.id == message.corrects:
                yield ExampleReason.CORRECTED, other
            elif is_kept and not self._is_liked(other):
                yield ExampleReason.PREFERRED, other

    def _is_kept(self, message: Message) -> bool:
        if not _is_complete(message):
            return False
        if message.rating is Rating.UP:
            others = self._conversation.siblings(message.id)
            return message.id in self._active or any(m.rating is Rating.DOWN for m in others)
        return message.id in self._continued

    def _is_liked(self, message: Message) -> bool:
        return bool(message.rating is Rating.UP or message.corrects) or (
            message.rating is None and self._is_kept(message)
        )

    def _turns_before(self, message: Message) -> tuple[Turn, ...]:
        """Return the turns before an answer, as the model reads them; empty without a question."""
        path = self._conversation.path(message.parent_id) if message.parent_id else ()
        if not path or path[-1].role is not Role.USER or not _is_allowed(path[-1]):
            return ()
        turns: list[list[Message]] = []
        for each in path:
            if each.role is Role.USER or not turns:
                turns.append([])
            turns[-1].append(each)
        allowed = [each for turn in turns if all(map(_is_allowed, turn)) for each in turn]
        prompt = prompt_messages(self._conversation.system_prompt, allowed)
        return tuple(Turn(str(each.role), each.content) for each in prompt)


def _is_allowed(message: Message) -> bool:
    return message.mark is not Mark.EXCLUDE and not message.hidden and is_words(message)


def _is_complete(message: Message) -> bool:
    whole = message.state is MessageState.COMPLETE and bool(message.text.strip())
    return message.role is Role.ASSISTANT and whole


def _is_cut_off(message: Message) -> bool:
    stopped = message.answer is not None and message.answer.stop_reason == StopReason.LENGTH
    return stopped or message.state is not MessageState.COMPLETE


def _example(
    why: ExampleReason, turns: tuple[Turn, ...], message: Message, other: Message | None = None
) -> Example:
    """Return an example of this message after these turns; `other` is the rejected one."""
    sources = [ExampleSource(each.conversation_id, each.id) for each in (message, other) if each]
    return new_example(
        why,
        turns,
        message.text,
        sources,
        rejected=other.text if other else "",
        doubts=(Doubt.CUT_OFF,) if _is_cut_off(message) else (),
    )
