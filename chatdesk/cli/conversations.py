"""The commands of `chatdesk conversations`."""

import argparse
from pathlib import Path
from typing import Any

from chatdesk.cli.parts import (
    OK,
    Action,
    Argument,
    add_actions,
    fail,
    print_fields,
    print_json,
    print_rows,
    text_argument,
)
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings


def add_conversations(commands: Any) -> None:
    """Make the commands known."""
    chat = (Argument("id", "ID", type=text_argument),)
    actions = (
        Action("list", tr("list the chats, the newest first"), _list),
        Action("show", tr("print a chat"), _show, chat),
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
