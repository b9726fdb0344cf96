"""Everything about one model: what the file says, what this computer makes of it, its defaults."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from chatdesk.core.i18n import tr, trn
from chatdesk.core.model_files import KeptModel, ModelNotes, Presence
from chatdesk.core.sampling import SamplingParams
from chatdesk.core.units import memory_words, size_words
from chatdesk.ui.models.dialog import LibraryDialog
from chatdesk.ui.models.words import (
    count_words,
    memory_at_words,
    role_words,
    state_words,
    trouble_words,
)
from chatdesk.ui.sampling.panel import SamplingPanel
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.enter_rule import EnterRule
from chatdesk.ui.widgets.fact_list import FactList
from chatdesk.ui.widgets.fields import plain_button, recolour, section
from chatdesk.ui.widgets.form import Form
from chatdesk.ui.widgets.labels import PlainLabel
from chatdesk.ui.widgets.prompt_field import PromptField
from chatdesk.ui.widgets.tag import Tag
from chatdesk.ui.widgets.wrapping import Flow
from chatdesk.ui.words import speed_words, token_words

SIZE = (640, 700)


class ModelDetailsDialog(LibraryDialog):
    """Shows a `KeptModel`; `notes` are the user's changes, to be saved at the end.

    `adapter` is the name of the one that answers with it, "" for none.
    """

    chat_requested = Signal()
    options_requested = Signal()
    personalize_requested = Signal()
    folder_requested = Signal()
    duplicates_requested = Signal()
    shrink_requested = Signal()
    delete_requested = Signal()

    def __init__(
        self,
        kept: KeptModel,
        settings: SettingsValue,
        adapter: str,
        theme: Theme,
        parent: QWidget,
    ) -> None:
        title = tr("Details of “{name}”", name=kept.name)
        super().__init__(title, trouble_words(kept), SIZE, parent, heading=kept.name)
        self.kept = kept
        set_class(self.lead, "warn")
        self._state = Tag()
        self.heading.add(self._state, right=True)
        self._machine = FactList(list(machine_facts(kept)))
        self._build_fields(settings, theme)
        self._fill_body(adapter)
        self._fill_buttons()
        self.show_machine(kept)

    @property
    def notes(self) -> ModelNotes:
        """The notes on the model, with the user's changes."""
        header_name = self.kept.model.header.name
        title = self._title.text().strip()
        tags = (tag.strip() for tag in self._tags.text().replace("，", ",").split(","))
        return replace(
            self.kept.notes,
            title="" if title == header_name else title,
            favourite=self._favourite.isChecked(),
            tags=tuple(dict.fromkeys(filter(None, tags))),
            system_prompt=self._prompt.toPlainText() if self._own_prompt.isChecked() else None,
            sampling=self._chosen if self._own_sampling.isChecked() else None,
        )

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        recolour(self, theme)
        self._sampling.set_theme(theme)

    def show_machine(self, kept: KeptModel) -> None:
        """Show what this computer makes of the model now."""
        self._state.show_words(*state_words(kept))
        self._machine.show_values(list(machine_facts(kept).values()))

    def flush(self) -> None:
        """Take in what was typed last."""
        self._sampling.flush()

    # The fields

    def _build_fields(self, settings: SettingsValue, theme: Theme) -> None:
        notes, chat = self.kept.notes, settings.now.chat
        self._title = QLineEdit(self.kept.name)
        self._tags = QLineEdit(", ".join(notes.tags))
        self._tags.setPlaceholderText(tr("code, letters, Chinese"))
        self._favourite = CheckBox(tr("Favourite"), theme, checked=notes.favourite)
        self._own_prompt = CheckBox(
            tr("A system prompt of its own"), theme, checked=notes.system_prompt is not None
        )
        self._prompt = PromptField(EnterRule(enter_sends=settings.now.general.enter_sends))
        self._prompt.show_text(notes.system_prompt or "")
        self._prompt.left.connect(self.focusNextChild)
        self._own_sampling = CheckBox(
            tr("Sampling of its own"), theme, checked=notes.sampling is not None
        )
        self._chosen = notes.sampling or chat.sampling
        self._sampling = SamplingPanel(self._chosen, theme)
        self._sampling.show_presets(chat.presets)
        self._sampling.changed.connect(self._take_sampling)
        self._sampling.presets_changed.connect(lambda own: settings.edit("chat", presets=own))
        for switch, part in (
            (self._own_prompt, self._prompt),
            (self._own_sampling, self._sampling),
        ):
            if not switch.isChecked():
                part.hide()
            switch.toggled.connect(part.setVisible)

    def _take_sampling(self, sampling: SamplingParams) -> None:
        self._chosen = sampling

    # Layout

    def _fill_body(self, adapter: str) -> None:
        own = Form()
        own.add(tr("Name"), self._title)
        own.add(tr("Tags"), self._tags, tr("Separated by commas."))
        self.body.addLayout(own)
        self.body.addWidget(self._favourite)
        of_file = file_facts(self.kept)
        file = FactList(list(of_file))
        file.show_values(list(of_file.values()))
        for words, facts in ((tr("On this computer"), self._machine), (tr("The file"), file)):
            self.body.addSpacing(10)
            self.body.addWidget(section(words.upper()))
            self.body.addWidget(facts)
        self.body.addWidget(self._file_buttons())
        self.body.addLayout(self._defaults(adapter))

    def _file_buttons(self) -> Flow:
        row = Flow()
        for words, request in (
            (tr("Show in folder"), self.folder_requested),
            (tr("Look for duplicates…"), self.duplicates_requested),
        ):
            button = plain_button(words)
            button.setEnabled(self.kept.presence is Presence.THERE)
            button.clicked.connect(request)
            row.add(button)
        return row

    def _defaults(self, adapter: str) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setContentsMargins(0, 10, 0, 0)
        column.setSpacing(8)
        column.addWidget(section(tr("In new chats with it").upper()))
        for part in (self._own_prompt, self._prompt, self._own_sampling, self._sampling):
            column.addWidget(part)
        options = plain_button(tr("Context, layers and more…"))
        options.clicked.connect(self.options_requested)
        personalize = plain_button(tr("Personalize"))
        personalize.clicked.connect(self.personalize_requested)
        row = Flow()
        row.add(options)
        row.add(personalize)
        answers = tr("The adapter “{name}” answers with it.", name=adapter)
        column.addWidget(PlainLabel(answers if adapter else tr("No adapter is in use with it.")))
        column.addWidget(row)
        return column

    def _fill_buttons(self) -> None:
        answers = self.kept.answers
        if not self.kept.is_starter:
            delete = self.add_button(tr("Delete…"), "ghost", right=False)
            delete.clicked.connect(self.delete_requested)
        shrink = self.add_button(tr("Make smaller…"), "ghost", right=False)
        chat = self.add_button(tr("Chat"))
        done = self.add_button(tr("Close"))
        for button, slot in (
            (shrink, self.shrink_requested),
            (chat, self.chat_requested),
            (done, self.accept),
        ):
            button.clicked.connect(slot)
        shrink.setEnabled(answers)
        chat.setVisible(answers)


