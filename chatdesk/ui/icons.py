"""The app's own icons: 24x24 stroke drawings in `assets/icons`, recoloured from the theme."""

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from chatdesk.core.paths import assets_dir

ICON_SIZE = QSize(16, 16)
LARGE_ICON_SIZE = QSize(20, 20)

# Device pixels drawn in advance: both sizes at 1x, 1.5x, 2x and 3x, so that none is scaled up.
_PIXELS = (16, 20, 24, 32, 40, 60)


@lru_cache(maxsize=256)
def icon(name: str, colour: str) -> QIcon:
    """The icon `name` in `colour` (a token's `#RRGGBB`). An unknown name raises `OSError`."""
    svg = (assets_dir() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(svg.replace("currentColor", colour).encode()))
    drawn = QIcon()
    for pixels in _PIXELS:
        pixmap = QPixmap(pixels, pixels)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        renderer.render(painter, QRectF(0, 0, pixels, pixels))
        painter.end()
        drawn.addPixmap(pixmap)
    return drawn
