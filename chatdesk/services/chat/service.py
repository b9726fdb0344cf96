"""Chatting: send, regenerate, edit, continue and stop, over the store and a backend.

Every operation blocks only as long as it takes to accept the request (worker threads call them);
facts report the answer itself.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from chatdesk.core.chat import (
    ContextUse,
    Conversation,
    Mark,
    Message,
    MessageState,
    Rating,
    Role,
    TitleSource,
    new_conversation,
    new_message,
    with_thinking_apart,
)
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.generation import Finished, PromptMessage, TextDelta
from chatdesk.core.i18n import tr
from chatdesk.core.loading import ANSWER_ROOM
from chatdesk.core.parts import Part, Source, plain
from chatdesk.core.prompts import prompt_messages, readable
from chatdesk.core.sampling import SamplingParams
from chatdesk.core.unicode import sound_text
from chatdesk.exchange.markdown import as_markdown
from chatdesk.services.adapters.forgetting import Forgetting
from chatdesk.services.adapters.service import AdapterService, Applied
from chatdesk.services.chat.answer import Answer, answer_record
from chatdesk.services.chat.backend import ChatBackend
from chatdesk.services.chat.deleted_messages import DeletedMessages, with_its_answers
from chatdesk.services.chat.facts import (
    AnswerEnded,
    AnswerReopened,
    ConversationsChanged,
    ConversationsGone,
    MessageAdded,
    MessageChanged,
)
from chatdesk.services.chat.titles import (
    TITLE_SAMPLING,
    clean_title,
    first_words,
    is_greeting,
    title_prompt,
)
from chatdesk.services.chat.unsaved import UnsavedAnswers
from chatdesk.services.engine.problems import prompt_too_long
from chatdesk.services.engine.process import Reply
from chatdesk.services.facts import Publish
from chatdesk.services.models.notes import LibraryNotes
from chatdesk.store.conversations import ConversationStore

# What finds the context of a question in a conversation (passages of documents, as `Source`s); it
# stays with the question, so that every later prompt repeats it and the KV cache still fits.
ContextProvider = Callable[[Conversation, Message], Sequence[Part]]

_log = logging.getLogger(__name__)

CLOSING_S = 15.0  # more than a write waits for another program that has the database locked


class ChatService:
    """Runs answers, several conversations' at once if need be; the backend takes them in turn."""

    def __init__(
        self,
        store: ConversationStore,
        backend: ChatBackend,
        publish: Publish,
        notes: LibraryNotes,
        adapters: AdapterService,
        forgetting: Forgetting,
        context: Sequence[ContextProvider] = (),
        *,
        keeps_sessions: bool = True,
    ) -> None:
        self._store = store
        self._backend = backend
        self._adapters = adapters
        self._forgetting = forgetting
        self._publish = publish
        self._notes = notes
        self._context = tuple(context)
        self._keeps_sessions = keeps_sessions
        self._lock = threading.Lock()
        self._answers: dict[str, Answer] = {}  # by message id
        self.unsaved = UnsavedAnswers(store, publish, self._title_if_complete)

    # Asking

    def send(
        self,
        conversation_id: str | None,
        text: str,
        *,
        system_prompt: str | None = None,
        choice: str | None = None,
        project_id: str | None = None,
        adapters: tuple[Applied, ...] | None = None,
        sampling: SamplingParams | None = None,
    ) -> str:
        """Ask `text` at the end of a conversation; the conversation's id.

        None as the id starts one, with this system prompt or else the one of the model or of the
        settings, `choice` as its adapter (see `Conversation.adapter`), and in this project.
        `adapters` answer this once, else those of the conversation; `sampling` likewise, else that
        of the model or of the settings. Raises `PromptTooLong` and other `EnvironmentProblem`s
        before anything is stored.
        """
        text = sound_text(text)
        known, system, path = self._situation(conversation_id, system_prompt)
        title = first_words(text)
        conversation = known or new_conversation(
            title, TitleSource.NONE, system, choice, project_id
        )
        parent = path[-1].id if path else None
        question = self._question(conversation, parent, plain(text))
        prompt = self._fitting_prompt(system, (*path, question))
        answer, adapters = self._placeholder(conversation, question, adapters, sampling)
        self._store.add(question, answer, begins=None if known else conversation)
        self._publish(MessageAdded(question))
        self._publish(ConversationsChanged())
        self._begin(answer, prompt, adapters)
        return conversation.id

    def edit(self, message_id: str, text: str) -> None:
        """Ask a user message anew in other words, as a sibling of the old one."""
        conversation, message = self._find(message_id)
        text = sound_text(text)
        path = conversation.path(message.parent_id) if message.parent_id else ()
        kept = message.with_words(text=text).parts
        parts = tuple(part for part in kept if not isinstance(part, Source))
        question = self._question(conversation, message.parent_id, parts)
        prompt = self._fitting_prompt(conversation.system_prompt, (*path, question))
        answer, adapters = self._placeholder(conversation, question)
        self._store.add(question, answer)
        self._publish(MessageAdded(question))
        self._begin(answer, prompt, adapters)

    def regenerate(self, message_id: str) -> str:
        """Answer the same question again, as a sibling of the old answer; the new one's id."""
        conversation, message = self._find(message_id)
        assert message.role is Role.ASSISTANT and message.parent_id
        path = conversation.path(message.parent_id)
        prompt = self._fitting_prompt(conversation.system_prompt, path)
        answer, adapters = self._placeholder(conversation, conversation.by_id[message.parent_id])
        self._store.add(answer)
        self._begin(answer, prompt, adapters)
        return answer.id

    def continue_answer(self, message_id: str) -> None:
        """Go on writing an answer that stopped early, from its last word, with its adapter."""
        if message_id in self.unsaved.final:  # the store has only the beginning of it
            self.unsaved.save()
        conversation, message = self._find(message_id)
        assert message.answer
        adapters = self._adapters_for(conversation, message.answer.adapter_id or "")
        prompt = self._fitting_prompt(conversation.system_prompt, conversation.path(message_id))
        message = with_thinking_apart(self._store.reopen(message.id))
        self._publish(AnswerReopened(message))
        self._run(message, prompt, adapters)

    def stop(self, conversation_id: str) -> None:
        """Stop what is being written in a conversation; what is there is kept."""
        for answer in self._running(conversation_id):
            answer.stop_wanted = True
            if answer.request_id:
                self._backend.cancel(answer.request_id)

    # Reading

    def conversation(self, conversation_id: str) -> Conversation:
        """A conversation with the newest text of what is being written or could not be saved."""
        conversation = self._store.get(conversation_id)
        with self._lock:
            newest = {key: answer.so_far for key, answer in self._answers.items()}
        newest |= self.unsaved.final
        for message in conversation.messages:
            if message.state is MessageState.STREAMING and message.id not in newest:
                conversation = self._store.get(conversation_id)  # it ended just now
                break
        messages = tuple(
            message.with_content_of(newest.get(message.id, message))
            for message in conversation.messages
        )
        return replace(conversation, messages=messages)

    def as_markdown(self, conversation_id: str) -> str:
        """Return the branch of a conversation that is shown, to be copied."""
        return as_markdown(self.conversation(conversation_id))

    def is_answering(self, conversation_id: str) -> bool:
        """Return True while an answer is written in this conversation."""
        return bool(self._running(conversation_id))

    def show_branch(self, message_id: str) -> Conversation:
        """Make the branch through `message_id` the active one; the conversation."""
        conversation, _ = self._find(message_id)
        leaf = conversation.leaf_below(message_id)
        self._store.set_active_leaf(conversation.id, leaf.id)
        return self.conversation(conversation.id)

    def show_message(self, message_id: str) -> None:
        """Make a branch through a message the active one, unless it is on that."""
        conversation, message = self._find(message_id)
        if message not in conversation.path():
            self.show_branch(message_id)

    def count_tokens(
        self, conversation_id: str | None, text: str, *, system_prompt: str | None = None
    ) -> ContextUse:
        """Count the tokens of a conversation with `text` asked next (if any)."""
        _, system, path = self._situation(conversation_id, system_prompt)
        asked = sound_text(text) if text.strip() else None
        prompt = prompt_messages(system, path, asked) or prompt_messages(system, path, "")
        counted = self._backend.count(prompt)
        if asked is None and counted.tokens > counted.context_window - ANSWER_ROOM:
            asked = ""  # the last answer is too long to go on with, but not to ask after it
            counted = self._backend.count(prompt_messages(system, path, asked))
        read = readable(path, continued=asked is None)
        cut = counted.view_cut
        begin = counted.view_start if cut is None else cut + 1
        left = begin - (1 if system else 0)  # how many messages left the view, or are cut
        view_after = read[left - 1].id if left > 0 else None
        return ContextUse(counted.tokens, counted.context_window, view_after, cut is not None)

    def check_fits(self, prompt: Sequence[PromptMessage]) -> None:
        """Raises `PromptTooLong` when even the last turn leaves no room for an answer.

        Older turns give way to it by themselves.
        """
        counted = self._backend.count(prompt)
        limit = counted.context_window - ANSWER_ROOM
        if counted.tokens > limit:
            raise prompt_too_long(counted.tokens, limit)

    # Ratings and corrections

    def rate(self, message_id: str, rating: Rating | None) -> None:
        """Give an answer a thumb, or take it back."""
        self._store.set_rating(message_id, rating)
        self._notify_changed(message_id)

    def correct(self, message_id: str, text: str) -> None:
        """Add the user's own words in place of an answer, as its sibling."""
        self._publish(MessageAdded(self._store.add_correction(message_id, sound_text(text))))

    def mark(self, message_id: str, mark: Mark | None) -> None:
        """Say whether a message may be learned from; None leaves it to the settings."""
        self._store.set_mark(message_id, mark)
        self._notify_changed(message_id)
        if mark is Mark.EXCLUDE:
            self._forgetting.withdrawn(self._store.conversation_of(message_id))

    def mark_conversation(self, conversation_id: str, mark: Mark | None) -> int:
        """Say whether a conversation may be learned from; None leaves it to the settings.

        The number of usable adapters that learned from one that is excluded now.
        """
        self._store.set_conversation_mark(conversation_id, mark)
        self._publish(ConversationsChanged())
        if mark is not Mark.EXCLUDE:
            return 0
        self._forgetting.withdrawn(conversation_id)
        return self._learned_from(conversation_id)

    # Keeping

    def pin(self, message_id: str, pinned: bool) -> None:
        """Keep a message in the model's view when the context is full, or no longer."""
        self._store.set_pinned(message_id, pinned)
        self._notify_changed(message_id)

    def delete_message(self, message_id: str) -> DeletedMessages:
        """Delete a message, and with a question its answers. Raises `EnvironmentProblem`."""
        conversation, message = self._find(message_id)
        deleted = with_its_answers(conversation, message)
        if any(answer.message.id in deleted.message_ids for answer in self._running()):
            raise EnvironmentProblem(
                tr("This answer is still being written."), tr("Wait for its end, or stop it.")
            )
        self._store.hide(deleted.message_ids, conversation.id, deleted.new_leaf)
        self._forgetting.withdrawn(conversation.id)
        return deleted

    def restore_messages(self, deleted: DeletedMessages) -> None:
        """Bring deleted messages back; they are shown where nothing was said meanwhile."""
        now_at_end = self._store.get(deleted.conversation_id).active_leaf_id
        unchanged = now_at_end in (deleted.leaf, deleted.new_leaf)
        leaf = deleted.leaf if unchanged else None
        self._store.unhide(deleted.message_ids, deleted.conversation_id, leaf)

    def rename(self, conversation_id: str, title: str) -> None:
        """Give a conversation the user's own title."""
        self._store.rename(conversation_id, title, TitleSource.USER)
        self._publish(ConversationsChanged())

    def branch(self, message_id: str) -> str:
        """Begin a conversation with a copy of what leads to a message; return the new one's id.

        Ratings and marks are not copied: nothing is learned twice. Raises `EnvironmentProblem`
        while the message is being written.
        """
        conversation, message = self._find(message_id)
        if message.state is MessageState.STREAMING:
            raise EnvironmentProblem(
                tr("This answer is still being written."), tr("Wait for its end, or stop it.")
            )
        made = new_conversation(
            conversation.title,
            conversation.title_source,
            conversation.system_prompt,
            conversation.adapter,
            conversation.project_id,
        )
        copies: list[Message] = []
        for each in conversation.path(message_id):
            parent = copies[-1].id if copies else None
            copy = new_message(made.id, parent, each.role, each.parts, each.state, each.answer)
            copies.append(replace(copy, pinned=each.pinned))
        self._store.add(*copies, begins=replace(made, mark=conversation.mark))
        self._publish(ConversationsChanged())
        return made.id

    def delete(self, conversation_id: str) -> int:
        """Move a conversation to the trash; what is being written in it is stopped and kept.

        The number of usable adapters that learned from it.
        """
        self.stop(conversation_id)
        self._store.delete(conversation_id)
        self._forgetting.deleted(conversation_id)
        self._publish(ConversationsChanged())
        return self._learned_from(conversation_id)

    def restore(self, conversation_id: str) -> None:
        """Take a conversation out of the trash."""
        self._store.restore(conversation_id)
        self._publish(ConversationsChanged())

    def delete_for_good(self, *conversation_ids: str) -> None:
        """Delete conversations in the trash for good."""
        self._store.delete_for_good(conversation_ids)
        self._publish(ConversationsGone(conversation_ids))
        self._publish(ConversationsChanged())

    def purge_trash(self, older_than: datetime) -> None:
        """Delete for good what went to the trash before that moment."""
        if gone := self._store.purge(older_than):
            self._publish(ConversationsGone(gone))

    def close(self, timeout_s: float = CLOSING_S) -> None:
        """End every answer with what is there, and save it and those that were not saved yet."""
        running = self._running()
        for answer in running:
            if answer.request_id:
                self._backend.cancel(answer.request_id)
            answer.interrupt()
        for answer in running:
            answer.wait(timeout_s)
        self.unsaved.close()

    # Inside

    def _situation(
        self, conversation_id: str | None, system_prompt: str | None
    ) -> tuple[Conversation | None, str, tuple[Message, ...]]:
        """A conversation (or None for a new one), its system prompt, and its active path."""
        if conversation_id is None:
            if system_prompt is None:
                system_prompt = self._notes.defaults(self._backend.status.model).system_prompt
            return None, system_prompt, ()
        conversation = self.conversation(conversation_id)
        return conversation, conversation.system_prompt, conversation.path()

    def _find(self, message_id: str) -> tuple[Conversation, Message]:
        conversation = self.conversation(self._store.conversation_of(message_id))
        return conversation, conversation.by_id[message_id]

    def _learned_from(self, conversation_id: str) -> int:
        return sum(record.is_usable for record in self._adapters.trained_on(conversation_id))

    def _notify_changed(self, message_id: str) -> None:
        conversation = self.conversation(self._store.conversation_of(message_id))
        self._publish(MessageChanged(conversation.by_id[message_id]))

    def _question(
        self, conversation: Conversation, parent_id: str | None, parts: tuple[Part, ...]
    ) -> Message:
        """A question that is not stored yet, with what the providers find for it before it."""
        asked = new_message(conversation.id, parent_id, Role.USER, parts)
        found = [part for provide in self._context for part in provide(conversation, asked)]
        return replace(asked, parts=(*found, *parts))

    def _fitting_prompt(self, system: str, path: Sequence[Message]) -> tuple[PromptMessage, ...]:
        prompt = prompt_messages(system, path)
        self.check_fits(prompt)
        return prompt

    def _adapters_for(self, conversation: Conversation, choice: str | None) -> tuple[Applied, ...]:
        model = self._backend.status.model
        return self._adapters.for_answer(model, choice, conversation.id) if model else ()

    def _placeholder(
        self,
        conversation: Conversation,
        question: Message,
        adapters: tuple[Applied, ...] | None = None,
        sampling: SamplingParams | None = None,
    ) -> tuple[Message, tuple[Applied, ...]]:
        """An empty answer that is not stored yet, and the adapters that it is given with."""
        if adapters is None:
            adapters = self._adapters_for(conversation, conversation.adapter)
        model = self._backend.status.model
        record = answer_record(model, sampling or self._notes.defaults(model).sampling, adapters)
        state = MessageState.STREAMING
        answer = new_message(conversation.id, question.id, Role.ASSISTANT, plain(""), state, record)
        return answer, adapters

    def _begin(
        self, message: Message, prompt: tuple[PromptMessage, ...], adapters: tuple[Applied, ...]
    ) -> None:
        self._publish(MessageAdded(message))
        self._run(message, prompt, adapters)

    def _run(
        self, message: Message, prompt: tuple[PromptMessage, ...], adapters: tuple[Applied, ...]
    ) -> None:
        note_progress = partial(self.unsaved.note_progress, message.id)
        answer = Answer(message, self._store, self._publish, self._on_ended, note_progress)
        with self._lock:
            self._answers[message.id] = answer
        assert message.answer
        answer.request_id = self._backend.generate(
            prompt,
            message.answer.sampling,
            answer.take,
            adapters=[each.adapter for each in adapters],
            session=message.conversation_id if self._keeps_sessions else None,
        )
        if answer.stop_wanted:  # while it was being asked for
            self._backend.cancel(answer.request_id)

    def _running(self, conversation_id: str | None = None) -> list[Answer]:
        with self._lock:
            return [
                answer
                for answer in self._answers.values()
                if conversation_id in (None, answer.message.conversation_id)
            ]

    def _on_ended(self, ended: AnswerEnded) -> None:
        message = ended.message
        self.unsaved.note_end(message, ended.unsaved)
        with self._lock:
            self._answers.pop(message.id, None)
        if not ended.unsaved:
            self._title_if_complete(message)

    def _title_if_complete(self, message: Message) -> None:
        if message.state is not MessageState.COMPLETE:
            return
        try:
            self._title(message.conversation_id)
        except EnvironmentProblem as problem:  # the end is reported all the same
            _log.warning("no title: %s", problem)

    def _title(self, conversation_id: str) -> None:
        """Have the model name a conversation that only has its first words for a title."""
        question = self._store.untitled_question(conversation_id)
        if question and is_greeting(question):  # what was asked after it, once there is something
            asked = self._store.get(conversation_id).path()
            texts = (each.text for each in asked if each.role is Role.USER)
            question = next((text for text in texts if not is_greeting(text)), None)
        if question is None:
            return
        loaded = self._backend.status.loaded
        if loaded and loaded.template_notice == "missing":  # a base model would go on with it
            return
        prompt = title_prompt(question, reasons=loaded is not None and loaded.reasons)
        pieces: list[str] = []

        def on_reply(reply: Reply) -> None:
            match reply:
                case TextDelta(text=text):
                    pieces.append(text)
                case Finished() if title := clean_title("".join(pieces)):
                    try:
                        self._store.rename(conversation_id, title, TitleSource.MODEL)
                    except EnvironmentProblem as problem:
                        _log.warning("a title could not be saved: %s", problem)
                    self._publish(ConversationsChanged())

        self._backend.generate(prompt, TITLE_SAMPLING, on_reply, background=True)
