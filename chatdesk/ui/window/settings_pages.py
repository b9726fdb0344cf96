"""The pages of the settings, in the order of their list: each belongs to a feature."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme

if TYPE_CHECKING:  # imported when the settings are opened
    from chatdesk.ui.settings_page import SettingsPage


def settings_pages(settings: SettingsValue, theme: Theme) -> "Sequence[SettingsPage]":
    """Made when the settings are opened; until then nothing of them is imported."""
    from chatdesk.ui.history.backup_page import BackupPage
    from chatdesk.ui.models.downloads.settings_page import DownloadSettingsPage
    from chatdesk.ui.models.settings_page import ModelSettingsPage
    from chatdesk.ui.personalize.settings_page import LearningSettingsPage
    from chatdesk.ui.settings.about_page import AboutPage
    from chatdesk.ui.settings.computers_page import ComputersPage
    from chatdesk.ui.settings.general_page import GeneralPage
    from chatdesk.ui.settings.server_page import ServerPage

    return (
        GeneralPage(settings, theme),
        ModelSettingsPage(settings, theme),
        DownloadSettingsPage(settings, theme),
        LearningSettingsPage(settings, theme),
        BackupPage(settings, theme),
        ServerPage(settings, theme),
        ComputersPage(settings, theme),
        AboutPage(settings),
    )
