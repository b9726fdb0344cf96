"""The settings in the running window: what is chosen holds, and models are loaded anew for it."""

import socket
from dataclasses import replace
from http.client import HTTPConnection

from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from chatdesk.app import DesktopApp
from chatdesk.core.loading import ModelLoaded, StepDown
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import ServerSettings, Settings
from chatdesk.core.settings_file import read_settings
from chatdesk.services.app import App
from chatdesk.services.engine.facts import EngineChanged, EngineState, EngineStatus
from chatdesk.ui.chat.inspector.runs_on import RunsOn
from chatdesk.ui.models.options.dialog import ModelOptionsDialog
from chatdesk.ui.models.settings_page import ModelSettingsPage
from chatdesk.ui.settings.computers_page import ComputersPage
from chatdesk.ui.settings.dialog import SettingsDialog
from chatdesk.ui.settings.server_page import ServerPage
from chatdesk.ui.theme import Theme
from chatdesk.ui.window.application import Application
from tests.ui.driver import Window, opened, texts


def settings_dialog(window: Window) -> SettingsDialog:
    window.window.settings.open()
    dialog = window.window.settings.dialog
    assert dialog
    return dialog


def options_dialogs(window: Window) -> list[ModelOptionsDialog]:
    found = window.window.findChildren(ModelOptionsDialog)
    return [each for each in found if each.isVisible()]


def services(window: Window) -> App:
    found = window.desktop.services
    assert found
    return found


def loaded(window: Window) -> ModelLoaded:
    found = services(window).engine.status.loaded
    assert found
    return found


def loaded_now(window: Window, **wanted: object) -> bool:
    """Whether the model is loaded, with these options."""
    status = services(window).engine.status
    return status.loaded is not None and all(
        getattr(status.loaded, name) == value for name, value in wanted.items()
    )


def own_options(window: Window) -> list[object]:
    """What the settings file says of single models."""
    return list(read_settings(window.paths.settings).models.options.values())


def tell(window: Window, status: EngineStatus) -> None:
    """As the engine service would."""
    window.desktop.bridge.publish(EngineChanged(status))


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def test_what_is_chosen_holds_and_is_kept(window: Window) -> None:
    dialog = settings_dialog(window)
    window.desktop.settings.edit("general", enter_sends=False)
    window.desktop.settings.edit("chat", system_prompt="Be brief.")
    dialog.accept()
    window.until(lambda: read_settings(window.paths.settings).chat.system_prompt == "Be brief.")
    assert window.window.parts.enter.key == "Ctrl+Enter"
    assert window.window.settings.dialog is None


def test_a_model_is_loaded_anew_when_the_dialog_closes(window: Window) -> None:
    pid = services(window).engine.process_id
    dialog = settings_dialog(window)
    window.desktop.settings.edit("models", parallel=2)
    assert services(window).engine.process_id == pid
    dialog.accept()
    window.until(lambda: loaded_now(window, parallel=2))


def test_other_settings_leave_the_model_alone(window: Window) -> None:
    pid = services(window).engine.process_id
    dialog = settings_dialog(window)
    window.desktop.settings.edit("models", unload_after_min=5)
    dialog.reject()
    assert window.ask("say: still").text == "still "
    assert services(window).engine.process_id == pid


def test_options_of_one_model(window: Window) -> None:
    window.window.navigator.show_options()
    (dialog,) = options_dialogs(window)
    dialog._threads.setValue(3)
    next(each for each in dialog.findChildren(QPushButton) if each.text() == "Save").click()
    window.until(lambda: loaded_now(window, threads=3))
    window.until(lambda: own_options(window) == [{"threads": 3}])
    window.window.navigator.show_options()
    (again,) = options_dialogs(window)
    assert again.chosen.threads == 3
    pid = services(window).engine.process_id
    again.reject()
    assert services(window).engine.process_id == pid


def test_what_is_kept_is_measured_and_deleted(window: Window) -> None:
    folder = window.paths.sessions
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a-b.kv").write_bytes(b"x" * 3 * 1024**2)
    page = settings_dialog(window).page(ModelSettingsPage)
    window.until(lambda: "3\u00a0MB are kept now." in texts(page))
    page.clear_requested.emit()
    window.until(lambda: "Nothing is kept now." in texts(page))
    assert not list(folder.iterdir())


