"""The app's own icons: 24x24 stroke drawings in `assets/icons`, recoloured from the theme."""

from functools import lru_cache
from math import ceil

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton

from chatdesk.core.paths import assets_dir
from chatdesk.ui.theme import scaled, text_scale

SMALL, LARGE = 16, 20  # pixels of an icon, as they were designed
_QT_GAP, _GAP = 4, 8  # pixels between an icon and its word: what Qt leaves, and what we want


def icon_size(pixels: int = SMALL) -> QSize:
    """The size of an icon in text of the present size."""
    return QSize(scaled(pixels), scaled(pixels))


def word_icon_size() -> QSize:
    """The size of an icon with the room at its right."""
    return icon_size() + QSize(_GAP - _QT_GAP, 0)


def icon(name: str, colour: str) -> QIcon:
    """The icon `name` in `colour` (a token's `#RRGGBB`). An unknown name raises `OSError`."""
    return _drawn(name, colour, 1.0, text_scale())


def word_icon(name: str, colour: str) -> QIcon:
    """An icon that stands before a word: in `word_icon_size`, with room at its right.

    Neither a style nor a style sheet can widen Qt's own gap.
    """
    size = word_icon_size()
    return _drawn(name, colour, size.width() / size.height(), text_scale())


def show_icon(button: QAbstractButton, name: str, colour: str) -> None:
    """Give a button with words an icon before them."""
    button.setIconSize(word_icon_size())
    button.setIcon(word_icon(name, colour))


@lru_cache(maxsize=512)
def _drawn(name: str, colour: str, width: float, _text_scale: float) -> QIcon:
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
    sizes = (scaled(SMALL), scaled(LARGE))
    return sorted({ceil(size * ratio) for size in sizes for ratio in (1.0, finest)})
