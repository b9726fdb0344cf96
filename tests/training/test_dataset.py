from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.generation import Span
from chatdesk.core.personalization import TrainingConfig
from chatdesk.core.training import DATASET_FILE, Sequence, TokenExample, TrainingData
from chatdesk.training.dataset import (
    check,
    epoch_replay,
    epoch_steps,
    pack,
    parts,
    read_dataset,
    token_count,
)
from chatdesk.training.failures import TrainingError
from tests.tiny_models import SIZE
from tests.training.runs import answer, mixed, preference


def test_targets_are_predicted_by_the_token_before_them() -> None:
    first = Sequence((10, 11, 12, 13), (Span(1, 2), Span(3, 4)))
    second = Sequence((20, 21, 22), (Span(2, 3),))
    batch = pack([TokenExample(first, second), TokenExample(second)])
    assert batch.tokens.tolist() == [[10, 11, 12, 20, 21, 20, 21]]
    assert batch.positions.tolist() == [[0, 1, 2, 0, 1, 0, 1]]
    assert batch.before.tolist() == [0, 2, 4, 6]
    assert batch.targets.tolist() == [11, 13, 22, 22]
    assert (batch.shared, batch.lengths) == (0, (3, 2, 2))
    assert batch.counts == (2, 1, 1)


def test_what_all_begin_with_is_packed_once() -> None:
    first = Sequence((1, 2, 3, 10, 11, 12, 13), (Span(5, 7),))
    second = Sequence((1, 2, 3, 20, 21), (Span(4, 5),))
    batch = pack([TokenExample(first), TokenExample(second)])
    assert batch.tokens.tolist() == [[1, 2, 3, 10, 11, 12, 20]]
    assert batch.positions.tolist() == [[0, 1, 2, 3, 4, 5, 3]]
    assert batch.before.tolist() == [4, 5, 6]
    assert batch.targets.tolist() == [12, 13, 21]
    assert (batch.shared, batch.lengths) == (3, (3, 1))


def test_a_token_before_a_target_is_each_sequences_own() -> None:
    one, other = Sequence((1, 2, 3, 4), (Span(2, 4),)), Sequence((1, 2, 3, 5), (Span(3, 4),))
    batch = pack([TokenExample(one), TokenExample(other)])
    assert (batch.shared, batch.lengths) == (1, (2, 2))
    assert batch.tokens.tolist() == [[1, 2, 3, 2, 3]]
    assert batch.before.tolist() == [1, 2, 4]
    assert batch.targets.tolist() == [3, 4, 5]


def test_an_epoch_takes_everything_once_and_mixes_anew() -> None:
    data = mixed()
    config = TrainingConfig(batch=4, seed=1, replay=0.4)
    epochs = [epoch_steps(data, config, n) for n in (0, 1, 0)]
    flat = [[example for step in steps for example in step] for steps in epochs]
    assert set(flat[0]) == set(flat[1]) == {*data.train, *data.replay}
    assert len(flat[0]) == len(data.train) + len(data.replay)
    assert flat[0] == flat[2] != flat[1]
    assert [len(step) for step in epochs[0]] == [4, 4, 4, 2]
    assert epoch_steps(data, replace(config, seed=2), 0) != epochs[0]


def test_each_epoch_has_replay_of_its_own_and_begins_anew_when_there_is_no_more() -> None:
    data = TrainingData(tuple(map(answer, range(4))), (), tuple(map(answer, range(10, 15))))
    epochs = [epoch_replay(data, TrainingConfig(replay=0.5), n) for n in range(3)]
    assert [tuple(each) for each in epochs] == [
        data.replay[:2],
        data.replay[2:4],
        (data.replay[4], data.replay[0]),
    ]
    assert epoch_replay(replace(data, replay=()), TrainingConfig(replay=0.5), 0) == []


def test_parts_are_as_large_as_they_may_be() -> None:
    examples = [answer(n) for n in range(6)] + [preference(1), answer(9, size=300), answer(10)]
    found = parts(examples, 80)
    assert [example for part in found for example in part] == examples
    sizes = [sum(map(token_count, part)) for part in found]
    assert max(sizes) > 300  # the long one is alone
    for part, size, following in zip(found, sizes, found[1:], strict=False):
        assert size <= 80 or len(part) == 1
        assert size + token_count(following[0]) > 80


@pytest.mark.parametrize("span", [Span(0, 2), Span(2, 2), Span(3, 5), Span(3, 2)])
def test_targets_must_lie_in_the_sequence(span: Span) -> None:
    example = TokenExample(Sequence((1, 2, 3, 4), (span,)))
    with pytest.raises(TrainingError):
        check(TrainingData((answer(1),), (), (), (example,)), SIZE)
    check(TrainingData((TokenExample(Sequence((1, 2, 3, 4), (Span(1, 4),))),), ()), SIZE)


def test_a_file_of_another_form(tmp_path: Path) -> None:
    for content in ("", "{}", '{"train": [{"chosen": {"tokens": ["a"], "targets": []}}]}'):
        (tmp_path / DATASET_FILE).write_text(content, "utf-8")
        with pytest.raises(TrainingError):
            read_dataset(tmp_path)
