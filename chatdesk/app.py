"""The composition root of the desktop app: builds the services and opens the window.

The window is shown first; the database, the model list and the engine come on worker threads
after its first paint, so that one can type at once.
"""

import gc
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import chatdesk.ui  # noqa: F401 - before PySide6: see there

# isort: split
from PySide6.QtCore import QLibraryInfo, QTimer, QTranslator
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QMessageBox

from chatdesk import __version__
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import current_language, tie_units, tr
from chatdesk.core.paths import AppPaths, assets_dir
from chatdesk.core.settings import Settings
from chatdesk.services.engine.facts import EngineChanged, EngineState, EngineStatus
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.reduced_motion import ask_portal
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import (
    apply_theme,
    arrange_again,
    load_fonts,
    load_theme,
    set_text_size,
    system_theme_name,
)
from chatdesk.ui.window.application import Application
from chatdesk.ui.window.first_paint import FirstPaint
from chatdesk.ui.window.main_window import MainWindow
from chatdesk.ui.window.settings_keeper import SettingsKeeper
from chatdesk.ui.window.single_instance import SingleInstance
from chatdesk.ui.window_state import WindowState

if TYPE_CHECKING:  # SQLAlchemy is imported with it: not before the window stands
    from chatdesk.server.switch import ServerSwitch
    from chatdesk.services.app import App

_log = logging.getLogger(__name__)

GC_THRESHOLDS = (20_000, 50, 100)
UNSEEN = ("offscreen", "minimal")  # Qt's platforms on which nobody could close a dialog


class DesktopApp:
    """The running app.

    `engine_command` starts another engine process than ours (tests).
    """

    def __init__(
        self,
        application: Application,
        paths: AppPaths,
        settings: Settings,
        engine_command: Sequence[str] | None = None,
        instance: SingleInstance | None = None,
    ) -> None:
        self.instance = instance
        self._application = application
        self._engine_command = engine_command
        self._paths = paths
        self.settings = SettingsValue(settings)
        self._services: App | None = None
        self._server: ServerSwitch | None = None
        self._waiting: list[Path] = []  # models to open once there are services
        self.bridge = Bridge()
        self.window = MainWindow(
            self.bridge,
            self.settings,
            WindowState.read(paths.window_state),
            paths.window_state,
            load_theme(self._theme_name()),
        )
        self._settings_keeper = SettingsKeeper(
            self.bridge, self.settings, paths.settings, self.window.notice
        )
        self.settings.changed.connect(self._on_settings)
        self.window.closed.connect(self.close)
        application.files_opened.connect(self.open_models)
        application.styleHints().colorSchemeChanged.connect(self._show_theme)

    @property
    def services(self) -> "App | None":
        """The services, once they are built."""
        return self._services

    def start(self) -> None:
        """Show the window, then build the services behind it."""
        FirstPaint(self.window, self._build_services)
        self.window.show()

    def open_models(self, paths: Sequence[Path]) -> None:
        """Take up model files, as if dropped on the window, as soon as the services are there."""
        self._waiting += paths
        while self._services and self._waiting:
            self.window.add_model(self._waiting.pop(0))

    def close(self) -> None:
        """Keep what is being written and end."""
        self.window.hide()  # keeping it takes a moment that nobody need watch
        self.bridge.close()
        self._settings_keeper.close()
        if self._server:
            self._server.close()
            self._server = None
        if self._services:
            self._services.close()
            self._services = None
        self._application.quit()

    def _build_services(self) -> None:
        def work() -> "App":
            # SQLAlchemy takes a third of a second to import: not before the window stands.
            from chatdesk.services.app import build

            services = build(
                self._paths, self.bridge.publish, lambda: self.settings.now, self._engine_command
            )
            problems: dict[str, EnvironmentProblem] = {}
            for prepare in (services.tidy, services.load_default_model):
                try:
                    prepare()
                except EnvironmentProblem as found:  # what can be read is shown all the same
                    problems[found.sentence] = found
            for problem in problems.values():
                self.bridge.bug_found.emit(problem)
            if services.engine.status.model is None:  # the engine has nothing to announce
                self.bridge.publish(EngineChanged(services.engine.status))
            return services

        self.bridge.run_now(work, self._open, self._fail)

    def _fail(self, problem: EnvironmentProblem) -> None:
        self.bridge.fail(problem)
        self.bridge.publish(EngineChanged(EngineStatus(EngineState.FAILED)))  # there is none
        self.window.services_failed(problem, self._try_again)

    def _try_again(self) -> None:
        self.bridge.publish(EngineChanged(EngineStatus(EngineState.LOADING)))
        self._build_services()

    def _open(self, services: "App") -> None:
        from chatdesk.server.switch import ServerSwitch

        self._services = services
        self._server = ServerSwitch(services, lambda: self.settings.now)
        self.bridge.open(services)
        self.open_models(())
        services.backups.start()
        self.bridge.run(lambda app: app.personalize.resume_interrupted(), patient=True)
        self.bridge.run(lambda app: app.downloads.resume_unfinished(), patient=True)
        self.bridge.run(lambda app: app.memory_speed.start())
        self._serve()
        # What is imported stays for good: not looking through it again keeps the garbage
        # collector's pauses (50 ms and more) out of a streaming answer.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)

    def _on_settings(self, settings: Settings, before: Settings) -> None:
        if settings.general.text_percent != before.general.text_percent:
            set_text_size(self._application, settings.general.text_percent)
            self._show_theme()
            arrange_again(self._application)
        elif settings.general.theme != before.general.theme:
            self._show_theme()
        if settings.models.options != before.models.options:
            self.bridge.run(lambda app: app.apply_load_options(), patient=True)
        if settings.sessions != before.sessions:
            self.bridge.run(lambda app: app.sessions.apply())
        if settings.server != before.server:
            self._serve()

    def _serve(self) -> None:
        """Let other programs ask the model, or no longer, as the settings say."""
        if self._server:
            show = self.window.settings.show_server
            self.bridge.run_now(
                self._server.apply, show, lambda problem: show("", problem), patient=True
            )

    def _theme_name(self) -> str:
        chosen = self.settings.now.general.theme
        return system_theme_name(self._application) if chosen == "system" else chosen

    def _show_theme(self, _scheme: object = None) -> None:
        theme = load_theme(self._theme_name())
        apply_theme(self._application, theme)
        self.window.set_theme(theme)


