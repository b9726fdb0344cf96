"""Text that is made larger and smaller by keys."""

from chatdesk.core.settings import TEXT_PERCENTS
from chatdesk.ui.settings_value import SettingsValue

USUAL = 100


class TextSize:
    """Changes the setting by a step; whoever follows the settings shows it."""

    def __init__(self, settings: SettingsValue) -> None:
        self._settings = settings

    def enlarge(self) -> None:
        """The next larger size, if there is one."""
        now = self._settings.now.general.text_percent
        self._choose(next((each for each in TEXT_PERCENTS if each > now), now))

    def shrink(self) -> None:
        """The next smaller size, if there is one."""
        now = self._settings.now.general.text_percent
        self._choose(next((each for each in reversed(TEXT_PERCENTS) if each < now), now))

    def reset(self) -> None:
        """The usual size."""
        self._choose(USUAL)

    def _choose(self, percent: int) -> None:
        self._settings.edit("general", text_percent=percent)
