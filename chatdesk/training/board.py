"""Losses as files for TensorBoard."""

from collections.abc import Iterable
from pathlib import Path

from chatdesk.core.personalization import LossPoint


def write_board(folder: Path, points: Iterable[LossPoint]) -> None:
    """Write every loss at the step after which it was measured. Raises `OSError`."""
    from tensorboardX import SummaryWriter  # rarely used, and slow to import

    with SummaryWriter(str(folder)) as writer:
        for point in points:
            losses = {
                "training": point.training,
                "validation": point.validation,
                "general": point.general,
            }
            for name, loss in losses.items():
                if loss is not None:
                    writer.add_scalar(f"loss/{name}", loss, point.step)
