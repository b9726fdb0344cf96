"""Between the Personalize page and the services: what there is, and what can be done with it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDialog, QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import RUNNING, AdapterRecord, AdapterState, ExampleSource
from chatdesk.services.adapters.facts import AdaptersChanged
from chatdesk.services.engine.facts import EngineChanged
from chatdesk.services.personalize.facts import LearningChanged, LearningProgress
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator, PageId, SettingsId
from chatdesk.ui.page_controller import PageController
from chatdesk.ui.personalize.overview import Overview, read_overview
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # imported when they are made
    from chatdesk.ui.personalize.page import PersonalizePage
    from chatdesk.ui.personalize.preview.controller import LeftPreview, PreviewController
    from chatdesk.ui.personalize.preview.dialog import PreviewDialog
    from chatdesk.ui.personalize.scorecard_dialog import ScorecardDialog

_KEY = "end of a run"
_LOOK_AGAIN_MS = 1000  # while what learning needs is being installed


class PersonalizeController(PageController["PersonalizePage"]):
    """`title_of` names a conversation by its id."""

    def __init__(
        self,
        bridge: Bridge,
        navigator: Navigator,
        title_of: Callable[[str], str],
        notice: Notice,
        window: QWidget,
    ) -> None:
        super().__init__(bridge, navigator, notice, window)
        self._title_of = title_of
        self._overview = Overview()
        self._progress: LearningProgress | None = None  # the last report
        self._preview: PreviewDialog | None = None
        self._scorecard: ScorecardDialog | None = None
        self._left_preview: LeftPreview | None = None
        self._told = ""  # the adapter that the notice of a run's end is about
        self._look_again = QTimer(self, singleShot=True, interval=_LOOK_AGAIN_MS)
        self._look_again.timeout.connect(self._read)
        bridge.subscribe(AdaptersChanged, self._on_adapters)
        bridge.subscribe(EngineChanged, self._on_engine)
        bridge.subscribe(LearningChanged, self._on_learning)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        super().set_theme(theme)
        for dialog in (self._preview, self._scorecard):
            if dialog:
                dialog.set_theme(theme)

    # Facts

    def _on_adapters(self, _fact: AdaptersChanged) -> None:
        """There are others, or another is active."""
        if self._page or self._told:
            self._read()

    def _on_engine(self, fact: EngineChanged) -> None:
        """Another model has other adapters."""
        if self._page and fact.status.model != self._overview.model:
            self._read()

    def _on_learning(self, fact: LearningChanged) -> None:
        """A run has come further, or ended."""
        self._progress = fact.progress
        if fact.progress.state not in RUNNING:
            self._read(partial(self._notify_end, fact))
        elif self._page:
            self._page.show_progress(fact.progress)

    def _notify_end(self, fact: LearningChanged) -> None:
        record = self._overview.record(fact.progress.adapter_id)
        if fact.problem:
            show_page = partial(self._navigator.show, PageId.PERSONALIZE)
            seen = self._page is not None and self._page.isVisible()
            self.notice.show_problem(fact.problem, tr("Personalize"), None if seen else show_page)
        elif record and record.state in (AdapterState.PROMOTED, AdapterState.REJECTED):
            promoted = record.state is AdapterState.PROMOTED
            self._told = record.id
            self.notice.show_words(
                tr("“{name}” passed the test and answers from now on.", name=record.name)
                if promoted
                else tr("“{name}” did not pass the test. Nothing changed.", name=record.name),
                "",
                tr("Show the scorecard"),
                partial(self._show_scorecard, record),
                key=_KEY,
            )

    def _take_back(self, overview: Overview) -> None:
        """What was told of a run's adapter may not be so any more."""
        told, model = overview.record(self._told), overview.model
        is_of_model = told is not None and model is not None and told.model_id == model.id
        answers = overview.active is not None and overview.active.id == self._told
        if told is None or (is_of_model and told.is_usable and not answers):
            self.notice.solved(_KEY)
            self._told = ""

    # The page

    def _make_page(self, theme: Theme) -> "PersonalizePage":
        from chatdesk.ui.personalize.adapter_actions import AdapterActions
        from chatdesk.ui.personalize.page import PersonalizePage

        page = PersonalizePage(theme)
        AdapterActions(self._bridge, lambda: self._overview.model, page)
        for signal, slot in (
            (page.learn_requested, self.open_preview),
            (
                page.settings_requested,
                lambda: self._navigator.show_settings(SettingsId.LEARNING),
            ),
            (page.history.scorecard_requested, self._show_scorecard),
            (page.history.retrain_requested, self._retrain),
        ):
            signal.connect(slot)
        return page

    def _read(self, then: Callable[[], None] = lambda: None) -> None:
        def show(overview: Overview) -> None:
            self._overview = replace(overview, progress=self._progress or overview.progress)
            if self._page:
                self._page.show_overview(self._overview)
            if overview.installing:
                self._look_again.start()
            then()
            if self._told:
                self._take_back(overview)

        self._bridge.run(read_overview, show)

    def _show_scorecard(self, record: AdapterRecord) -> None:
        from chatdesk.ui.personalize.scorecard_dialog import ScorecardDialog

        assert self._theme
        dialog = self._scorecard = ScorecardDialog(record, self._theme, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(self._forget_scorecard)
        dialog.open()

    def _forget_scorecard(self) -> None:
        self._scorecard = None

    def _retrain(self, record: AdapterRecord) -> None:
        model = self._overview.model
        if model and record.model_id != model.id:
            self.notice.show_words(
                tr("“{name}” was made for {model}.", name=record.name, model=record.model_name),
                tr("Choose that model, then retrain."),
            )
        else:
            self.open_preview()

    # The preview

    def open_preview(self) -> None:
        """Show what would be learned; as it was left, if one looked at a chat meanwhile."""
        if self._preview is None:
            self._preview = self._make_preview()
        if self._preview:
            self._preview.open()

    def _make_preview(self) -> "PreviewDialog | None":
        model = self._overview.model
        if model is None:  # the services may not be there yet, which come with the controller
            return None
        from chatdesk.ui.personalize.preview.controller import PreviewController
        from chatdesk.ui.personalize.preview.dialog import PreviewDialog

        assert self._theme
        dialog = PreviewDialog(self._title_of, self._theme, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open_requested.connect(self._look_at)
        dialog.finished.connect(self._preview_closed)
        controller = PreviewController(self._bridge, model, dialog, self._left_preview)
        dialog.finished.connect(lambda result: self._keep_preview(controller, result))
        controller.read()
        return dialog

    def _look_at(self, source: ExampleSource) -> None:
        """Leave the preview for the chat an example is from; it waits as it is."""
        if self._preview:
            self._preview.hide()
        self._navigator.open_chat(source.conversation_id, source.message_id)
        self.notice.show_words(
            tr("What will be learned waits as you left it."),
            "",
            tr("Back to it"),
            self.open_preview,
        )

    def _keep_preview(self, controller: "PreviewController", result: int) -> None:
        """What was chosen and masked comes back with the next preview, unless it is learned now."""
        started = result == QDialog.DialogCode.Accepted
        self._left_preview = None if started else controller.left

    def _preview_closed(self, _result: int) -> None:
        self._preview = None
