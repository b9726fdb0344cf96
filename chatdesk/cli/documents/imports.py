"""The command line's document on an import, with the names of its contract."""

from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from chatdesk.cli.parts import Document, show_share
from chatdesk.core.errors import EnvironmentProblem, NotFound
from chatdesk.core.paths import AppPaths
from chatdesk.services.facts import Fact
from chatdesk.services.history.import_values import ImportChoice, ImportProgressed, ImportReport
from chatdesk.services.history.imports import ImportService
from chatdesk.store.attachments import AttachmentFiles
from chatdesk.store.database import Database
from chatdesk.store.imports import ImportStore
from chatdesk.store.projects import ProjectStore

_COUNTS = ("conversations", "messages", "new", "grown", "skipped", "attachments")


def import_conversations(
    paths: AppPaths, files: Sequence[Path], project: str | None, *, dry_run: bool
) -> tuple[Document, EnvironmentProblem | None]:
    """Import these one after the other; with a problem, what came in before it stays.

    `project` is the name of one or its id, or of a new one. Raises `EnvironmentProblem`.
    """
    reports: list[ImportReport] = []
    with closing(Database.open(paths.database)) as database:
        projects = ProjectStore(database)
        store, kept = ImportStore(database), AttachmentFiles(paths.attachments)
        service = ImportService(store, projects, kept, _show)
        choice = ImportChoice(project=_name(projects, project) if project else None)
        for file in files:
            if dry_run:
                reports.append(service.look(file).report)
            else:
                reports.append(service.run(file, choice))
            if reports[-1].problem:
                break
    return _document(reports), reports[-1].problem


def _name(projects: ProjectStore, project: str) -> str:
    names = {each.project.id: each.project.name for each in projects.list()}
    if project in names.values():
        return project
    with suppress(NotFound):
        return names[projects.resolve(project)]
    return project


def _document(reports: Sequence[ImportReport]) -> Document:
    return {
        "format": ", ".join(dict.fromkeys(report.format for report in reports)),
        **{name: sum(getattr(report, name) for report in reports) for name in _COUNTS},
        "warnings": [
            {"where": warning.where, "reason": warning.reason}
            for report in reports
            for warning in report.warnings
        ],
    }


def _show(fact: Fact) -> None:
    if isinstance(fact, ImportProgressed):
        show_share(fact.share)
