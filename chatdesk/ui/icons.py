"""The app's own icons: 24x24 stroke drawings in `assets/icons`, recoloured from the theme."""

from functools import lru_cache
from math import ceil

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from chatdesk.core.paths import assets_dir

ICON_SIZE = QSize(16, 16)
LARGE_ICON_SIZE = QSize(20, 20)


@lru_cache(maxsize=256)
def icon(name: str, colour: str) -> QIcon:
    """The icon `name` in `colour` (a token's `#RRGGBB`). An unknown name raises `OSError`."""
    svg = (assets_dir() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(svg.replace("currentColor", colour).encode()))
    drawn = QIcon()
    for pixels in _device_pixels():
        pixmap = QPixmap(pixels, pixels)
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
