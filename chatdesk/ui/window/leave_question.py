"""The question before a temporary chat is gone."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from chatdesk.core.i18n import tr


def ask_to_leave(window: QWidget, leave: Callable[[], None]) -> None:
    """Ask first, since nothing of the chat is kept."""
    from chatdesk.ui.widgets.questions import ask_first  # few will ever be asked

    ask_first(
        window,
        tr("Leave this temporary chat?"),
        tr("Nothing of it was saved: it is gone then."),
        tr("Leave it"),
        leave,
    )
