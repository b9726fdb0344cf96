"""The app's own icons: 24x24 stroke drawings in `assets/icons`, recoloured from the theme."""

from functools import lru_cache
from math import ceil

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton

from chatdesk.core.paths import assets_dir

ICON_SIZE = QSize(16, 16)
LARGE_ICON_SIZE = QSize(20, 20)
_QT_GAP, _GAP = 4, 8  # pixels between an icon and its word: what Qt leaves, and what we want
WORD_ICON_SIZE = QSize(ICON_SIZE.width() + _GAP - _QT_GAP, ICON_SIZE.height())


@lru_cache(maxsize=256)
def icon(name: str, colour: str) -> QIcon:
    """The icon `name` in `colour` (a token's `#RRGGBB`). An unknown name raises `OSError`."""
    return _drawn(name, colour, 1.0)


@lru_cache(maxsize=256)
def word_icon(name: str, colour: str) -> QIcon:
    """An icon that stands before a word: in `WORD_ICON_SIZE`, with room at its right.

    Neither a style nor a style sheet can widen Qt's own gap.
    """
    return _drawn(name, colour, WORD_ICON_SIZE.width() / WORD_ICON_SIZE.height())


def show_icon(button: QAbstractButton, name: str, colour: str) -> None:
    """Give a button with words an icon before them."""
    button.setIconSize(WORD_ICON_SIZE)
    button.setIcon(word_icon(name, colour))


def _drawn(name: str, colour: str, width: float) -> QIcon:
    """Return the icon at the left of pixmaps that are `width` times as wide as high."""
    svg = (assets_dir() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(svg.replace("currentColor", colour).encode()))
    drawn = QIcon()
    for pixels in _device_pixels():
        pixmap = QPixmap(round(pixels * width), pixels)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        renderer.render(painter, QRectF(0, 0, pixels, pixels))
        painter.end()
        drawn.addPixmap(pixmap)
    return drawn


def _device_pixels() -> list[int]:
    """Return both sizes for a plain screen and for the finest one, so that no icon is scaled up."""
    finest = max(screen.devicePixelRatio() for screen in QGuiApplication.screens())
    sizes = (ICON_SIZE.width(), LARGE_ICON_SIZE.width())
    return sorted({ceil(size * ratio) for size in sizes for ratio in (1.0, finest)})
