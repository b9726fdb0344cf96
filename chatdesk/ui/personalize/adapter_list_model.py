"""All runs and adapters as a Qt model: a row each, and what stands in its columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, auto

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import AdapterRecord, Withdrawn
from chatdesk.core.units import size_words
from chatdesk.ui.personalize.scorecard_figures import general_judgement, own_judgement
from chatdesk.ui.personalize.words import learned_words, state_words, use_words, withdrawn_words
from chatdesk.ui.widgets.tag import Tone
from chatdesk.ui.words import when_words

Index = QModelIndex | QPersistentModelIndex


class AdapterRole(IntEnum):
    """The data of a row beside its name."""

    RECORD = Qt.ItemDataRole.UserRole + 1
    WITHDRAWN = auto()  # a `Withdrawn`, or None where nothing was
    CELLS = auto()


@dataclass(frozen=True, slots=True)
class Cell:
    """The content of a column; without a tone in the text's own colour."""

    words: str
    tone: Tone | None = None
    tag: str = ""
    tag_tone: Tone = Tone.PLAIN
    is_button: bool = False  # the tag can be pressed


def columns() -> tuple[str, ...]:
    """The headings of the cells."""
    return (
        tr("Adapter"),
        tr("Learned from"),
        tr("Your answers"),
        tr("Knowledge"),
        tr("When"),
        tr("Size"),
    )


class AdapterListModel(QAbstractListModel):
    """The rows in the order they are given: the newest first."""

    def __init__(self) -> None:
        super().__init__()
        self._records: tuple[AdapterRecord, ...] = ()
        self._withdrawn: Mapping[str, Withdrawn] = {}

    def show(self, records: Sequence[AdapterRecord], withdrawn: Mapping[str, Withdrawn]) -> None:
        """Show these; `withdrawn` is by a record's id."""
        if (tuple(records), withdrawn) == (self._records, self._withdrawn):
            return  # a new list would take the chosen row away
        self.beginResetModel()
        self._records, self._withdrawn = tuple(records), withdrawn
        self.endResetModel()

    def row_of(self, adapter_id: str) -> int:
        """The row of an adapter, or -1."""
        ids = [record.id for record in self._records]
        return ids.index(adapter_id) if adapter_id in ids else -1

    # Qt's names from here on

    def rowCount(self, parent: Index | None = None) -> int:
        """Return the number of adapters."""
        return 0 if parent and parent.isValid() else len(self._records)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the data of `AdapterRole`, the name, or all of it for screen readers."""
        record = self._records[index.row()]
        withdrawn = self._withdrawn.get(record.id)
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return record.name
            case Qt.ItemDataRole.ToolTipRole:
                return record.error or record.model_name
            case AdapterRole.RECORD:
                return record
            case AdapterRole.WITHDRAWN:
                return withdrawn if _is_any(withdrawn) else None
            case AdapterRole.CELLS:
                return cells(record, withdrawn)
            case Qt.ItemDataRole.AccessibleTextRole:
                return _spoken(cells(record, withdrawn))
        return None


def cells(record: AdapterRecord, withdrawn: Withdrawn | None) -> list[Cell]:
    """Return the columns of a record's row."""
    own, general = ("–", Tone.PLAIN), ("–", Tone.PLAIN)
    if card := record.scorecard:
        own, general = own_judgement(card), general_judgement(card, card.base)
    usable = record.is_usable and not record.active
    state, tone = (use_words(record), Tone.GOOD) if usable else state_words(record)
    gone = withdrawn_words(withdrawn) if withdrawn and _is_any(withdrawn) else ""
    return [
        Cell(record.name, tag=state, tag_tone=tone, is_button=usable),
        Cell(learned_words(record), tag=gone, tag_tone=Tone.WARN, is_button=bool(gone)),
        Cell(*own),
        Cell(*general),
        Cell(when_words(record.ended or record.created, datetime.now(UTC)), Tone.PLAIN),
        Cell(size_words(record.bytes) if record.bytes else "–", Tone.PLAIN),
    ]


def _is_any(withdrawn: Withdrawn | None) -> bool:
    return withdrawn is not None and bool(withdrawn.conversations or withdrawn.examples)


def _spoken(row: Sequence[Cell]) -> str:
    named = zip(columns(), row, strict=True)
    return "; ".join(" ".join((name, cell.words, cell.tag)).strip() for name, cell in named)
