"""All screens, in the order of their pictures. A new state of the window gets a line there."""

from tests.pictures import (
    chat_screens,
    import_screens,
    model_screens,
    personalize_screens,
    settings_screens,
)

SCREENS = (
    *chat_screens.SCREENS,
    *import_screens.SCREENS,
    *model_screens.SCREENS,
    *personalize_screens.SCREENS,
    *settings_screens.SCREENS,
)
