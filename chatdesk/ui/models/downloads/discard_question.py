"""The question before a download is discarded, where much of it is there already."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.units import size_words
from chatdesk.ui.models.download_words import LITTLE_BYTES
from chatdesk.ui.widgets.questions import ask_first


def discard(parent: QWidget, received: int, cancel: Callable[[], None]) -> None:
    """Cancel a download; if so many bytes are not fetched again in seconds, ask before."""
    if received < LITTLE_BYTES:
        cancel()
        return
    ask_first(
        parent,
        tr("Discard this download?"),
        tr(
            "{size} were downloaded already and will be deleted. If you pause it, they stay.",
            size=size_words(received),
        ),
        tr("Discard it"),
        cancel,
    )
