"""The rows of the sidebar's list: projects, pinned chats, chats by their age, the archive."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chatdesk.core.chat import ConversationSummary
from chatdesk.core.i18n import tr
from chatdesk.core.projects import Project, ProjectSummary
from chatdesk.ui.words import WEEK, days_ago

ARCHIVE: Final = "archive"  # the folder of archived chats; projects have ids of another shape


@dataclass(frozen=True, slots=True)
class Heading:
    """Words above a group. New projects are made at the one with `has_plus`."""

    words: str
    has_plus: bool = False


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A project (its id is the `key`), or the archive; `count` chats are in it."""

    key: str
    name: str
    count: int
    is_open: bool
    project: Project | None = None


@dataclass(frozen=True, slots=True)
class ChatRow:
    """A chat; one inside of a folder is indented."""

    chat: ConversationSummary
    inside: bool = False


Row = Heading | FolderRow | ChatRow


def age_heading(updated: datetime, today: datetime) -> str:
    """The heading a conversation stands under."""
    days = days_ago(updated, today)
    if days == 0:
        return tr("Today")
    if days == 1:
        return tr("Yesterday")
    if days <= WEEK:
        return tr("Previous 7 days")
    return tr("Older")


def rows_of(
    chats: Sequence[ConversationSummary],
    projects: Sequence[ProjectSummary],
    open_folders: Collection[str],
    today: datetime,
) -> Iterator[Row]:
    """Yield the rows for chats that are given the newest first."""
    known = {each.project.id for each in projects}
    inside: dict[str, list[ConversationSummary]] = {each: [] for each in (*known, ARCHIVE)}
    pinned: list[ConversationSummary] = []
    others: list[ConversationSummary] = []
    for chat in chats:
        if chat.archived:
            inside[ARCHIVE].append(chat)
        elif chat.project_id in known:
            inside[chat.project_id].append(chat)
        else:
            (pinned if chat.pinned else others).append(chat)
    if projects:
        yield Heading(tr("Projects"), has_plus=True)
    for each in projects:
        key = each.project.id
        in_order = sorted(inside[key], key=lambda chat: not chat.pinned)
        yield from _folder(key, each.project.name, in_order, open_folders, each.project)
    if pinned:
        yield Heading(tr("Pinned"))
        yield from map(ChatRow, pinned)
    yield from by_age(others, today)
    if inside[ARCHIVE]:
        yield from _folder(ARCHIVE, tr("Archived"), inside[ARCHIVE], open_folders)


def by_age(chats: Iterable[ConversationSummary], today: datetime) -> Iterator[Row]:
    """Yield chats under the headings of their age."""
    heading = ""
    for chat in chats:
        under = age_heading(chat.updated, today)
        if under != heading:
            yield Heading(heading := under)
        yield ChatRow(chat)


def _folder(
    key: str,
    name: str,
    chats: Sequence[ConversationSummary],
    open_folders: Collection[str],
    project: Project | None = None,
) -> Iterator[Row]:
    is_open = key in open_folders
    yield FolderRow(key, name, len(chats), is_open, project)
    if is_open:
        yield from (ChatRow(chat, inside=True) for chat in chats)
