"""Files of imported messages: kept, or where they are missing named in the text."""

from collections.abc import Callable
from dataclasses import replace

from chatdesk.core.i18n import tr
from chatdesk.core.imported import ImportedFile, ImportedMessage, Unreadable
from chatdesk.core.parts import Attachment, Part, Text
from chatdesk.store.attachments import AttachmentFiles

_KINDS = {"image": "picture", "audio": "sound", "video": "video"}


class ImportedFiles:
    """Keeps the files of messages; `missed` is called with the reason for each it cannot keep.

    The text names every file, so that one who reads it, person or model, knows that it was there.
    """

    def __init__(self, files: AttachmentFiles, missed: Callable[[str], None]) -> None:
        self._files = files
        self._missed = missed
        self.kept = 0

    def keep(self, message: ImportedMessage) -> ImportedMessage:
        """Return a message whose files are parts of `core`. Raises `EnvironmentProblem`."""
        if not message.files:
            return message
        own = any(file.part for file in message.files)  # its text says all that there was
        parts: list[Part] = []
        for part in message.parts:
            if isinstance(part, ImportedFile):
                self._add(parts, part)
            elif isinstance(part, Text) and own:
                parts.append(part)
            elif isinstance(part, Text) and any(isinstance(each, Text) for each in parts):
                parts.append(Text(f"\n\n{part.text}"))
            else:
                parts.append(part)
        return replace(message, parts=tuple(parts))

    def _add(self, parts: list[Part], file: ImportedFile) -> None:
        kept = self._kept(file)
        if file.part:
            parts.append(file.part)
            return
        gap = "\n\n" if any(isinstance(each, Text) for each in parts) else ""
        parts.append(Text(gap + _mark(file, is_kept=kept is not None)))
        if kept:
            parts.append(kept)

    def _kept(self, file: ImportedFile) -> Attachment | None:
        if file.open is None:
            self._missed(_missing(file))
            return None
        try:
            with file.open() as stream:
                sha256, size = self._files.add(stream)
        except Unreadable as problem:
            self._missed(str(problem))
            return None
        except OSError:  # it was beside the export a moment ago
            self._missed(_missing(file))
            return None
        self.kept += 1
        return Attachment(sha256, file.media_type or "application/octet-stream", file.name, size)


def _kind(file: ImportedFile) -> str:
    return _KINDS.get(file.media_type.partition("/")[0], "file")


def _mark(file: ImportedFile, *, is_kept: bool) -> str:
    name = file.name
    if not is_kept:
        return tr("[{name}: not in the export]", name=name)
    match _kind(file):
        case "picture":
            return tr("[Picture: {name}]", name=name)
        case "sound":
            return tr("[Sound: {name}]", name=name)
        case "video":
            return tr("[Video: {name}]", name=name)
    return tr("[File: {name}]", name=name)


def _missing(file: ImportedFile) -> str:
    match _kind(file):
        case "picture":
            return tr("A picture is not in the export.")
        case "sound":
            return tr("A sound recording is not in the export.")
    return tr("A file is not in the export.")
