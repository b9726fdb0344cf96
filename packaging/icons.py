"""The app's icon in the containers of Windows and macOS; both only hold PNG files.

`python packaging/icons.py` draws the PNGs again after a change of the SVG; it needs PySide6.
"""

from __future__ import annotations

import struct
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "icons" / "app"
SIZES = (16, 24, 32, 48, 64, 128, 256, 512)  # pixels
ICNS_TYPES = {  # the sizes that may be PNG, for plain screens and, with half the name, Retina ones
    b"ic07": 128, b"ic08": 256, b"ic09": 512, b"ic11": 32, b"ic12": 64, b"ic13": 256, b"ic14": 512,
}  # fmt: skip


def svg() -> Path:
    """Return the drawing that all the others are made from."""
    return FOLDER / "chatdesk.svg"


def png(size: int) -> Path:
    """Return the icon at a size of `SIZES`."""
    return FOLDER / f"chatdesk-{size}.png"


def ico() -> bytes:
    """Return a Windows icon (ICONDIR, its entries, their PNGs), from 16 to 256 pixels."""
    sizes = [size for size in SIZES if size <= 256]
    entries, images = b"", b""
    for size in sizes:
        image = png(size).read_bytes()
        offset = 6 + 16 * len(sizes) + len(images)
        side = size % 256  # a byte; 0 stands for 256
        entries += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(image), offset)
        images += image
    return struct.pack("<HHH", 0, 1, len(sizes)) + entries + images


def icns() -> bytes:
    """Return a macOS icon: blocks of a type, their length with these eight bytes, and a PNG."""
    blocks = b""
    for kind, size in ICNS_TYPES.items():
        image = png(size).read_bytes()
        blocks += struct.pack(">4sI", kind, 8 + len(image)) + image
    return struct.pack(">4sI", b"icns", 8 + len(blocks)) + blocks


def draw() -> None:
    """Write the PNG of every size."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    renderer = QSvgRenderer(str(svg()))
    for size in SIZES:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        image.save(str(png(size)))


if __name__ == "__main__":
    draw()