def test_whether_another_computer_answers(window: Window) -> None:
    page = settings_dialog(window).page(ComputersPage)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        there = f"127.0.0.1:{listening.getsockname()[1]}"
        page._typed.setText(there)
        page._typed.returnPressed.emit()
        window.until(lambda: "answers" in texts(page))
    page._check(there)
    window.until(lambda: "does not answer" in texts(page))


def test_the_server_follows_the_settings(window: Window) -> None:
    port = free_port()
    dialog = settings_dialog(window)
    window.desktop.settings.edit("server", port=port, on=True)
    address = f"http://127.0.0.1:{port}/v1"
    window.until(lambda: dialog.page(ServerPage)._address.text() == address)
    assert status_of(port, "/v1/models") == 200
    window.desktop.settings.edit("server", key="secret")
    window.until(lambda: status_of(port, "/v1/models") == 401)
    moved = free_port()
    window.desktop.settings.edit("server", port=moved)
    window.until(lambda: answers(moved))
    assert not answers(port)
    window.desktop.settings.edit("server", on=False)
    window.until(lambda: "Off" in texts(dialog.page(ServerPage)))
    assert not answers(moved)


def status_of(port: int, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", port)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:  # between one server and the next
        return 0
    finally:
        connection.close()


def test_a_port_that_is_taken_is_told(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings(server=ServerSettings(on=True, port=port))
        with opened(qtbot, qapp, paths, settings) as window:
            window.until(lambda: str(port) in window.window.notice.words)
            window.window.notice.act()
            dialog = window.window.settings.dialog
            assert dialog
            assert dialog.page(ServerPage).isVisible()
            assert any(str(port) in words for words in texts(dialog.page(ServerPage)))


def test_the_server_ends_with_the_app(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths
) -> None:
    port = free_port()
    with opened(qtbot, qapp, paths, Settings(server=ServerSettings(on=True, port=port))) as window:
        window.until(lambda: answers(port))
    assert not answers(port)


def answers(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def test_no_usable_chat_template_is_told_once(window: Window) -> None:
    status = services(window).engine.status
    problem = "line 3: TemplateError: no"
    told = replace(loaded(window), template_notice="broken", template_problem=problem)
    broken = replace(status, loaded=told)
    tell(window, broken)
    window.until(lambda: "Fake has no usable chat template." in window.window.notice.words)
    assert problem in window.window.notice.words
    window.window.notice.clear()
    tell(window, replace(status, state=EngineState.ASLEEP))
    tell(window, broken)
    window.until(lambda: runs_on_is_shown(window))
    assert window.window.notice.words == ""


def runs_on_is_shown(window: Window) -> bool:
    found = window.window.findChild(RunsOn)
    return isinstance(found, RunsOn) and not found.isHidden()


def test_a_model_that_did_not_fit_as_set_is_told(window: Window) -> None:
    status = services(window).engine.status
    smaller = replace(loaded(window), stepped_down=(StepDown.SMALLER_CONTEXT,))
    tell(window, replace(status, loaded=smaller))
    window.until(lambda: "so it is 2,048 tokens" in window.window.notice.words)
    window.window.notice.act()
    assert options_dialogs(window)


def test_a_model_that_sleeps_is_told_calmly(window: Window) -> None:
    tell(window, replace(services(window).engine.status, state=EngineState.ASLEEP))
    window.until(lambda: "Fake · F16 · unloaded" in button_words(window.desktop))
    assert any("your next message loads it again" in words for words in texts(window.window))


def button_words(desktop: DesktopApp) -> list[str]:
    return [button.text() for button in desktop.window.composer.findChildren(QPushButton)]


def test_after_running_out_of_memory_less_is_offered(window: Window) -> None:
    window.send("die")
    window.until(lambda: window.window.notice.words == "It can be run with less memory.")
    error = window.messages[-1].answer and window.messages[-1].answer.error
    assert "memory ran out" in (error or "")  # where it is told
    window.until_ready()  # it recovers all the same
    assert window.window.notice.words == "It can be run with less memory."
    pid = services(window).engine.process_id
    window.window.notice.act()
    window.until(lambda: services(window).engine.process_id != pid)
    window.until_ready()
    model = services(window).engine.status.model
    assert model
    assert window.desktop.settings.now.load_options(model.id).kv_type == "q4_0"
