"""Facts of quantization."""

from dataclasses import dataclass

from chatdesk.core.quantizing import Quantizing
from chatdesk.services.facts import Fact


@dataclass(frozen=True, slots=True)
class QuantizingChanged(Fact):
    """Quantizing a model made progress, or ended."""

    progress: Quantizing