def machine_facts(kept: KeptModel) -> dict[str, str]:
    """Return a model's memory and speed on this computer by name, predicted and measured."""
    estimate, notes = kept.estimate, kept.notes
    used = memory_at_words(notes.used_bytes, notes.used_context)
    if used and notes.estimated_bytes:
        estimated = memory_words(notes.estimated_bytes)
        used = tr("{memory}; {size} were estimated for that", memory=used, size=estimated)
    return {
        tr("Memory, estimated"): memory_at_words(estimate.memory_bytes, estimate.context_window),
        tr("Memory, really used"): used,
        tr("Speed, estimated"): _speed(estimate.tokens_per_s),
        tr("Speed, measured"): _speed(notes.tokens_per_s),
    }


def file_facts(kept: KeptModel) -> dict[str, str]:
    """Return the values in a model's file, by name."""
    model, header = kept.model, kept.model.header
    place = Path(model.path)
    size = size_words(header.bytes)
    parts = trn("{size} in {n} file", "{size} in {n} files", header.parts, size=size)
    trained = token_words(header.context_length) if header.context_length else ""
    return {
        tr("Purpose"): role_words(kept.role),
        tr("Architecture"): header.architecture,
        tr("Parameters"): count_words(header.parameters),
        tr("Quantization"): header.quantization,
        tr("Context length"): trained,
        tr("Licence"): header.license,
        tr("Size"): size if header.parts == 1 else parts,
        tr("File"): place.name,
        tr("Folder"): str(place.parent),
        tr("From"): kept.notes.repo,
        "SHA-256": _in_two_lines(model.sha256 or ""),
    }


def _in_two_lines(word: str) -> str:
    """Break a word that is longer than its place: a label breaks lines between words only."""
    half = len(word) // 2
    return f"{word[:half]}\n{word[half:]}".strip()


def _speed(tokens_per_s: float) -> str:
    return speed_words(tokens_per_s) if tokens_per_s else ""
