"""The card with a better model: what it would be, its download, and then its use."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QIcon, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QProgressBar, QVBoxLayout

from chatdesk.core.downloads import Download, DownloadState
from chatdesk.core.hub import CatalogEntry
from chatdesk.core.i18n import current_language, tr
from chatdesk.core.model_files import Estimate
from chatdesk.core.units import size_words
from chatdesk.services.hub.facts import DownloadProgressed
from chatdesk.ui.icons import show_icon
from chatdesk.ui.models.download_words import HELD, download_words
from chatdesk.ui.models.words import is_slow
from chatdesk.ui.theme import Theme, scaled, set_class
from chatdesk.ui.widgets.fields import plain_button
from chatdesk.ui.widgets.labels import LineLabel, PlainLabel
from chatdesk.ui.words import speed_number

HEIGHT = 104  # pixels at least, also while it shows nothing: what is above must not jump
NARROW, STACKED_HEIGHT = 600, 152  # below this width the buttons stand below the words
_STEPS = 1000  # of the progress bar


class SuggestionCard(QFrame):
    """Empty and unseen until it is known what to suggest; its place is kept.

    `act_requested` is the press of its main button, `other_requested` that of the one beside it;
    their words say what they do now.
    """

    act_requested = Signal()
    other_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        set_class(self, "card")
        self.setMinimumHeight(scaled(HEIGHT))
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        self._theme: Theme | None = None
        self._icon = ""
        self._title = LineLabel()
        self._line = PlainLabel()
        self._bar = QProgressBar()
        self._bar.setRange(0, _STEPS)
        self._other = plain_button("")
        self._act = plain_button("")
        set_class(self._other, "ghost")
        self._build()
        self.hide()

    def _build(self) -> None:
        self._act.clicked.connect(self.act_requested)
        self._other.clicked.connect(self.other_requested)
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addStretch(1)
        for part in (self._title, self._line):
            words.addWidget(part)
        words.addSpacing(4)
        words.addWidget(self._bar)
        words.addStretch(1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self._other)
        buttons.addWidget(self._act)
        self._row = row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        row.setContentsMargins(18, 14, 18, 14)
        row.setSpacing(16)
        row.addLayout(words, 1)
        row.addLayout(buttons)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the buttons beside or below the words."""
        super().resizeEvent(event)
        down, right = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        narrow = self.width() < scaled(NARROW)
        self._row.setDirection(down if narrow else right)
        self.setMinimumHeight(scaled(STACKED_HEIGHT if narrow else HEIGHT))

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        self._paint_icon()

    # What it shows

    def show_no_model(self) -> None:
        """Say how to get a model, since there is none."""
        self._show(
            tr("No model was found on this computer"),
            tr("Choose one to download, or add a GGUF file that you have."),
            act=tr("Models"),
            other=tr("Add a file…"),
        )

    def show_offer(self, entry: CatalogEntry, estimate: Estimate) -> None:
        """Offer a model that fits in place of the one in use."""
        summary, speed = entry.summary_in(current_language()), estimate.tokens_per_s
        values = {"n": speed_number(speed), "summary": summary}
        if not speed:
            line = summary
        elif is_slow(speed):
            line = tr("It fits, but answers slowly here: about {n} tokens/s. {summary}", **values)
        else:
            line = tr("About {n} tokens/s here. {summary}", **values)
        self._show(
            tr("A better model fits here: {name}", name=entry.name),
            line,
            act=tr("Get it, {size}", size=size_words(entry.bytes)),
            other=tr("Others…"),
            picture="download",
        )
        self._other.setAccessibleName(tr("Look at the recommended models"))

    def show_asking(self, entry: CatalogEntry) -> None:
        """The hub is being asked where the model is."""
        self._show(entry.name, tr("Asking the hub…"), act=tr("Cancel"), plain=True)

    def show_download(
        self, entry: CatalogEntry, download: Download, progress: DownloadProgressed | None
    ) -> None:
        """Show how far its download is."""
        held = download.state in HELD
        go_on = tr("Try again") if download.state is DownloadState.FAILED else tr("Resume")
        self._show(
            entry.name,
            download_words(download, progress),
            act=go_on if held else tr("Pause"),
            other=tr("Cancel"),
            plain=not held,
            failed=download.state is DownloadState.FAILED,
        )
        received = progress.received if progress else download.received
        self._bar.setValue(round(_STEPS * received / max(1, download.bytes)))
        self._bar.setAccessibleName(tr("Progress of {name}", name=entry.name))
        self._bar.show()
        self._act.setVisible(download.state is not DownloadState.CHECKING)

    def show_failure(self, entry: CatalogEntry, words: str) -> None:
        """Say why it could not be fetched."""
        self._show(entry.name, words, act=tr("Try again"), other=tr("Not now"), failed=True)

    def show_there(self, entry: CatalogEntry) -> None:
        """The model is on this computer, and another one is in use."""
        line = tr("It is on this computer now. The next answers come from it once you use it.")
        self._show(entry.name, line, act=tr("Use it"), picture="check")

    def _show(
        self,
        title: str,
        line: str,
        *,
        act: str,
        other: str = "",
        picture: str = "",
        plain: bool = False,
        failed: bool = False,
    ) -> None:
        self._title.setText(title)
        self._line.setText(line)
        set_class(self._line, "danger" if failed else "small")
        self._bar.hide()
        for button, words in ((self._act, act), (self._other, other)):
            button.setText(words)
            button.setAccessibleName(tr("{action}: {name}", action=words, name=title))
        set_class(self._act, "" if plain else "primary")
        self._act.show()
        self._other.setVisible(bool(other))
        self._icon = picture
        self._paint_icon()
        self.show()

    def _paint_icon(self) -> None:
        if self._theme and self._icon:
            show_icon(self._act, self._icon, self._theme.on_accent)
        else:
            self._act.setIcon(QIcon())
