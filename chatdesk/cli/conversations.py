"""The commands of `chatdesk conversations`."""

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from chatdesk.cli.parts import (
    OK,
    Action,
    Argument,
    Document,
    add_actions,
    fail,
    note,
    print_fields,
    print_json,
    print_rows,
    text_argument,
    within,
)
from chatdesk.core.chat import Role
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings


def add_conversations(commands: Any) -> None:
    """Make the commands known."""
    chat = (Argument("id", "ID", type=text_argument),)
    actions = (
        Action("list", tr("list the chats, the newest first"), _list),
        Action("show", tr("print a chat"), _show, chat),
        Action("search", tr("find words in all chats"), _search, _search_arguments()),
        Action(
            "import", tr("import chats from another app's export"), _import, _import_arguments()
        ),
        Action("export", tr("write chats to a file or folder"), _export, _export_arguments()),
        Action("delete", tr("move a chat to the trash"), _delete, chat),
        Action("restore", tr("take a chat out of the trash"), _restore, chat),
    )
    add_actions(commands, "conversations", tr("your chats"), actions)


def _list(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.conversations import list_conversations

    return print_rows(
        list_conversations(paths),
        lambda each: f"{each['id']}  {each['updated'][:16]}  {each['title']}",
        as_json=options.json,
    )


def _show(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.conversations import show_conversation

    document = show_conversation(paths, options.id)
    if options.json:
        print_json(document)
        return OK
    print(f"# {document['title']}")
    for message in document["messages"]:
        if message["active"]:
            print(f"\n## {message['role']}\n{message['text']}")
    return OK


def _search_arguments() -> tuple[Argument, ...]:
    before = tr("only older ones, as 2024-05-17, 2024-05 or 2024")
    return (
        Argument("words", "WORDS", nargs="+", type=text_argument, help=tr("what to look for")),
        Argument("--project", "P", type=text_argument, help=tr("only in this project")),
        Argument("--role", choices=("user", "assistant"), help=tr("only what they wrote")),
        Argument("--model", "M", type=text_argument, help=tr("only answers of this model")),
        Argument("--before", "DATE", type=_date, help=before),
        Argument("--after", "DATE", type=_date, help=tr("only from that date on")),
        Argument("--limit", "N", type=_limit, default=20, help=tr("how many to print")),
    )


def _date(text: str) -> datetime:
    from chatdesk.core.search import beginning

    if (moment := beginning(text)) is None:
        raise argparse.ArgumentTypeError(
            tr("“{value}” is not a date like 2024-05-17, 2024-05 or 2024", value=text)
        )
    return moment


def _limit(text: str) -> int:
    return within(int, text, 1, 1000)


def _search(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.search import search_conversations
    from chatdesk.core.search import Filters, parse

    role = options.role and Role(options.role)
    given = Filters(options.project, options.model, role, options.before, options.after)
    query = parse(" ".join(options.words)).within(given)
    document, notice = search_conversations(paths, query, options.limit)
    if notice:
        note(notice)
    return print_rows(document, _search_line, as_json=options.json)


def _search_line(row: Document) -> str:
    begins, ends = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
    snippet = row["snippet"].replace("\u0002", begins).replace("\u0003", ends)
    head = f"{row['conversation']}  {row['created'][:16]}  {row['title']}"
    return f"{head}\n    {snippet}" if row["message"] else f"{head}"


def _import_arguments() -> tuple[Argument, ...]:
    return (
        Argument("files", "FILE", nargs="+", type=Path, help=tr("a file, folder or zip archive")),
        Argument("--project", "P", type=text_argument, help=tr("the project of all chats")),
        Argument(
            "--dry-run", action="store_true", help=tr("say what would come in, import nothing")
        ),
    )


def _import(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.imports import import_conversations

    document, problem = import_conversations(
        paths, options.files, options.project, dry_run=options.dry_run
    )
    if options.json:
        print_json(document)
    else:
        for name in (
            "format",
            "conversations",
            "messages",
            "new",
            "grown",
            "skipped",
            "attachments",
        ):
            print(f"{name}: {document[name]}")
        for warning in document["warnings"]:
            print(f"{warning['where']}: {warning['reason']}")
    return fail(problem.sentence) if problem else OK


def _export_arguments() -> tuple[Argument, ...]:
    formats = ("json", "markdown", "html", "sharegpt")
    return (
        Argument("file", "FILE", type=Path, help=tr("the file, or the folder of several files")),
        Argument("ids", "ID", nargs="*", type=text_argument, help=tr("these chats, else all")),
        Argument("--format", choices=formats, default="json", help=tr("json holds everything")),
        Argument("--project", "P", type=text_argument, help=tr("the chats of this project")),
    )


def _export(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.exports import export_conversations

    document = export_conversations(
        paths, options.file, options.format, options.ids, options.project
    )
    return print_fields(document, as_json=options.json)


def _delete(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.conversations import delete_conversation

    return print_fields(delete_conversation(paths, options.id), as_json=options.json)


def _restore(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.conversations import restore_conversation

    return print_fields(restore_conversation(paths, options.id), as_json=options.json)
