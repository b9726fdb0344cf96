"""The chat: the first screen, messages, the composer, the sidebar, the inspector and notices."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from chatdesk.core.chat import MessageState
from chatdesk.core.errors import EngineProblem, EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.loading import LoadOptions
from chatdesk.services.chat.facts import ConversationsChanged
from chatdesk.services.engine.facts import EngineChanged, EngineState, EngineStatus
from chatdesk.ui.chat.messages.message_view import MessageView
from chatdesk.ui.chat.messages.thinking_fold import ThinkingFold
from chatdesk.ui.history.conversation_list import ConversationList, more_rect
from chatdesk.ui.history.conversation_list_model import ListRole
from chatdesk.ui.markdown.code_card import CodeCard
from chatdesk.ui.navigator import PageId
from tests.pictures.conversations import (
    ASSISTANT,
    ESSAY,
    FAILED_CHAT,
    INTERRUPTED_CHAT,
    LONG_QUESTION_CHAT,
    MARKDOWN_CHAT,
    SCRIPTS_CHAT,
    STOPPED_CHAT,
    THINKING_CHAT,
    VERSIONS_CHAT,
    WIDE_CHAT,
    Chat,
)
from tests.pictures.homes import DAMAGED, FRESH, LIVED_IN, NO_MODEL, TAUGHT
from tests.pictures.screen import Opening, Screen, ShownBug
from tests.pictures.stage import Stage

TEN_LINES = "\n".join(f"Line {n} of a long thought that goes on" for n in range(1, 13))


def _stay(_stage: Stage) -> None:
    """The empty chat, as it is."""


def _open(chat: Chat) -> Callable[[Stage], None]:
    return lambda stage: stage.open_chat(chat.title)


def _scrolled(stage: Stage) -> None:
    stage.open_chat(MARKDOWN_CHAT.title)
    bar = stage.window.chat_view.column.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    stage.rest()


def _wide_from_the_top(stage: Stage) -> None:
    stage.open_chat(WIDE_CHAT.title)
    QTest.keyClick(stage.window.chat_view.column, Qt.Key.Key_Home)
    stage.rest()


def _unfolded_thinking(stage: Stage) -> None:
    stage.open_chat(THINKING_CHAT.title)
    stage.find(ThinkingFold).fold_button.setChecked(True)
    stage.rest()


def _streaming(stage: Stage) -> None:
    stage.send("slow", MessageState.STREAMING)


def _pondering(stage: Stage) -> None:
    stage.send("ponder", MessageState.STREAMING)


def _editing(stage: Stage) -> None:
    stage.open_chat(VERSIONS_CHAT.title)
    stage.window.parts.ask.edit_last()
    stage.rest()


def _editing_long(stage: Stage) -> None:
    stage.open_chat(LONG_QUESTION_CHAT.title)
    stage.window.parts.ask.edit_last()
    stage.rest()


def _actions(stage: Stage) -> None:
    """With the row of a question shown, as under the mouse."""
    stage.open_chat(VERSIONS_CHAT.title)
    for view in stage.window.chat_view.findChildren(MessageView):
        view.actions_row.set_hovered(True)
    stage.rest()


def _more_about_an_answer(stage: Stage) -> Opening:
    stage.open_chat(VERSIONS_CHAT.title)
    views = stage.window.chat_view.findChildren(MessageView)
    answer = next(each for each in views if each.message.role is ASSISTANT)
    return answer.actions_row.more_button.click


def _written(text: str) -> Callable[[Stage], None]:
    def bring(stage: Stage) -> None:
        stage.window.composer.set_text(text)
        stage.rest()

    return bring


def _chip_menu(stage: Stage) -> Opening:
    return stage.window.composer.open_models


def _adapter_menu(stage: Stage) -> Opening:
    return stage.window.composer.adapter.click


def _top_menu(stage: Stage) -> Opening:
    stage.open_chat(MARKDOWN_CHAT.title)
    return stage.button(tr("More"), stage.window.parts.page.top_bar).click


def _temporary(stage: Stage) -> None:
    stage.window.new_temporary_chat()
    stage.rest()


def _trash(stage: Stage) -> None:
    """With three chats, which are brought back afterwards."""
    chats = [each.id for each in stage.services.conversations.list()][-3:]
    for conversation_id in chats:
        stage.services.conversations.delete(conversation_id)

    def restore() -> None:
        for conversation_id in chats:
            stage.services.conversations.restore(conversation_id)
        stage.desktop.bridge.publish(ConversationsChanged())

    stage.afterwards(restore)
    stage.window.navigator.show(PageId.TRASH)
    stage.rest()


def _empty_trash(stage: Stage) -> None:
    stage.window.navigator.show(PageId.TRASH)
    stage.rest()


# Notices


def _problem(stage: Stage) -> None:
    stage.window.notice.show_problem(
        EnvironmentProblem(
            tr("“{file}” is not a GGUF file.", file="holiday.gguf"),
            tr("Choose a file that ends in .gguf."),
        ),
        tr("Try again"),
        lambda: None,
    )
    stage.rest()


def _deleted(stage: Stage) -> None:
    """What a delete says, with its undo; the chat is brought back afterwards."""
    stage.open_chat(STOPPED_CHAT.title)
    current = stage.window.chat_view.messages[0].conversation_id
    stage.window.parts.chat_deleter.delete(current)
    stage.until(lambda: stage.window.notice.words, "the notice")
    stage.rest()
    stage.services.conversations.restore(current)
    stage.afterwards(lambda: stage.desktop.bridge.publish(ConversationsChanged()))


def _engine_failed(stage: Stage) -> None:
    """The model needs more memory than there is; a smaller setting is offered."""
    status = stage.services.engine.status
    problem = EngineProblem(
        tr("The engine ended: there was not enough memory."), "", LoadOptions(context_window=2048)
    )
    failed = EngineStatus(EngineState.FAILED, status.model, problem=problem)
    stage.desktop.bridge.publish(EngineChanged(failed))
    stage.rest()
    stage.afterwards(lambda: stage.desktop.bridge.publish(EngineChanged(status)))


def _damaged(stage: Stage) -> None:
    stage.until(lambda: stage.window.notice.words, "the notice")


def _bug(stage: Stage) -> None:
    stage.desktop.bridge.bug_found.emit(ShownBug())
    stage.rest()


# The sidebar


def _sidebar(stage: Stage) -> None:
    """Also where it is a drawer."""
    stage.open_chat(MARKDOWN_CHAT.title)
    if stage.window.parts.sidebar.isHidden():
        stage.key("Ctrl+B")


def _projects(stage: Stage) -> None:
    """Two folders are open, and a pinned chat stands above the others."""
    _sidebar(stage)
    model = stage.window.parts.list_model
    for key in (model.projects[0].project.id, model.projects[2].project.id):
        model.open_folder(key, is_open=True)
        stage.afterwards(partial(model.open_folder, key, is_open=False))
    stage.find(ConversationList, stage.window.parts.sidebar).scrollToTop()


def _several_menu(stage: Stage) -> Opening:
    _sidebar(stage)
    chats = stage.find(ConversationList, stage.window.parts.sidebar)
    chats.scrollToTop()
    model = chats.model()
    ids = [model.index(row, 0) for row in range(14) if model.index(row, 0).data(ListRole.ID)]
    for index in ids[:3]:
        chats.selectionModel().select(index, QItemSelectionModel.SelectionFlag.Select)
    place = more_rect(chats.visualRect(ids[0])).center()
    return lambda: QTest.mouseClick(chats.viewport(), Qt.MouseButton.LeftButton, pos=place)


def _project_menu(stage: Stage) -> Opening:
    _sidebar(stage)
    chats = stage.find(ConversationList, stage.window.parts.sidebar)
    chats.scrollToTop()
    place = more_rect(chats.visualRect(chats.model().index(1, 0))).center()
    return lambda: QTest.mouseClick(chats.viewport(), Qt.MouseButton.LeftButton, pos=place)


def _no_chats(stage: Stage) -> None:
    if stage.window.parts.sidebar.isHidden():
        stage.key("Ctrl+B")


def _hide_sidebar(stage: Stage) -> None:
    stage.open_chat(MARKDOWN_CHAT.title)
    if not stage.window.parts.sidebar.isHidden():
        stage.key("Ctrl+B")


def _search(words: str) -> Callable[[Stage], None]:
    def bring(stage: Stage) -> None:
        stage.key("Ctrl+Shift+F")
        field = stage.find(QLineEdit, stage.window.parts.sidebar)
        field.setText(words)
        stage.rest()
        stage.afterwards(field.clear)

    return bring


def _chat_menu(stage: Stage) -> Opening:
    _sidebar(stage)
    chats = stage.find(ConversationList, stage.window.parts.sidebar)
    row = next(
        chats.model().index(row, 0)
        for row in range(chats.model().rowCount())
        if chats.model().index(row, 0).data() == MARKDOWN_CHAT.title
    )
    chats.scrollTo(row)
    place = more_rect(chats.visualRect(row)).center()
    return lambda: QTest.mouseClick(chats.viewport(), Qt.MouseButton.LeftButton, pos=place)


def _renaming(stage: Stage) -> None:
    stage.open_chat(MARKDOWN_CHAT.title)
    stage.window.parts.page.top_bar.rename_requested.emit()
    stage.rest()


# The inspector


def _inspector(stage: Stage) -> None:
    stage.open_chat(MARKDOWN_CHAT.title)
    stage.key("Ctrl+I")


def _inspector_more(stage: Stage) -> None:
    _inspector(stage)
    inspector = stage.window.parts.inspector
    fold = stage.button(tr("More"), inspector)
    fold.setChecked(True)
    stage.rest()
    stage.afterwards(lambda: fold.setChecked(False))


def _inspector_empty(stage: Stage) -> None:
    stage.key("Ctrl+I")


def _copied(stage: Stage) -> None:
    stage.open_chat(MARKDOWN_CHAT.title)
    column = stage.window.chat_view.column
    QTest.keyClick(column, Qt.Key.Key_End)
    stage.rest()
    copy = column.findChildren(CodeCard)[-1].head.copy_button
    above = copy.mapTo(column.viewport(), QPoint(0, -24)).y()
    if above < 0:
        column.verticalScrollBar().setValue(column.verticalScrollBar().value() + above)
    copy.click()
    stage.rest()


SCREENS = (
    Screen("first screen", _stay, FRESH),
    Screen("first screen, no model", _stay, NO_MODEL),
    Screen("first screen, many chats", _stay, LIVED_IN),
    Screen("first screen, adapter", _stay, TAUGHT),
    Screen("temporary chat", _temporary),
    Screen("recently deleted", _trash),
    Screen("recently deleted, nothing", _empty_trash, FRESH),
    Screen("database damaged", _damaged, DAMAGED),
    Screen("markdown", _open(MARKDOWN_CHAT)),
    Screen("markdown, scrolled", _scrolled),
    Screen("wide table, end", _open(WIDE_CHAT)),
    Screen("wide table", _wide_from_the_top),
    Screen("other scripts", _open(SCRIPTS_CHAT)),
    Screen("long question", _open(LONG_QUESTION_CHAT)),
    Screen("thinking", _open(THINKING_CHAT)),
    Screen("thinking, unfolded", _unfolded_thinking),
    Screen("thinking, streaming", _pondering),
    Screen("streaming", _streaming),
    Screen("stopped", _open(STOPPED_CHAT)),
    Screen("interrupted", _open(INTERRUPTED_CHAT)),
    Screen("failed", _open(FAILED_CHAT)),
    Screen("versions", _actions),
    Screen("code copied", _copied),
    Screen("menu of an answer", _more_about_an_answer),
    Screen("editing", _editing),
    Screen("editing, long", _editing_long),
    Screen("composer, ten lines", _written(TEN_LINES)),
    Screen("composer, too long", _written(ESSAY * 40)),
    Screen("menu of models", _chip_menu),
    Screen("menu of adapters", _adapter_menu, TAUGHT),
    Screen("menu of the chat", _top_menu),
    Screen("notice, problem", _problem),
    Screen("notice, deleted", _deleted),
    Screen("notice, engine failed", _engine_failed),
    Screen("bug", _bug),
    Screen("sidebar", _sidebar),
    Screen("sidebar, projects", _projects),
    Screen("sidebar, no chats", _no_chats, FRESH),
    Screen("sidebar hidden", _hide_sidebar),
    Screen("search, found", _search("garden")),
    Screen("search, nothing found", _search("nobody wrote this")),
    Screen("sidebar, renaming", _renaming),
    Screen("menu of a chat in the list", _chat_menu),
    Screen("menu of several chats", _several_menu),
    Screen("menu of a project", _project_menu),
    Screen("inspector", _inspector),
    Screen("inspector, more", _inspector_more),
    Screen("inspector, new chat", _inspector_empty),
)
