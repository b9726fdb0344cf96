"""The page of the import: which export, what is in it, where it goes, and how far it is."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.services.history.import_values import (
    ImportChoice,
    ImportPreview,
    ImportProgressed,
    ImportReport,
)
from chatdesk.ui.imports.chat_list import ImportedChatList
from chatdesk.ui.imports.chat_model import ImportedChatModel
from chatdesk.ui.imports.words import (
    chats_words,
    done_words,
    news_words,
    progress_words,
    report_words,
    source_words,
    unread_words,
)
from chatdesk.ui.theme import Theme, scaled, set_class
from chatdesk.ui.widgets.fields import Choice, plain_button, recolour, small
from chatdesk.ui.widgets.labels import LineLabel, PlainLabel
from chatdesk.ui.widgets.page import PageView

BY_FOLDER = object()  # the choice of a project for each folder
_STEPS = 1000  # of the progress bar
_STACKED = 640  # pixels below which the cards stand below each other
_WIDE = 1000  # pixels from which both choices have room in one of two cards
_LEAST = 480  # and in a single one
_REPORT_HEIGHT = 180
_LEAST_CHIP = 48  # pixels: Qt rounds no corners of one that is not wider than high


class _Card(QFrame):
    """A raised panel with a heading."""

    def __init__(self) -> None:
        super().__init__()
        set_class(self, "card")
        self.heading = LineLabel()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(18, 14, 18, 14)
        self.column.setSpacing(6)


class ImportPage(PageView):
    """Requests go up: a file or folder to choose, an import with a choice, and its end."""

    file_requested = Signal()
    folder_requested = Signal()
    import_requested = Signal(object)  # an ImportChoice
    stop_requested = Signal()
    open_requested = Signal(str)  # a chat that came in

    def __init__(self, theme: Theme) -> None:
        super().__init__(tr("Bring chats home"), theme)
        self.model = ImportedChatModel()
        self._preview: ImportPreview | None = None
        self._newest = ""
        self._total = 0
        self._lead = small("")
        self._other = plain_button(tr("Choose another file…"))
        self._file = plain_button(tr("Choose a file…"))
        self._folder = plain_button(tr("Choose a folder…"))
        self._chats, self._into, self._unread, self._how = _Card(), _Card(), _Card(), _Card()
        self._list = ImportedChatList(self.model, theme)
        self._all, self._none = plain_button(tr("all")), plain_button(tr("none"))
        self._project = Choice({}, None, theme)
        self._learned = Choice(
            {False: tr("never learned from"), True: tr("may be learned from")}, False, theme
        )
        self._reasons, self._steps = PlainLabel(), PlainLabel()
        self._show_report = plain_button(tr("Show the report"))
        self._report = QPlainTextEdit()
        self._bar, self._progress = QProgressBar(), LineLabel("", "small")
        self._cancel, self._import = plain_button(tr("Cancel")), plain_button("")
        self._build()
        self._connect()
        self.show_nothing()
        self.set_theme(theme)

    def _build(self) -> None:
        self.column.setSpacing(14)
        policy = self._other.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # what is below stays where it is
        self._other.setSizePolicy(policy)
        self.column.addLayout(self.header(self._lead, self._other))
        for part in (self._build_how(), self._build_chats(), self._build_cards(), self._report):
            if isinstance(part, QBoxLayout):
                self.column.addLayout(part)
            else:
                self.column.addWidget(part)
        self._report.setReadOnly(True)
        self._report.setAccessibleName(tr("Report of the import"))
        self._report.setFixedHeight(scaled(_REPORT_HEIGHT))
        set_class(self._report, "card-words")
        self.column.addStretch(1)
        self._bar.setRange(0, _STEPS)
        self._bar.setAccessibleName(tr("Progress of the import"))
        set_class(self._cancel, "ghost")
        set_class(self._import, "primary")
        footer = QHBoxLayout()
        footer.setSpacing(8)
        footer.addWidget(self._bar, 1)
        footer.addWidget(self._progress)
        footer.addStretch()
        footer.addWidget(self._cancel)
        footer.addWidget(self._import)
        self.column.addLayout(footer)

    def _build_how(self) -> QWidget:
        self._how.heading.setText(tr("Drop an export here, or choose it"))
        self._steps.setText(
            tr(
                "In ChatGPT, Claude and Grok, ask for your data in the settings; a zip file comes "
                "by mail. Open WebUI, llama.cpp's page, AnythingLLM and Cherry Studio export a "
                "file. Of Jan choose the folder “threads”, of LM Studio the folder "
                "“conversations”. ChatDesk's own JSON comes back as it was."
            )
        )
        self._how.column.addWidget(self._how.heading)
        self._how.column.addWidget(self._steps)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.setContentsMargins(0, 8, 0, 0)
        row.addWidget(self._file)
        row.addWidget(self._folder)
        row.addStretch(1)
        set_class(self._file, "primary")
        self._how.column.addLayout(row)
        return self._how

    def _build_chats(self) -> QWidget:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._chats.heading, 1)
        for chip in (self._all, self._none):
            set_class(chip, "chip")
            chip.setMinimumWidth(scaled(_LEAST_CHIP))
            row.addWidget(chip)
        self._all.setAccessibleName(tr("Choose all chats"))
        self._none.setAccessibleName(tr("Choose no chat"))
        self._chats.column.addLayout(row)
        self._chats.column.addWidget(self._list)
        return self._chats

    def _build_cards(self) -> QBoxLayout:
        self._into.heading.setText(tr("Into"))
        self._project.setAccessibleName(tr("Project of the imported chats"))
        self._learned.setAccessibleName(tr("Whether the imported chats may be learned from"))
        self._choices = choices = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        choices.setSpacing(8)
        choices.addWidget(self._project, 6)
        choices.addWidget(self._learned, 5)
        self._into.column.addWidget(self._into.heading)
        self._into.column.addWidget(
            small(tr("Their order, dates, branches, thinking and pictures stay."))
        )
        self._into.column.addLayout(choices)
        self._into.column.addStretch(1)
        set_class(self._show_report, "link")
        self._unread.column.addWidget(self._unread.heading)
        self._unread.column.addWidget(self._reasons)
        self._unread.column.addWidget(self._show_report, 0, Qt.AlignmentFlag.AlignLeft)
        self._unread.column.addStretch(1)
        self._cards = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._cards.setSpacing(16)
        self._cards.addWidget(self._into, 1)
        self._cards.addWidget(self._unread, 1)
        return self._cards

    def _connect(self) -> None:
        self._file.clicked.connect(self.file_requested)
        self._other.clicked.connect(self.file_requested)
        self._folder.clicked.connect(self.folder_requested)
        self._cancel.clicked.connect(self.stop_requested)
        self._import.clicked.connect(self._act)
        self._all.clicked.connect(lambda: self.model.choose_all(chosen=True))
        self._none.clicked.connect(lambda: self.model.choose_all(chosen=False))
        self._show_report.clicked.connect(self._toggle_report)
        self.model.chosen_changed.connect(self._say_chosen)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        super().set_theme(theme)
        self._list.set_theme(theme)
        recolour(self, theme)

    # What it shows

    def show_nothing(self) -> None:
        """No export was chosen yet."""
        self._preview = None
        self._lead.setText(tr("Chats of other apps come in whole, and nothing is sent anywhere."))
        self._show_parts(self._how)

    def show_looking(self, file: str) -> None:
        """An export is being read."""
        self._total = 0
        self._lead.setText(tr("Reading {file}…", file=file))
        self._begin()

    def show_preview(self, file: str, preview: ImportPreview, projects: Mapping[str, str]) -> None:
        """Show what an export holds; `projects` are the names there are."""
        self._preview = preview
        self._lead.setText(source_words(file, preview))
        self._chats.heading.setText(news_words(preview))
        self.model.show(preview.chats)
        by_folder = any(chat.folder for chat in preview.chats)
        own = preview.project or tr("No project")
        first = tr("A project for each folder") if by_folder else own
        self._project.set_options({BY_FOLDER: first, **{name: name for name in projects}})
        self._project.choose(BY_FOLDER)
        self._say_unread(preview.report)
        self._show_parts(self._chats, self._into, self._unread, self._other, self._import)

    def show_importing(self) -> None:
        """The import has begun."""
        self._total = self.model.chosen_messages if self.model.is_all else 0
        self._begin(self._chats)
        self._chats.setEnabled(False)

    def show_progress(self, progress: ImportProgressed) -> None:
        """It has come further."""
        self._bar.setRange(0, _STEPS)
        self._bar.setValue(round(_STEPS * progress.share))
        self._progress.setText(progress_words(progress, self._total))

    def show_report(self, report: ImportReport) -> None:
        """The import has ended."""
        self._preview = None
        self._lead.setText(done_words(report))
        self._say_unread(report)
        self._newest = report.newest
        self._import.setText(tr("Open the newest"))
        came = bool(report.new or report.grown)
        parts = [self._unread, self._other, *([self._import] if came else [])]
        self._import.setEnabled(True)
        self._show_parts(*parts)

    def _begin(self, *others: QWidget) -> None:
        self._bar.setRange(0, 0)
        self._progress.setText("")
        self._show_parts(self._bar, self._progress, self._cancel, *others)

    def _show_parts(self, *shown: QWidget) -> None:
        self._chats.setEnabled(True)
        for part in (
            self._how, self._chats, self._into, self._unread, self._report, self._bar,
            self._progress, self._cancel, self._import, self._other,
        ):  # fmt: skip
            part.setVisible(part in shown)

    def _say_unread(self, report: ImportReport) -> None:
        title, reasons = unread_words(report)
        self._unread.heading.setText(title)
        self._reasons.setText(reasons)
        self._show_report.setVisible(bool(report.warnings))
        self._report.setPlainText(report_words(report))

    def _say_chosen(self) -> None:
        count = len(self.model.chosen)
        self._import.setText(tr("Import {chats}", chats=chats_words(count)))
        self._import.setEnabled(count > 0)

    def _toggle_report(self) -> None:
        self._report.setVisible(not self._report.isVisible())
        shown = self._report.isVisible()
        self._show_report.setText(tr("Hide the report") if shown else tr("Show the report"))

    def _act(self) -> None:
        if self._preview is None:
            self.open_requested.emit(self._newest)
            return
        project = self._project.value
        chosen = None if self.model.is_all else self.model.chosen
        name = None if project is BY_FOLDER else project
        self.import_requested.emit(ImportChoice(name, chosen, learned=self._learned.value))

    # Qt's names from here on

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the cards beside or below each other."""
        super().resizeEvent(event)
        down, right = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        width = self.width()
        self._cards.setDirection(down if width < scaled(_STACKED) else right)
        is_narrow = scaled(_STACKED) <= width < scaled(_WIDE) or width < scaled(_LEAST)
        self._choices.setDirection(down if is_narrow else right)
