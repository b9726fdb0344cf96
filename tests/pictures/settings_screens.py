"""The settings: each of their pages."""

from collections.abc import Callable

from chatdesk.ui.settings.dialog import SettingsDialog
from tests.pictures.homes import TAUGHT
from tests.pictures.screen import Screen
from tests.pictures.stage import Stage

SECTIONS = ("general", "models", "downloads", "learning", "backup", "server", "devices", "about")


def _section(section: str) -> Callable[[Stage], None]:
    def bring(stage: Stage) -> None:
        stage.window.navigator.show_settings(section)
        stage.find(SettingsDialog)
        stage.rest()

    return bring


def _computers(stage: Stage) -> None:
    """With other computers, one of which answers."""
    before = stage.desktop.settings.now.devices.remote
    remote = ("192.168.1.20:50052", "a-computer-with-a-very-long-name.local.example.org:50052")
    stage.desktop.settings.edit("devices", remote=remote)
    stage.afterwards(lambda: stage.desktop.settings.edit("devices", remote=before))
    _section("devices")(stage)


SCREENS = (
    *(Screen(f"settings, {section}", _section(section), TAUGHT) for section in SECTIONS),
    Screen("settings, other computers", _computers, TAUGHT),
)
