"""The Personalize page, the preview of what is learned, and the scorecard."""

from collections.abc import Callable

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.personalization import AdapterState
from chatdesk.services.personalize.facts import LearningChanged, LearningProgress
from chatdesk.ui.navigator import PageId
from chatdesk.ui.personalize.page import PersonalizePage
from chatdesk.ui.personalize.preview.dialog import PreviewDialog
from chatdesk.ui.personalize.scorecard_dialog import ScorecardDialog
from tests.pictures.homes import FRESH, LIVED_IN, NO_MODEL, TAUGHT
from tests.pictures.screen import Opening, Screen
from tests.pictures.stage import Stage
from tests.ui.learning_data import LOSSES, preview


def _page(stage: Stage) -> PersonalizePage:
    stage.window.navigator.show(PageId.PERSONALIZE)
    page = stage.find(PersonalizePage)
    stage.rest()
    return page


def _open(stage: Stage) -> None:
    _page(stage)


def _history(stage: Stage) -> None:
    stage.scroll_to(_page(stage).history)


def _running(**fields: object) -> Callable[[Stage], None]:
    def bring(stage: Stage) -> None:
        _page(stage)
        progress = LearningProgress(
            "v4", AdapterState.TRAINING, 0.42, 1130.0, 312.0, 1_900_000_000,
            **fields,  # type: ignore[arg-type]
        )  # fmt: skip
        stage.desktop.bridge.publish(LearningChanged(progress))
        stage.rest()
        _end_afterwards(stage)

    return bring


def _failed(stage: Stage) -> None:
    _page(stage)
    progress = LearningProgress("v3", AdapterState.FAILED)
    problem = EnvironmentProblem("The trainer ended: not enough memory.", "Close other programs.")
    stage.desktop.bridge.publish(LearningChanged(progress, problem))
    stage.rest()


def _promoted(stage: Stage) -> None:
    _page(stage)
    progress = LearningProgress("v5", AdapterState.PROMOTED)
    stage.desktop.bridge.publish(LearningChanged(progress))
    stage.rest()


def _end_afterwards(stage: Stage) -> None:
    ended = LearningProgress("v4", AdapterState.CANCELLED)
    stage.afterwards(lambda: stage.desktop.bridge.publish(LearningChanged(ended)))


def _adapter_menu(stage: Stage) -> Opening:
    page = _page(stage)
    index = page.model.index(0)
    rows = page.history.rows
    return lambda: rows.menu_requested.emit(
        index, rows.viewport().mapToGlobal(rows.visualRect(index).bottomRight())
    )


def _previewing(stage: Stage) -> PreviewDialog:
    stage.press(tr("Learn now"), _page(stage))
    dialog = stage.find(PreviewDialog)
    stage.rest()
    return dialog


def _preview(stage: Stage) -> None:
    dialog = _previewing(stage)
    dialog.show_preview(preview(), 1130.0)
    dialog.list.setCurrentIndex(dialog.model.index(1))
    stage.rest()


def _preview_as_it_is(stage: Stage) -> None:
    _previewing(stage)


def _preview_fields(stage: Stage) -> None:
    dialog = _previewing(stage)
    dialog.show_preview(preview(tr("There is no model to learn with.")), 1130.0)
    stage.press(tr("How it is learned"), dialog)


def _scorecard(adapter_id: str) -> Callable[[Stage], None]:
    def bring(stage: Stage) -> None:
        page = _page(stage)
        record = next(each for each in stage.services.adapters.records() if each.id == adapter_id)
        page.history.scorecard_requested.emit(record)
        stage.find(ScorecardDialog)
        stage.rest()

    return bring


SCREENS = (
    Screen("personalize, empty", _open, FRESH),
    Screen("personalize, few examples", _open, LIVED_IN),
    Screen("personalize, no model", _open, NO_MODEL),
    Screen("personalize", _open, TAUGHT),
    Screen("personalize, history", _history, TAUGHT),
    Screen("personalize, begins", _running(), TAUGHT),
    Screen("personalize, learning", _running(losses=LOSSES), TAUGHT),
    Screen("personalize, paused", _running(losses=LOSSES, paused=True), TAUGHT),
    Screen("personalize, waiting", _running(waiting="The computer runs on its battery."), TAUGHT),
    Screen("personalize, failed", _failed, TAUGHT),
    Screen("personalize, promoted", _promoted, TAUGHT),
    Screen("menu of an adapter", _adapter_menu, TAUGHT),
    Screen("preview", _preview, TAUGHT),
    Screen("preview, few examples", _preview_as_it_is, TAUGHT),
    Screen("preview, nothing", _preview_as_it_is, FRESH),
    Screen("preview, how it is learned", _preview_fields, TAUGHT),
    Screen("scorecard", _scorecard("v5"), TAUGHT),
    Screen("scorecard, rejected", _scorecard("v1"), TAUGHT),
)
