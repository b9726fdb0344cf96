"""The commands of `chatdesk projects`."""

import argparse
from typing import Any

from chatdesk.cli.parts import (
    OK,
    Action,
    Argument,
    add_actions,
    print_fields,
    print_json,
    print_rows,
    text_argument,
)
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths
from chatdesk.core.projects import COLOURS
from chatdesk.core.settings import Settings


def add_projects(commands: Any) -> None:
    """Make the commands known."""
    name = Argument("name", "NAME", type=text_argument)
    project = Argument("project", "PROJECT", type=text_argument, help=tr("its name or id"))
    colour = Argument("--colour", choices=COLOURS, help=tr("the colour of its folder"))
    rename = Argument("--name", "NAME", type=text_argument, help=tr("its new name"))
    actions = (
        Action("list", tr("list the projects"), _list),
        Action("create", tr("make a project"), _create, (name, colour)),
        Action("show", tr("print a project and its chats"), _show, (project,)),
        Action("set", tr("rename a project, or give it a colour"), _set, (project, rename, colour)),
        Action("delete", tr("delete a project; its chats stay"), _delete, (project,)),
    )
    add_actions(commands, "projects", tr("folders of chats"), actions)


def _list(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.projects import list_projects

    return print_rows(
        list_projects(paths),
        lambda each: f"{each['id']}  {each['conversations']:5}  {each['name']}",
        as_json=options.json,
    )


def _create(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.projects import create_project

    document = create_project(paths, options.name, options.colour or "")
    return print_fields(document, as_json=options.json)


def _show(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.projects import show_project

    document = show_project(paths, options.project)
    if options.json:
        print_json(document)
        return OK
    print(f"# {document['name']}")
    for chat in document["chats"]:
        print(f"{chat['id']}  {chat['updated'][:16]}  {chat['title']}".rstrip())
    return OK


def _set(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.projects import change_project

    document = change_project(paths, options.project, options.name, options.colour)
    return print_fields(document, as_json=options.json)


def _delete(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.projects import delete_project

    return print_fields(delete_project(paths, options.project), as_json=options.json)
