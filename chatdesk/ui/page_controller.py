"""What the controllers of pages share: the page is made when it is opened first."""

from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from chatdesk.ui.bridge import Bridge
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # imported when a page is opened; SQLAlchemy comes with the services
    from chatdesk.services.app import App
    from chatdesk.ui.widgets.page import Page

_P = TypeVar("_P", bound="Page")


class PageController(QObject, Generic[_P]):
    """Keeps for the page what comes before it: the services may, the colours (`set_theme`) must.

    `open_requested` asks to show the page. The notice it is given is the chat's.
    """

    open_requested = Signal()

    def __init__(self, bridge: Bridge, notice: Notice, window: QWidget) -> None:
        super().__init__(window)
        self._bridge = bridge
        self._chats_notice = notice
        self._window = window
        self._services: App | None = None
        self._theme: Theme | None = None
        self._page: _P | None = None

    def attach(self, services: "App") -> None:
        """The services are there."""
        self._services = services
        if self._page:
            self._serve(self._page, services)
            self._read()

    def page(self) -> _P:
        """The page, with everything read anew."""
        if self._page is None:
            assert self._theme
            self._page = self._make_page(self._theme)
            if self._services:
                self._serve(self._page, self._services)
        self._read()
        return self._page

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours."""
        self._theme = theme
        if self._page:
            self._page.set_theme(theme)

    @property
    def notice(self) -> Notice:
        """Where something is told so that it is seen."""
        page = self._page
        return page.notice if page and page.isVisible() else self._chats_notice

    def _make_page(self, theme: Theme) -> _P:
        """Build the page, and connect what needs no services."""
        raise NotImplementedError

    def _serve(self, page: _P, services: "App") -> None:
        """Connect what the page asks of the services."""
        raise NotImplementedError

    def _read(self) -> None:
        """Read anew what the page shows."""
        raise NotImplementedError
