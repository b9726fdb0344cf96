"""Early stopping: the best epoch, and the point where more of them do no good.

Both losses count: learning must not cost the rest of the model.
"""

from collections.abc import Sequence

from chatdesk.core.personalization import LossPoint, TrainingConfig


def harm(start: LossPoint, point: LossPoint) -> float:
    """Return the growth of the general loss since the start, in nats; 0 when it is not measured."""
    if start.general is None or point.general is None:
        return 0.0
    return point.general - start.general


def best(points: Sequence[LossPoint], config: TrainingConfig) -> LossPoint:
    """Return the best epoch. `points` are the measurements, the first one before any step.

    It is the one with the lowest validation loss among those that do no harm, or the least harmful
    one. Without validation data it is the last.
    """
    start, *epochs = points

    def badness(point: LossPoint) -> tuple[bool, float]:
        harmful = harm(start, point)
        if harmful > config.general_limit:
            return True, harmful
        return False, -point.step if point.validation is None else point.validation

    return min(epochs, key=badness)


def is_over(points: Sequence[LossPoint], config: TrainingConfig) -> bool:
    """True if the next epoch is not worth its time."""
    start, *epochs = points
    if not epochs:
        return False
    if harm(start, epochs[-1]) > config.general_limit:
        return True
    losses = [point.validation for point in points if point.validation is not None]
    return bool(losses) and len(losses) - 1 - losses.index(min(losses)) >= config.patience
