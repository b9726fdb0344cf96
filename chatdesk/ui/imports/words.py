"""The words of an import: what an export holds, what comes in, and what could not be read."""

from chatdesk.core.i18n import tr, trn
from chatdesk.core.imported import Arrival
from chatdesk.services.history.import_values import (
    ImportPreview,
    ImportProgressed,
    ImportReport,
    PreviewedChat,
)
from chatdesk.ui.words import left_words

MOST_REASONS = 3  # in one line
MOST_LINES = 2000  # of the report that is shown


def message_words(messages: int) -> str:
    """Return a number of messages: "9,412 messages"."""
    return trn("{count} message", "{count} messages", messages, count=f"{messages:,}")


def branch_words(branches: int) -> str:
    """Return a number of branches: "3 branches"."""
    return trn("{n} branch", "{n} branches", branches)


def chats_words(chats: int) -> str:
    """Return a number of chats: "318 chats"."""
    return trn("{count} chat", "{count} chats", chats, count=f"{chats:,}")


def file_words(files: int) -> str:
    """Return a number of pictures and other files."""
    return trn("{n} file", "{n} files", files)


def chat_words(chat: PreviewedChat) -> str:
    """Return how a chat stands, in few words."""
    match chat.arrival:
        case Arrival.EMPTY:
            return tr("empty, left out")
        case Arrival.SAME:
            return tr("is here already")
        case Arrival.TRASHED:
            return tr("in the trash")
        case Arrival.GROWN:
            return tr("grown by {n}", n=chat.new_messages)
    return file_words(chat.files) if chat.files else ""


def source_words(file: str, preview: ImportPreview) -> str:
    """Return what an export holds: its file, app and numbers."""
    report = preview.report
    files = [file_words(report.attachments)] if report.attachments else []
    numbers = ", ".join((chats_words(report.conversations), message_words(report.messages), *files))
    return " · ".join((file, report.app, numbers, tr("nothing is sent anywhere")))


def news_words(preview: ImportPreview) -> str:
    """Return how much of an export is new."""
    new, grown = preview.report.new, preview.report.grown
    if new and grown:
        return tr(
            "{new} chats are new, {grown} have grown since the last import",
            new=f"{new:,}",
            grown=f"{grown:,}",
        )
    if grown:
        return trn(
            "{n} chat has grown since the last import",
            "{n} chats have grown since the last import",
            grown,
        )
    if new:
        return trn("{count} chat is new", "{count} chats are new", new, count=f"{new:,}")
    return tr("Nothing here is new")


def unread_words(report: ImportReport) -> tuple[str, str]:
    """Return how much could not be read, and the most frequent reasons."""
    if not report.warnings:
        return tr("Everything could be read"), tr("Nothing is left out.")
    count = len(report.warnings)
    title = trn("{n} thing to know", "{n} things to know", count)
    reasons = [
        f"{reason} ({number:,})" if number > 1 else reason
        for reason, number in report.reasons[:MOST_REASONS]
    ]
    return title, "\n".join(reasons)


def report_words(report: ImportReport) -> str:
    """Return every line of the report."""
    lines = [f"{warning.where}: {warning.reason}" for warning in report.warnings[:MOST_LINES]]
    if left := len(report.warnings) - len(lines):
        lines.append(trn("… and {n} more", "… and {n} more", left))
    return "\n".join(lines)


def done_words(report: ImportReport) -> str:
    """Return what an import did, in one sentence."""
    if report.new and report.grown:
        return tr(
            "{new} chats came in, {grown} have grown.",
            new=f"{report.new:,}",
            grown=f"{report.grown:,}",
        )
    if report.new:
        return trn(
            "{count} chat came in.", "{count} chats came in.", report.new, count=f"{report.new:,}"
        )
    if report.grown:
        return trn("{n} chat has grown.", "{n} chats have grown.", report.grown)
    return tr("Nothing new came in.")


def progress_words(progress: ImportProgressed, total: int) -> str:
    """Return how far an import is; `total` messages if they are known, else 0."""
    done = progress.messages
    if total:
        words = tr("{done} of {total} messages", done=f"{min(done, total):,}", total=f"{total:,}")
    else:
        words = message_words(done)
    left = progress.seconds_left
    return words if left is None else f"{words} · {left_words(left)}"