def make_application(settings: Settings) -> Application:
    """Qt's application object with our fonts and theme, and words as a window has them."""
    tie_units(True)
    application = Application(sys.argv[:1])
    application.setApplicationName("ChatDesk")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("chatdesk")
    application.setWindowIcon(_app_icon())
    load_fonts(application)
    if settings.general.text_percent != 100:
        set_text_size(application, settings.general.text_percent)
    chosen = settings.general.theme
    name = system_theme_name(application) if chosen == "system" else chosen
    apply_theme(application, load_theme(name))
    _translate_qt(application)
    return application


def _app_icon() -> QIcon:
    """Return the icon for title bars and task bars where no desktop entry has one."""
    icon = QIcon()
    for size in (16, 32, 48, 128):
        icon.addFile(str(assets_dir() / "icons" / "app" / f"chatdesk-{size}.png"))
    return icon


def _translate_qt(application: QApplication) -> None:
    """Qt's own words (the context menus of text fields) in the app's language."""
    translator = QTranslator(application)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(f"qtbase_{current_language()}", folder):
        application.installTranslator(translator)


def run(
    paths: AppPaths,
    settings: Settings,
    on_started: Callable[[DesktopApp], None] | None = None,
    models: Sequence[Path] = (),
) -> int:
    """Open the window with model files and run until it is closed; return the exit code.

    `on_started` is called when the window was asked to show (benchmarks start there). A second
    start raises the first window and ends. Raises `EnvironmentProblem` where that one is hung or of
    another version.
    """
    application = make_application(settings)
    instance = SingleInstance(paths.data)
    if not instance.is_first():
        _raise_first(instance, models)
        return 0
    desktop = DesktopApp(application, paths, settings, instance=instance)
    instance.raise_requested.connect(desktop.window.raise_to_front)
    instance.raise_requested.connect(desktop.open_models)
    _report_bugs(desktop)
    _quit_on_signals(desktop)
    desktop.start()
    QTimer.singleShot(0, application, lambda: ask_portal(application))
    desktop.open_models(models)
    if on_started:
        on_started(desktop)
    try:
        return application.exec()
    finally:
        instance.close()


def _raise_first(instance: SingleInstance, models: Sequence[Path]) -> None:
    """Show the window that is open. Raises `EnvironmentProblem` where that is not what is meant."""
    if not instance.raise_first(models):
        raise EnvironmentProblem(
            tr("ChatDesk is already running, but its window does not answer."),
            tr("Wait a moment or end it, then try again."),
        )
    running = instance.running_version()
    if running != __version__:
        raise EnvironmentProblem(
            tr("Another version of ChatDesk is running: {version}.", version=running),
            tr("Close its window, then start version {version} again.", version=__version__),
        )


def show_problem(problem: EnvironmentProblem) -> None:
    """Show in a dialog why there is no window: a start from an icon shows no stderr."""
    _held = QApplication.instance() or make_application(Settings())  # as long as the dialog
    if QApplication.platformName() in UNSEEN:
        return
    box = QMessageBox(QMessageBox.Icon.Critical, "ChatDesk", problem.what)
    box.setInformativeText(problem.todo)
    box.exec()


def _report_bugs(desktop: DesktopApp) -> None:
    def hook(kind: type[BaseException], bug: BaseException, trace: TracebackType | None) -> None:
        _log.critical("a bug", exc_info=(kind, bug, trace))
        desktop.bridge.bug_found.emit(bug)

    sys.excepthook = hook


def _quit_on_signals(desktop: DesktopApp) -> None:
    """End in good order on Ctrl+C and on the session's end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: desktop.window.close_anyway())
    # Python handles a signal only between bytecodes; this lets it, while Qt waits.
    timer = QTimer(desktop.bridge)
    timer.timeout.connect(lambda: None)
    timer.start(500)
