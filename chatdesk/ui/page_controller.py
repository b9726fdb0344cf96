"""The common part of the pages' controllers: a page is made when it is first opened."""

from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # imported when a page is opened
    from chatdesk.ui.widgets.page import PageView

_P = TypeVar("_P", bound="PageView")


class PageController(QObject, Generic[_P]):
    """Makes the page, in the colours that `set_theme` brought before."""

    def __init__(
        self, bridge: Bridge, navigator: Navigator, notice: Notice, window: QWidget
    ) -> None:
        super().__init__(window)
        self._bridge = bridge
        self._navigator = navigator
        self.notice = notice
        self._window = window
        self._theme: Theme | None = None
        self._page: _P | None = None
        bridge.opened.connect(self._read_if_made)

    def page(self) -> _P:
        """The page, with everything read anew."""
        if self._page is None:
            assert self._theme
            self._page = self._make_page(self._theme)
            self._page.notice = self.notice
        self._read()
        return self._page

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        if self._page:
            self._page.set_theme(theme)

    @property
    def is_looked_at(self) -> bool:
        """True while the page is shown."""
        return self._page is not None and self._page.isVisible()

    def _read_if_made(self) -> None:
        if self._page:
            self._read()

    def _make_page(self, theme: Theme) -> _P:
        """Build the page, and connect what it asks for."""
        raise NotImplementedError

    def _read(self) -> None:
        """Read anew what the page shows."""
        raise NotImplementedError
