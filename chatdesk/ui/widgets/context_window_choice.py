"""The field that chooses a context window."""

from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.fields import Choice
from chatdesk.ui.words import token_words

CONTEXT_WINDOWS = (2048, 4096, 8192, 16384, 32768, 65536, 131072)


class ContextWindowChoice(Choice):
    """Usual sizes in tokens; one that was set by hand is offered with them."""

    def __init__(self, current: int, theme: Theme) -> None:
        sizes = sorted({*CONTEXT_WINDOWS, current})
        super().__init__({size: token_words(size) for size in sizes}, current, theme)

    def choose(self, value: object) -> None:
        """Show a size, whether it was offered or not."""
        if isinstance(value, int):
            self.offer(value, token_words(value))
        super().choose(value)
