"""The import of chats in its states."""

import tempfile
from pathlib import Path

from chatdesk.ui.imports.page import ImportPage
from chatdesk.ui.navigator import PageId
from tests.exchange.conversations.reading import zipped
from tests.exchange.conversations.test_chatgpt import PLAIN, chat, content, message, node
from tests.pictures.homes import FRESH
from tests.pictures.screen import Screen
from tests.pictures.stage import Stage

_SPOKEN = content(
    "multimodal_text",
    "user",
    parts=[{"content_type": "audio_asset_pointer", "asset_pointer": "sediment://file_01"}],
)
_LOOPING = {"a": node("b", message("user", "?")), "b": node("a", message("assistant", "!"))}
_LONG = "A title that is so long that no column of any list has room for all of its many words"


def _export() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="chatdesk-export-"))
    titles = (
        "Zanzibar fig, two ways to prune",
        "量子纠缠是什么",
        "Thesis outline, chapter 2",
        _LONG,
    )
    chats = [chat(PLAIN, conversation_id=title, title=title) for title in titles]
    chats += [
        chat(PLAIN | {"v": node("a", _SPOKEN)}, conversation_id="v", title="Bus timetable"),
        chat({}, conversation_id="e", title=None),
        chat(_LOOPING, conversation_id="l", title="Looping"),
    ]
    return zipped(folder / "chatgpt-export-2026-11.zip", {"conversations.json": chats})


def _page(stage: Stage) -> ImportPage:
    stage.window.navigator.show(PageId.IMPORT)
    page = stage.window.findChild(ImportPage)
    assert isinstance(page, ImportPage)
    return page


def _nothing(stage: Stage) -> None:
    _page(stage).show_nothing()
    stage.rest()


def _preview(stage: Stage) -> None:
    stage.window.navigator.import_chats(_export())
    page = _page(stage)
    stage.until(lambda: page.model.rowCount() > 0)
    stage.afterwards(page.show_nothing)
    stage.rest()


def _report(stage: Stage) -> None:
    _preview(stage)
    _page(stage)._toggle_report()
    stage.rest()


def _importing(stage: Stage) -> None:
    from chatdesk.services.history.import_values import ImportProgressed

    _preview(stage)
    page = _page(stage)
    page.show_importing()
    page.show_progress(ImportProgressed(0.64, 11, 4.0))
    stage.rest()


SCREENS = (
    Screen("import, nothing chosen", _nothing),
    Screen("import, a look into an export", _preview),
    Screen("import, its report", _report),
    Screen("import, on its way", _importing),
    Screen("import, the first screen", lambda stage: stage.rest(), FRESH),
)
