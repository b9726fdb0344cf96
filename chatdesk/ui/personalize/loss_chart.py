"""The losses of a run as curves, during the run and after."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import LossPoint
from chatdesk.ui.theme import TINY_PX, Theme, scaled, text_font

HEIGHT = 172
MOST_HEIGHT = 320
GRID_LINES = 3
_PAD = 12  # beside the words that stand in for curves
_LABEL_GAP = 8  # between a curve's end and its label
_DOT = 2.5  # pixels from the middle of a curve's end to its edge
_HEADROOM = 0.08  # of the range of the losses, above and below them


@dataclass(frozen=True, slots=True)
class _Curve:
    name: str
    points: list[tuple[int, float]]  # step, loss
    colour: str
    style: Qt.PenStyle

    @property
    def label(self) -> str:
        return f"{self.name} {self.points[-1][1]:.2f}"


class LossChart(QWidget):
    """Paints the training, validation and general loss over the steps, each labelled at its end."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._points: tuple[LossPoint, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMaximumHeight(scaled(MOST_HEIGHT))
        self.setAccessibleName(tr("Losses"))
        self._describe()

    def show_losses(self, points: Sequence[LossPoint]) -> None:
        """Show these losses, the first step first; values that are not finite are skipped."""
        self._points = tuple(points)
        self._describe()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Return a width that takes all the space there is."""
        return QSize(320, scaled(HEIGHT))

    def minimumSizeHint(self) -> QSize:
        """Return a size at which the labels still leave room for curves."""
        return QSize(220, scaled(HEIGHT))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the grid, the curves and their labels."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(text_font(TINY_PX))
        curves = self._curves()
        if not curves:
            painter.setPen(QColor(self._theme.muted))
            whole = self.rect().adjusted(_PAD, 0, -_PAD, 0)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(whole, flags, self._nothing_yet())
            return
        measure = painter.fontMetrics()
        losses = [loss for curve in curves for _, loss in curve.points]
        margin = _HEADROOM * (max(losses) - min(losses)) or 0.1
        low, high = max(0.0, min(losses) - margin), max(losses) + margin
        left = max(measure.horizontalAdvance(f"{y:.1f}") for y in (low, high)) + _LABEL_GAP + 2
        right = max(measure.horizontalAdvance(curve.label) for curve in curves) + 2 * _LABEL_GAP
        above = measure.height() / 2  # half a figure stands above and below the outer lines
        plot = QRectF(self.rect()).adjusted(left, above, -right, -above)
        last = max(step for curve in curves for step, _ in curve.points)

        def place(step: int, loss: float) -> QPointF:
            along = step / last if last else 0.0
            up = (loss - low) / (high - low)
            return QPointF(plot.left() + along * plot.width(), plot.bottom() - up * plot.height())

        self._paint_grid(painter, plot, low, high)
        for curve in curves:
            _paint_curve(painter, curve, place)
        self._paint_labels(painter, curves, place)

    def _paint_grid(self, painter: QPainter, plot: QRectF, low: float, high: float) -> None:
        muted, line = QColor(self._theme.muted), QColor(self._theme.line)
        half = painter.fontMetrics().height() / 2
        for number in range(GRID_LINES):
            share = number / (GRID_LINES - 1)
            y = plot.bottom() - share * plot.height()
            painter.setPen(QPen(line, 1, Qt.PenStyle.DotLine if number else Qt.PenStyle.SolidLine))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(muted)
            beside = QRectF(0, y - half, plot.left() - _LABEL_GAP, 2 * half)
            value = f"{low + share * (high - low):.1f}"
            painter.drawText(beside, Qt.AlignmentFlag.AlignRight, value)

    def _paint_labels(
        self, painter: QPainter, curves: Sequence[_Curve], place: Callable[[int, float], QPointF]
    ) -> None:
        """Paint each label at the height of its curve's end, moved apart where they overlap."""
        height = painter.fontMetrics().height()
        ends = sorted(((place(*curve.points[-1]), curve) for curve in curves), key=_height)
        tops = moved_apart([end.y() - height / 2 for end, _ in ends], height, self.height())
        x = max(end.x() for end, _ in ends) + _LABEL_GAP
        for top, (_, curve) in zip(tops, ends, strict=True):
            painter.setPen(QColor(curve.colour))
            painter.drawText(QPointF(x, top + painter.fontMetrics().ascent()), curve.label)

    def _curves(self) -> list[_Curve]:
        theme, pen = self._theme, Qt.PenStyle
        drawn = (
            (tr("general"), "general", theme.muted, pen.DotLine),
            (tr("validation"), "validation", theme.code_number, pen.DashLine),
            (tr("training"), "training", theme.accent, pen.SolidLine),
        )
        curves = [
            _Curve(name, _measured(self._points, field), colour, style)
            for name, field, colour, style in drawn
        ]
        return [curve for curve in curves if curve.points]

    def _describe(self) -> None:
        curves = self._curves()
        if not curves:
            self.setAccessibleDescription(self._nothing_yet())
            return
        words = ", ".join(curve.label for curve in reversed(curves))
        step = max(curve.points[-1][0] for curve in curves)
        self.setAccessibleDescription(tr("Losses after step {n}: {losses}", n=step, losses=words))

    def _nothing_yet(self) -> str:
        return tr("The losses are drawn here as soon as there are some.")


def moved_apart(tops: Sequence[float], height: float, bottom: float) -> list[float]:
    """Return tops of labels of this height that do not overlap, for wanted tops in order."""
    apart: list[float] = []
    for top in tops:
        apart.append(max(top, apart[-1] + height) if apart else top)
    count = len(apart)
    return [min(top, bottom - (count - at) * height) for at, top in enumerate(apart)]


def _measured(points: Sequence[LossPoint], field: str) -> list[tuple[int, float]]:
    values = ((point.step, getattr(point, field)) for point in points)
    return [(step, loss) for step, loss in values if loss is not None and isfinite(loss)]


def _height(end: tuple[QPointF, _Curve]) -> float:
    return end[0].y()


def _paint_curve(painter: QPainter, curve: _Curve, place: Callable[[int, float], QPointF]) -> None:
    line = [place(*point) for point in curve.points]
    pen = QPen(QColor(curve.colour), 2, curve.style)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF(line))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(curve.colour))
    painter.drawEllipse(line[-1], _DOT, _DOT)
