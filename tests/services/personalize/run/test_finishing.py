"""What the second training of a run reads, and how."""

from dataclasses import replace
from pathlib import Path

import msgspec

from chatdesk.core.generation import Span
from chatdesk.core.personalization import TrainingConfig
from chatdesk.core.training import (
    DATASET_FILE,
    FINISHING_FOLDER,
    Sequence,
    TokenExample,
    TrainingData,
)
from chatdesk.services.personalize.plan import Plan, Taught
from chatdesk.services.personalize.run.finishing import finishing_config, write_finishing_data

EXAMPLES = [TokenExample(Sequence((1, 2, n), (Span(2, 3),))) for n in range(6)]


def test_it_reads_what_was_held_out_and_what_watched_beside_the_same_replay(tmp_path: Path) -> None:
    learned, watching, aside, *replay = EXAMPLES
    held = Taught(aside, (), "yes", "c")
    first = TrainingData((learned,), (watching,), tuple(replay[:2]), tuple(replay[2:]))
    (tmp_path / DATASET_FILE).write_bytes(msgspec.json.encode(first))
    write_finishing_data(Plan(TrainingConfig(), (learned,), (watching,), (held,)), tmp_path)
    second = msgspec.json.decode(
        (tmp_path / FINISHING_FOLDER / DATASET_FILE).read_bytes(), type=TrainingData
    )
    assert second == TrainingData((learned, watching, aside), (), first.replay)


def test_it_learns_faster_with_less_replay_and_is_otherwise_like_the_first() -> None:
    first = TrainingConfig(rank=8, alpha=16.0, epochs=2, learning_rate=1e-4, batch=3, seed=7)
    second = finishing_config(first)
    assert second.learning_rate > first.learning_rate
    assert 0 < second.replay < first.replay
    unchanged = ("epochs", "learning_rate", "replay")
    assert replace(second, **{name: getattr(first, name) for name in unchanged}) == first
