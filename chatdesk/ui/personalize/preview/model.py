"""The examples as a Qt model: fast also with many thousands of them."""

from collections.abc import Callable
from enum import Enum, IntEnum, auto

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from chatdesk.core.i18n import tr, trn
from chatdesk.core.personalization import Example, ExampleSource, Preview
from chatdesk.ui.personalize.words import doubt_words, why_words
from chatdesk.ui.words import token_words

Index = QModelIndex | QPersistentModelIndex


class RowKind(Enum):
    """The kind of examples to show."""

    ALL = auto()
    CHOSEN = auto()
    DOUBTFUL = auto()
    PERSONAL = auto()  # with secrets or personal data

    def holds(self, example: Example) -> bool:
        """Return True if an example is of this kind."""
        match self:
            case RowKind.ALL:
                return True
            case RowKind.CHOSEN:
                return example.chosen
            case RowKind.DOUBTFUL:
                return bool(example.doubts)
            case RowKind.PERSONAL:
                return bool(example.findings)


class ExampleRole(IntEnum):
    """The data of a row beside its question."""

    EXAMPLE = Qt.ItemDataRole.UserRole + 1
    ORIGIN = auto()  # why it is an example, and where it is from


class PreviewModel(QAbstractListModel):
    """A row for each example of one kind; `title_of` names a conversation by its id.

    A row stays where it is while its example changes, also when that is no longer of the kind.
    """

    def __init__(self, title_of: Callable[[str], str]) -> None:
        super().__init__()
        self._title_of = title_of
        self._examples: tuple[Example, ...] = ()
        self._kind = RowKind.ALL
        self._rows: list[int] = []  # places in `_examples`

    def show(self, preview: Preview) -> None:
        """Show these examples."""
        others = [each.id for each in preview.examples] != [each.id for each in self._examples]
        self._examples = preview.examples
        if others:
            self.set_kind(self._kind)
        elif self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def set_kind(self, kind: RowKind) -> None:
        """Show the examples that are of this kind now."""
        self.beginResetModel()
        self._kind = kind
        self._rows = [at for at, each in enumerate(self._examples) if kind.holds(each)]
        self.endResetModel()

    def count(self, kind: RowKind) -> int:
        """Return the number of examples of a kind."""
        return sum(kind.holds(each) for each in self._examples)

    def example(self, index: Index) -> Example | None:
        """Return the example of a row."""
        return self._examples[self._rows[index.row()]] if index.isValid() else None

    def where(self, source: ExampleSource) -> str:
        """Return the source of an example: a chat's title, or the line of a file."""
        if source.is_file:
            return source.message_id
        return self._title_of(source.conversation_id) or tr("a chat without a title")

    def _origin(self, example: Example) -> str:
        others = len(example.sources) - 1
        where = self.where(example.sources[0]) if example.sources else ""
        if others:
            where = trn("{where} and {n} more", "{where} and {n} more", others, where=where)
        return f"{why_words(example.why)} · {where}"

    def _spoken(self, example: Example) -> str:
        chosen = tr("is learned") if example.chosen else tr("is left out")
        doubts = [doubt_words(doubt)[0] for doubt in example.doubts]
        tokens = token_words(example.tokens)
        return "; ".join([question(example), chosen, self._origin(example), tokens, *doubts])

    # Qt's names from here on

    def rowCount(self, parent: Index | None = None) -> int:
        """Return the number of rows."""
        return 0 if parent and parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a row's question, example, origin, or all of it in words for a screen reader."""
        example = self._examples[self._rows[index.row()]]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return question(example)
            case ExampleRole.EXAMPLE:
                return example
            case ExampleRole.ORIGIN:
                return self._origin(example)
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(example)
        return None


def question(example: Example) -> str:
    """Return the last question, as it is learned, in one line."""
    asked = example.turns[-1].content if example.turns else example.target
    return " ".join(example.shown(asked[:_LINE]).split())


_LINE = 400  # characters that are enough for one line
