"""The settings of backups: when and where they are made, one by hand, and the way back."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal

from chatdesk.core.backups import BackupContents
from chatdesk.core.chat import now
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr, trn
from chatdesk.core.units import size_words
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator, SettingsId
from chatdesk.ui.settings_page import SettingsPage
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.fields import WholeNumber, plain_button
from chatdesk.ui.widgets.file_dialogs import choose_file, choose_folder, choose_new_file
from chatdesk.ui.widgets.form import Tall
from chatdesk.ui.widgets.labels import LineLabel, PlainLabel
from chatdesk.ui.widgets.questions import ask_first
from chatdesk.ui.widgets.wrapping import Flow
from chatdesk.ui.words import when_words

_MOST = 99


class BackupPage(SettingsPage):
    """Requests carry a file; `create_requested` with None takes the folder of backups."""

    section, icon = SettingsId.BACKUP, "archive"
    create_requested = Signal(object)
    look_requested = Signal(object)
    restore_requested = Signal(object)

    def __init__(self, settings: SettingsValue, theme: Theme) -> None:
        super().__init__(tr("Backups"), settings)
        values = settings.now.backup
        self._folder = values.folder
        daily = CheckBox(tr("Make a backup each day"), theme, checked=values.daily)
        daily.toggled.connect(lambda on: self._edit(daily=on))
        self._add_switch(
            daily,
            tr(
                "One file with all chats, adapters, attachments and settings. Models are not in it."
            ),
        )
        kept = WholeNumber(1, _MOST, values.kept)
        kept.valueChanged.connect(lambda n: self._edit(kept=n))
        self._add(tr("Daily backups kept"), kept, tr("The oldest are removed; others stay."))
        self._folder_part()
        self._by_hand()
        self._column.addStretch(1)
        self._show_folder()
        self.set_theme(theme)

    def serve(self, bridge: Bridge, navigator: Navigator) -> None:
        """Make, look into and restore backups."""

        def create(target: Path | None) -> None:
            self._say(tr("A backup is being made…"))
            self._ask(
                bridge,
                lambda app: app.backups.create(target),
                self._show_made,
                self._show_problem,
            )

        def look(path: Path) -> None:
            self._ask(
                bridge,
                lambda app: app.backups.contents(path),
                self._ask_to_restore,
                self._show_problem,
            )

        def restore(path: Path) -> None:
            self._say(tr("The backup is being checked…"))
            self._ask(
                bridge,
                lambda app: app.backups.stage(path),
                lambda _: self._offer_to_quit(navigator),
                self._show_problem,
            )

        self.create_requested.connect(create)
        self.look_requested.connect(look)
        self.restore_requested.connect(restore)
        self._ask(bridge, lambda app: app.backups.list(), self._show_newest, self._show_problem)

    # The folder

    def _folder_part(self) -> None:
        self._shown = LineLabel(look="value")
        self._shown.setAccessibleName(tr("Folder of backups"))
        choose = plain_button(tr("Choose…"), tr("Choose the folder of backups"))
        choose.clicked.connect(self._choose_folder)
        self._own = plain_button(tr("Use the app's own"))
        self._own.clicked.connect(lambda: self._use_folder(""))
        self._add(
            tr("Folder of backups"),
            Tall(self._shown, (choose, self._own)),
            tr("On another disk they outlive this one. They can be read by whoever has the file."),
        )

    def _choose_folder(self) -> None:
        if chosen := choose_folder(self, tr("Folder of backups"), self._folder):
            self._use_folder(str(Path(chosen)))

    def _use_folder(self, folder: str) -> None:
        self._folder = folder
        self._show_folder()
        self._edit(folder=folder)

    def _show_folder(self) -> None:
        self._shown.setText(self._folder or tr("The app's own folder"))
        self._own.setVisible(bool(self._folder))

    # By hand

    def _by_hand(self) -> None:
        create = plain_button(tr("Back up now"))
        create.clicked.connect(lambda: self.create_requested.emit(None))
        save = plain_button(tr("Save a backup as…"))
        save.clicked.connect(self._choose_target)
        restore = plain_button(tr("Restore a backup…"))
        restore.clicked.connect(self._choose_backup)
        self._state = PlainLabel()
        self._state.setAccessibleName(tr("State of the backups"))
        self._state.hide()
        buttons = Flow()
        for button in (create, save, restore):
            buttons.add(button)
        self._column.addWidget(buttons)
        self._column.addWidget(self._state)

    def _choose_target(self) -> None:
        name = f"chatdesk-{now().astimezone():%Y%m%d}.zip"
        words = tr("Backups") + " (*.zip)"
        if chosen := choose_new_file(self, tr("Save a backup as"), name, words):
            self.create_requested.emit(Path(chosen))

    def _choose_backup(self) -> None:
        if chosen := choose_file(self, tr("Restore a backup"), tr("Backups") + " (*.zip)"):
            self.look_requested.emit(Path(chosen))

    # What comes of it

    def _say(self, words: str, look: str = "small") -> None:
        set_class(self._state, look)
        self._state.setText(words)
        self._state.setVisible(bool(words))

    def _show_problem(self, problem: EnvironmentProblem) -> None:
        self._say(str(problem), "danger")

    def _show_newest(self, backups: tuple[BackupContents, ...]) -> None:
        if backups:
            when = when_words(backups[0].made, now())
            self._say(tr("The newest: {when}, {what}.", when=when, what=_what(backups[0])))

    def _show_made(self, made: BackupContents) -> None:
        self._say(tr("Made and checked: {what}.", what=_what(made)), "good")

    def _ask_to_restore(self, found: BackupContents) -> None:
        when = when_words(found.made, now())
        ask_first(
            self,
            tr("Put the backup of {when} in the place of everything?", when=when),
            tr(
                "In it are {what}. All chats, adapters and settings of now are replaced; they "
                "become a backup of their own first.",
                what=_what(found),
            ),
            tr("Restore"),
            partial(self.restore_requested.emit, found.path),
        )

    def _offer_to_quit(self, navigator: Navigator) -> None:
        self._say(tr("The backup takes its place when ChatDesk is started next."), "good")
        ask_first(
            self,
            tr("The backup is ready."),
            tr("It takes its place when ChatDesk is started next. What you do until then is lost."),
            tr("Quit ChatDesk"),
            navigator.quit,
        )


def _what(contents: BackupContents) -> str:
    return tr(
        "{chats}, {messages}, {size}",
        chats=trn("{n} chat", "{n} chats", contents.conversations),
        messages=trn("{n} message", "{n} messages", contents.messages),
        size=size_words(contents.bytes),
    )
