"""The second training of a run: the proven adapter learns what was held out, too.

It begins with the proven weights, and repeats what they know beside what is new to them.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec

from chatdesk.core.files import whole_file, write_whole
from chatdesk.core.personalization import TrainingConfig
from chatdesk.core.training import (
    ADAPTER_FILE,
    DATASET_FILE,
    FINISHING_FOLDER,
    PEFT_FOLDER,
    PROVEN_FILE,
    TrainingData,
)
from chatdesk.services.personalize.plan import Plan

# With the starter, forty examples of thirty facts, 39 or 40 of them are told word for word after
# four epochs; of the facts in other words 18 with the learning rate of the first training, 24 with
# twice that. The divergence is 0.2 with both, and with half as much replay.
_EPOCHS = 4
_RATE, _REPLAY = 2.0, 0.5  # shares of those of the first training


def finishing_config(config: TrainingConfig) -> TrainingConfig:
    """Return the settings of the second training, from those of the first."""
    return replace(
        config,
        epochs=_EPOCHS,
        learning_rate=config.learning_rate * _RATE,
        replay=config.replay * _REPLAY,
    )


def write_finishing_data(plan: Plan, folder: Path) -> None:
    """Write what the second training learns from: all examples, and the same replay.

    Raises `OSError`.
    """
    first = msgspec.json.decode((folder / DATASET_FILE).read_bytes(), type=TrainingData)
    heldout = (each.example for each in plan.heldout)
    data = TrainingData((*plan.train, *plan.validation, *heldout), (), replay=first.replay)
    place = folder / FINISHING_FOLDER
    place.mkdir(exist_ok=True)
    write_whole(place / DATASET_FILE, msgspec.json.encode(data), durable=True)


def use_finished(folder: Path) -> None:
    """Put the finished adapter in the place of the proven one, which is kept beside it.

    It may be interrupted anywhere and be done again. Raises `OSError`.
    """
    finished = folder / FINISHING_FOLDER
    if not (folder / PROVEN_FILE).exists():
        with whole_file(folder / PROVEN_FILE, durable=True) as copy:
            shutil.copyfile(folder / ADAPTER_FILE, copy)
    if (finished / ADAPTER_FILE).exists():
        (finished / ADAPTER_FILE).replace(folder / ADAPTER_FILE)
    if (finished / PEFT_FOLDER).exists():
        shutil.rmtree(folder / PEFT_FOLDER, ignore_errors=True)
        (finished / PEFT_FOLDER).rename(folder / PEFT_FOLDER)
