"""The command line's document on an export, with the names of its contract."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from chatdesk.cli.parts import Document
from chatdesk.core.paths import AppPaths
from chatdesk.services.history.exports import ExportFormat, ExportService
from chatdesk.store.attachments import AttachmentFiles
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.imports import ImportStore
from chatdesk.store.projects import ProjectStore


def export_conversations(
    paths: AppPaths, target: Path, kind: str, ids: Sequence[str], project: str | None
) -> Document:
    """Write these chats, those of a project, or all. Raises `NotFound` and `ExportProblem`."""
    with closing(Database.open(paths.database)) as database:
        store, projects = ConversationStore(database), ProjectStore(database)
        chosen = [store.resolve(each) for each in ids] if ids else None
        if project is not None:
            home = projects.resolve(project)
            inside = [each.id for each in store.list() if each.project_id == home]
            chosen = [each for each in inside if chosen is None or each in chosen]
        service = ExportService(
            store, projects, ImportStore(database), AttachmentFiles(paths.attachments)
        )
        done = service.export(target.absolute(), ExportFormat(kind), chosen)
    return {
        "conversations": done.conversations,
        "messages": done.messages,
        "path": str(done.path),
    }
