"""The commands of `chatdesk backup`."""

import argparse
from pathlib import Path
from typing import Any

from chatdesk.cli.parts import (
    Action,
    Argument,
    add_actions,
    print_fields,
    print_rows,
    show_share,
    text_argument,
)
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings


def add_backup(commands: Any) -> None:
    """Make the commands known."""
    file = Argument("file", "FILE", type=Path, nargs="?", help=tr("where it is written"))
    backup = Argument("backup", "FILE|ID", type=text_argument)
    actions = (
        Action("create", tr("put everything but models into one file"), _create, (file,)),
        Action("list", tr("list the backups, the newest first"), _list),
        Action("show", tr("say what is in a backup"), _show, (backup,)),
        Action("restore", tr("put a backup in the place of what is there"), _restore, (backup,)),
    )
    add_actions(commands, "backup", tr("copies of your chats and settings"), actions)


def _create(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.backups import create_backup

    document = create_backup(
        paths, settings, options.file, lambda done, total: show_share(done / max(1, total))
    )
    return print_fields(document, as_json=options.json)


def _list(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.backups import list_backups

    return print_rows(
        list_backups(paths, settings),
        lambda each: f"{each['id']}  {each['conversations']:6} {each['path']}",
        as_json=options.json,
    )


def _show(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.backups import show_backup

    return print_fields(show_backup(paths, settings, options.backup), as_json=options.json)


def _restore(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.backups import restore_backup

    return print_fields(restore_backup(paths, settings, options.backup), as_json=options.json)
