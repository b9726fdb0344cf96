"""The user's words, in a card at the right; the lines of a long question are folded."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.markdown.fold_button import FOLD_HEIGHT, FoldButton
from chatdesk.ui.markdown.prose_view import ProseView
from chatdesk.ui.theme import LINE_HEIGHT, TEXT_PX, Theme, scaled, set_class, text_scale

CARD_WIDTH = 560
FOLD_LINES = 10  # lines in sight of a longer question
_PAD_X, _PAD_Y = 16, 10


class QuestionCard(QFrame):
    """As narrow as its words; `folded` follows a person's choice."""

    folded = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget, *, folded: bool = True) -> None:
        super().__init__(parent)
        self._theme = theme
        self._folded = folded
        self._ideal_width = 0
        set_class(self, "user-card")
        self.text = ProseView(theme, self)
        self.fold_button: FoldButton | None = None  # made when there are so many lines

    @property
    def controls(self) -> list[QWidget]:
        """What can be done with it."""
        return [self.fold_button] if self.fold_button is not None else []

    def show_text(self, text: str) -> None:
        """Show these words as they are."""
        self.text.clear_all()
        self.text.append_plain(text)
        self._ideal_width = self.text.ideal_width()

    def place(self, width: int, top: int) -> int:
        """Stand at the right end of so many pixels; return the height."""
        inner = min(self._ideal_width, min(scaled(CARD_WIDTH), width) - 2 * _PAD_X)
        whole = self.text.height_for(inner)
        most = FOLD_LINES * round(TEXT_PX * LINE_HEIGHT * text_scale())
        self._offer_fold(whole > most)
        card = inner + 2 * _PAD_X
        self.text.setGeometry(_PAD_X, _PAD_Y - 1, inner, whole)  # optically centred
        height = whole + 2 * _PAD_Y
        if self.fold_button is not None:
            shown = most if self.fold_button.is_folded else whole
            fold = scaled(FOLD_HEIGHT)
            height = _PAD_Y + shown + fold
            self.fold_button.setGeometry(0, _PAD_Y + shown, card, fold)
            self.fold_button.raise_()
        self.setGeometry(width - card, top, card, height)
        return height

    def _offer_fold(self, is_long: bool) -> None:
        if is_long and self.fold_button is None:
            self.fold_button = FoldButton(
                self._theme, _fold_words, self._theme.user_card, self._theme.user_card, self
            )
            set_class(self.fold_button, "unfold")
            self.fold_button.set_folded(self._folded)
            self.fold_button.folded.connect(self._turn)
            self.fold_button.show()
        elif not is_long and self.fold_button is not None:
            self.fold_button.hide()
            self.fold_button.deleteLater()
            self.fold_button = None

    def _turn(self, folded: bool) -> None:
        self._folded = folded
        self.folded.emit(folded)


def _fold_words(folded: bool) -> str:
    return tr("Show all") if folded else tr("Show less")
