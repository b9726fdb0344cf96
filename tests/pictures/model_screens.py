"""The Models page and its dialogs."""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QLineEdit, QMessageBox

from chatdesk.core.i18n import tr
from chatdesk.core.quantizing import Comparison, ModelFigures, Quantizing, QuantizingState
from chatdesk.services.hub.facts import DownloadProgressed
from chatdesk.services.quantize.facts import QuantizingChanged
from chatdesk.ui.models.hub.search import HubSearch
from chatdesk.ui.models.library.details_dialog import ModelDetailsDialog
from chatdesk.ui.models.library.duplicates_dialog import DuplicatesDialog
from chatdesk.ui.models.library.model_list import ModelListRow
from chatdesk.ui.models.library.other_apps_dialog import OtherAppsDialog
from chatdesk.ui.models.library.quantize_dialog import QuantizeDialog
from chatdesk.ui.models.options.dialog import ModelOptionsDialog
from chatdesk.ui.models.page import ModelsPage
from chatdesk.ui.navigator import PageId
from tests.hub_content import Fault
from tests.pictures.homes import FRESH, GB, HEADERS, LIVED_IN, NO_MODEL
from tests.pictures.screen import Opening, Screen
from tests.pictures.stage import Stage

_T = TypeVar("_T", bound=QDialog)
QWEN = "Qwen3-4B-Instruct-2507"


def _page(stage: Stage) -> ModelsPage:
    stage.window.navigator.show(PageId.MODELS)
    page = stage.find(ModelsPage)
    stage.rest()
    return page


def _models(stage: Stage) -> None:
    _page(stage)


def _downloads(stage: Stage) -> None:
    """Scrolled to the downloads, one of which goes on."""
    page = _page(stage)
    stage.desktop.bridge.publish(DownloadProgressed("d0", 2_300_000_000, 11_200_000.0, 245.0))
    stage.rest()
    stage.scroll_to(page.downloads)


def _catalog(stage: Stage) -> None:
    page = _page(stage)
    stage.scroll_to(page.catalog)


# The hub


def _look_for(words: str) -> Callable[[Stage], HubSearch]:
    def bring(stage: Stage) -> HubSearch:
        search = stage.find(HubSearch, _page(stage))
        field = stage.find(QLineEdit, search)
        field.setText(words)
        QTest.keyClick(field, Qt.Key.Key_Return)
        stage.rest()
        stage.afterwards(field.clear)
        return search

    return bring


def _results(stage: Stage) -> None:
    _look_for("qwen")(stage)


def _no_results(stage: Stage) -> None:
    _look_for("nobody has this")(stage)


def _unreachable(stage: Stage) -> None:
    stage.hub.fault(Fault(status=404))
    stage.afterwards(stage.hub.heal)
    _look_for("qwen")(stage)


def _repository(name: str) -> Callable[[Stage], None]:
    def bring(stage: Stage) -> None:
        search = _look_for("qwen")(stage)
        stage.press(tr("Open {repository}", repository=name), search)
        stage.until(search.repository.isVisible, "the repository")
        stage.rest()

    return bring


def _repository_card(stage: Stage) -> None:
    _repository("maker/Qwen3-4B-GGUF")(stage)
    search = stage.find(HubSearch)
    stage.press(tr("What its makers say"), search)


# Rows and their dialogs


def _row(stage: Stage, name: str = QWEN) -> ModelListRow:
    page = _page(stage)
    return next(row for row in page.kept.rows if row.kept.name == name)


def _row_menu(stage: Stage) -> Opening:
    row = _row(stage)
    return stage.button(tr("More about {name}", name=QWEN), row).click


def _page_menu(stage: Stage) -> Opening:
    return stage.button(tr("More about the models on this computer"), _page(stage)).click


def _dialog(stage: Stage, kind: type[_T]) -> _T:
    dialog = stage.find(kind)
    stage.rest()
    return dialog


def _details(stage: Stage) -> None:
    row = _row(stage)
    stage.window.findChild(ModelsPage).kept.details_requested.emit(row.kept)  # type: ignore[union-attr]
    _dialog(stage, ModelDetailsDialog)


def _details_of_the_starter(stage: Stage) -> None:
    row = next(row for row in _page(stage).kept.rows if row.kept.is_starter)
    stage.window.findChild(ModelsPage).kept.details_requested.emit(row.kept)  # type: ignore[union-attr]
    _dialog(stage, ModelDetailsDialog)


def _options(stage: Stage) -> None:
    stage.window.navigator.show_options()
    _dialog(stage, ModelOptionsDialog)


def _delete(stage: Stage) -> None:
    row = _row(stage)
    stage.window.findChild(ModelsPage).kept.delete_requested.emit(row.kept)  # type: ignore[union-attr]
    _dialog(stage, QMessageBox)


def _duplicates(stage: Stage) -> None:
    _page(stage).duplicates_requested.emit()
    _dialog(stage, DuplicatesDialog)


def _other_apps(stage: Stage) -> None:
    _page(stage).elsewhere_requested.emit()
    _dialog(stage, OtherAppsDialog)


def _shrink(stage: Stage) -> QuantizeDialog:
    page = _page(stage)
    row = next(row for row in page.kept.rows if row.kept.name == HEADERS["large"].name)
    page.kept.shrink_requested.emit(row.kept)
    return _dialog(stage, QuantizeDialog)


def _smaller(stage: Stage) -> None:
    _shrink(stage)


def _shrinking(stage: Stage) -> None:
    model = _shrink(stage).kept.model
    progress = Quantizing(model, "Q4_K_M", QuantizingState.WRITING, 0.37)
    stage.desktop.bridge.publish(QuantizingChanged(progress))
    stage.rest()
    ended = Quantizing(model, "Q4_K_M", QuantizingState.CANCELLED)
    stage.afterwards(lambda: stage.desktop.bridge.publish(QuantizingChanged(ended)))


def _shrunk(stage: Stage) -> None:
    model = _shrink(stage).kept.model
    figures = Comparison(ModelFigures(141 * GB, 1.4, 5.91), ModelFigures(42 * GB, 4.7, 6.03))
    progress = Quantizing(
        model, "Q4_K_M", QuantizingState.DONE, 1.0, result=model, comparison=figures
    )
    stage.desktop.bridge.publish(QuantizingChanged(progress))
    stage.rest()


def _add_a_file(stage: Stage) -> Opening:
    _page(stage)
    return stage.window.navigator.pick_model_file


SCREENS = (
    Screen("models", _models),
    Screen("models, first start", _models, FRESH),
    Screen("models, none", _models, NO_MODEL),
    Screen("models, downloads", _downloads),
    Screen("models, recommended", _catalog),
    Screen("models, found", _results),
    Screen("models, nothing found", _no_results),
    Screen("models, hub away", _unreachable),
    Screen("models, repository", _repository("maker/Qwen3-4B-GGUF")),
    Screen("models, repository, gated", _repository("maker/Shy-Qwen-GGUF")),
    Screen("models, repository, its card", _repository_card),
    Screen("menu of a model", _row_menu),
    Screen("menu of the models", _page_menu),
    Screen("model details", _details),
    Screen("model details, starter", _details_of_the_starter),
    Screen("model options", _options),
    Screen("delete a model", _delete),
    Screen("duplicates", _duplicates),
    Screen("duplicates, none", _duplicates, FRESH),
    Screen("other apps", _other_apps, LIVED_IN),
    Screen("other apps, none", _other_apps, FRESH),
    Screen("make smaller", _smaller),
    Screen("make smaller, working", _shrinking),
    Screen("make smaller, done", _shrunk),
    Screen("file dialog", _add_a_file),
)
