"""The state of the window when it was closed: read at once at start, before the database."""

import json
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Self

from chatdesk.core.chat import is_temporary
from chatdesk.core.coercion import Between, coerced
from chatdesk.core.files import write_json

_log = logging.getLogger(__name__)

Pixels = Annotated[int, Between(-(2**31), 2**31 - 1)]  # Qt's numbers have 32 bits
MAX_ANCHORS = 200  # conversations whose reading position is remembered, the newest kept
MAX_GIVEN_UP = 200  # likewise of edits that were left


@dataclass(slots=True)
class WindowState:
    """Size of window and sidebar, open conversation, drafts, edits and reading positions.

    `drafts` are by conversation id, "" is the new chat's; `waiting` is likewise what was sent and
    is not accepted yet, which is a draft again at the next start. `edits` are by the id of the
    message that is edited: its conversation's id, and the text so far; `given_up` are those of
    editors that were left. `anchors` are the message at the top of the view and its distance from
    there in pixels. `unread` are conversations whose newest answer was not looked at yet.
    `open_folders` are projects whose chats are listed.
    """

    x: Pixels | None = None
    y: Pixels | None = None
    width: Pixels = 1120
    height: Pixels = 760
    maximized: bool = False
    sidebar: bool = True
    sidebar_width: Pixels = 264
    inspector: bool = False
    conversation: str | None = None
    drafts: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, tuple[str, ...]] = field(default_factory=dict)
    edits: dict[str, tuple[str, str]] = field(default_factory=dict)
    given_up: dict[str, tuple[str, str]] = field(default_factory=dict)
    anchors: dict[str, tuple[str, Pixels]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    open_folders: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """The state of a file; the default of each value that is not there or makes no sense."""
        try:
            state = coerced(cls, json.loads(path.read_bytes()))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, RecursionError) as problem:
            _log.warning("the window's state is not readable: %s", type(problem).__name__)
            return cls()
        for conversation_id in list(state.waiting):
            state.give_back(conversation_id)
        return state

    def remember_draft(self, conversation_id: str | None, text: str) -> None:
        """Keep what was typed but not sent; nothing is kept of an empty text."""
        if text.strip():
            self.drafts[conversation_id or ""] = text
        else:
            self.drafts.pop(conversation_id or "", None)

    def give_back(self, conversation_id: str | None) -> None:
        """Make what waits to be sent a draft again, in front of what was typed since."""
        key = conversation_id or ""
        words = [*self.waiting.pop(key, ()), self.drafts.get(key, "")]
        self.remember_draft(conversation_id, "\n\n".join(each for each in words if each.strip()))

    def remember_edit(self, conversation_id: str, message_id: str, text: str | None) -> None:
        """Keep what is in a message's editor; None means it is closed."""
        if text is None:
            self.edits.pop(message_id, None)
        else:
            self.edits[message_id] = conversation_id, text
            self.given_up.pop(message_id, None)

    def give_up_edit(self, conversation_id: str, message_id: str, text: str | None) -> None:
        """Keep what was typed in an editor that was left; None: the message was as it stands."""
        self.edits.pop(message_id, None)
        self.given_up.pop(message_id, None)
        if text is not None:
            self.given_up[message_id] = conversation_id, text
        while len(self.given_up) > MAX_GIVEN_UP:
            self.given_up.pop(next(iter(self.given_up)))

    def edits_of(self, conversation_id: str | None) -> dict[str, str]:
        """Return the text in the open editors of a conversation, by message id."""
        return {id_: text for id_, (of, text) in self.edits.items() if of == conversation_id}

    def given_up_of(self, conversation_id: str | None) -> dict[str, str]:
        """Return what was typed in editors of a conversation that were left, by message id."""
        return {id_: text for id_, (of, text) in self.given_up.items() if of == conversation_id}

    def remember_anchor(self, conversation_id: str, anchor: tuple[str, int] | None) -> None:
        """Keep where the reader was; None means at the end."""
        self.anchors.pop(conversation_id, None)
        if anchor:
            self.anchors[conversation_id] = anchor
        while len(self.anchors) > MAX_ANCHORS:
            self.anchors.pop(next(iter(self.anchors)))

    def forget(self, conversation_id: str) -> None:
        """Keep nothing of a conversation."""
        self.drafts.pop(conversation_id, None)
        self.waiting.pop(conversation_id, None)
        self.anchors.pop(conversation_id, None)
        for kept in (self.edits, self.given_up):
            for message_id in [id_ for id_, (of, _) in kept.items() if of == conversation_id]:
                kept.pop(message_id)

    def write(self, path: Path) -> bool:
        """Replace the file; False if the disk refuses: the window must still close.

        Nothing of temporary conversations is written.
        """
        kept = asdict(self)
        if is_temporary(self.conversation):
            kept["conversation"] = None
        for each in ("drafts", "waiting", "anchors"):
            kept[each] = {of: value for of, value in kept[each].items() if not is_temporary(of)}
        for each in ("edits", "given_up"):
            kept[each] = {
                id_: edit for id_, edit in kept[each].items() if not is_temporary(edit[0])
            }
        kept["unread"] = [each for each in self.unread if not is_temporary(each)]
        try:
            write_json(path, kept)
        except OSError as problem:
            _log.warning("the window's state was not saved: %s", problem.strerror)
            return False
        return True
