"""Whole runs in real trainer processes, disturbed in every possible way."""

import errno
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from chatdesk.core.protocol import Cancel, Shutdown
from chatdesk.core.training import (
    ADAPTER_FILE,
    CHECKPOINT_FILE,
    DATASET_FILE,
    PEFT_FOLDER,
    TENSORBOARD_FOLDER,
    PauseTraining,
    ResumeTraining,
    Trained,
    TrainingData,
    TrainingFailed,
    TrainingFailure,
    TrainingStopped,
)
from chatdesk.workers.codec import PROTOCOL_VERSION
from tests.small_disk import fill, small_disk
from tests.tiny_models import unsupported_model
from tests.training.random_models import random_model
from tests.training.runs import CONFIG, answer, ask_for, mixed, preference
from tests.training.trainer_process import EAGER, PATIENCE_S, TrainerProcess

LONG = replace(CONFIG, epochs=1000, patience=1000, general_limit=1e9)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_model(tmp_path_factory.mktemp("model") / "model.gguf")


@pytest.fixture(scope="module")
def trainer() -> Iterator[TrainerProcess]:
    with TrainerProcess() as process:
        ready = process.ready()
        assert ready.protocol == PROTOCOL_VERSION
        assert ready.torch
        yield process


@pytest.fixture(scope="module")
def undisturbed(
    trainer: TrainerProcess, model: Path, tmp_path_factory: pytest.TempPathFactory
) -> bytes:
    """The adapter of the run that the others are compared with."""
    folder = tmp_path_factory.mktemp("undisturbed")
    trainer.send(ask_for(folder, model, mixed(), threads=1))
    assert isinstance(trainer.end(), Trained)
    return (folder / ADAPTER_FILE).read_bytes()


def failure(trainer: TrainerProcess) -> TrainingFailure:
    end = trainer.end()
    assert isinstance(end, TrainingFailed), end
    return end.code


def test_a_full_disk_is_told_and_leaves_nothing_half_written(
    trainer: TrainerProcess, model: Path, tmp_path: Path, undisturbed: bytes
) -> None:
    with small_disk(tmp_path / "disk", 2) as disk:
        folder = disk / "run"
        request = ask_for(folder, model, mixed(), threads=1)
        for room in (0, 40_000):
            ballast = fill(disk)
            os.truncate(ballast, ballast.stat().st_size - room)
            trainer.send(request)
            end = trainer.end()
            assert isinstance(end, TrainingFailed)
            assert (end.code, end.detail) == (TrainingFailure.DISK, os.strerror(errno.ENOSPC))
            assert {each.name for each in folder.iterdir()} <= {DATASET_FILE, CHECKPOINT_FILE}
            ballast.unlink()
        trainer.send(request)
        assert isinstance(trainer.end(), Trained)
        assert (folder / ADAPTER_FILE).read_bytes() == undisturbed


def test_a_run_learns_and_reports(trainer: TrainerProcess, model: Path, tmp_path: Path) -> None:
    data = TrainingData(tuple(map(answer, range(4))), validation=tuple(map(answer, range(4))))
    config = replace(CONFIG, dropout=0.0, epochs=8)
    trainer.send(ask_for(tmp_path, model, data, config, tensorboard=True))
    progress = trainer.wait_for_step(1)
    assert progress.steps == 8
    assert progress.rss_bytes > 1e8
    end = trainer.end()
    assert isinstance(end, Trained)
    assert (end.steps, end.best_step) == (8, 8)
    assert end.tokens == 8 * sum(len(each.chosen.tokens) for each in data.train)
    assert end.peak_bytes > 1e8
    measured = [point.validation for point in end.losses if point.validation is not None]
    assert len(measured) == 9
    assert measured[-1] < measured[0] - 0.5
    assert sum(point.training is not None for point in end.losses) == 8
    assert sorted(file.name for file in (tmp_path / PEFT_FOLDER).iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert list((tmp_path / TENSORBOARD_FOLDER).iterdir())
    assert not [*tmp_path.glob("*.partial"), *tmp_path.glob("*.part")]


def test_pairs_are_distinguished(trainer: TrainerProcess, model: Path, tmp_path: Path) -> None:
    pairs = tuple(map(preference, range(4)))
    trainer.send(ask_for(tmp_path, model, TrainingData(pairs, pairs), replace(CONFIG, epochs=6)))
    end = trainer.end()
    assert isinstance(end, Trained)
    measured = [point.validation for point in end.losses if point.validation is not None]
    assert measured[0] == pytest.approx(0.6931, abs=0.01)  # ln 2: no better than the base
    assert measured[-1] < 0.6


def test_what_was_killed_ends_as_if_it_had_not_been(
    undisturbed: bytes, model: Path, tmp_path: Path
) -> None:
    request = ask_for(tmp_path, model, mixed(), threads=1)
    with TrainerProcess(EAGER) as process:
        process.send(request)
        killed = process.wait_for_step(random.Random().randrange(3, 11)).step
    assert not (tmp_path / ADAPTER_FILE).exists()
    with TrainerProcess(EAGER) as process:
        process.send(request)
        assert process.wait_for_step(1).step >= killed - 1
        end = process.end()
    assert isinstance(end, Trained)
    assert [point.step for point in end.losses if point.training is not None] == list(range(1, 13))
    assert (tmp_path / ADAPTER_FILE).read_bytes() == undisturbed


def test_a_second_training_begins_with_the_first_and_ends_the_same_when_it_is_killed(
    trainer: TrainerProcess, model: Path, tmp_path: Path
) -> None:
    config = replace(CONFIG, dropout=0.0)
    data = TrainingData(tuple(map(answer, range(8))), tuple(map(answer, range(8))))
    first = ask_for(tmp_path / "first", model, data, config, threads=1)
    trainer.send(first)
    end = trainer.end()
    assert isinstance(end, Trained)
    reached = min(point.validation for point in end.losses if point.validation is not None)
    begin = {"begin_with": str(tmp_path / "first" / PEFT_FOLDER), "threads": 1}
    trainer.send(ask_for(tmp_path / "second", model, data, config, **begin))
    end = trainer.end()
    assert isinstance(end, Trained)
    assert end.losses[0].validation == pytest.approx(reached, rel=1e-4)
    request = ask_for(tmp_path / "killed", model, data, config, **begin)
    with TrainerProcess(EAGER) as process:
        process.send(request)
        process.wait_for_step(2)
    with TrainerProcess(EAGER) as process:
        process.send(request)
        assert process.wait_for_step(1)
        assert isinstance(process.end(), Trained)
    files = [tmp_path / name / ADAPTER_FILE for name in ("second", "killed", "first")]
    second, killed, before = (file.read_bytes() for file in files)
    assert second == killed != before
    trainer.send(ask_for(tmp_path / "other", model, data, replace(config, rank=8), **begin))
    assert failure(trainer) is TrainingFailure.DATA
    trainer.send(ask_for(tmp_path / "none", model, data, config, begin_with=str(tmp_path / "no")))
    assert failure(trainer) is TrainingFailure.DATA


def test_a_checkpoint_that_cannot_be_gone_on_from(
    trainer: TrainerProcess, undisturbed: bytes, model: Path, tmp_path: Path
) -> None:
    other = replace(CONFIG, seed=99)
    trainer.send(ask_for(tmp_path, model, mixed(), other, threads=1))
    assert isinstance(trainer.end(), Trained)
    assert (tmp_path / ADAPTER_FILE).read_bytes() != undisturbed
    for damage in (lambda content: content, lambda content: content[:5000], bytes.swapcase):
        checkpoint = tmp_path / CHECKPOINT_FILE
        checkpoint.write_bytes(damage(checkpoint.read_bytes()))
        trainer.send(ask_for(tmp_path, model, mixed(), threads=1))
        assert trainer.wait_for_step(0).step == 0
        assert isinstance(trainer.end(), Trained)
        assert (tmp_path / ADAPTER_FILE).read_bytes() == undisturbed


def test_a_pause_holds_still_and_changes_nothing(
    trainer: TrainerProcess, undisturbed: bytes, model: Path, tmp_path: Path
) -> None:
    request = ask_for(tmp_path, model, mixed(), threads=1)
    trainer.send(request)
    trainer.wait_for_step(2)
    trainer.send(PauseTraining(request.request_id))
    time.sleep(0.3)  # more than the milliseconds it takes, as other processes use the cores, too
    process = psutil.Process(trainer.process.pid)
    before = process.cpu_times()
    time.sleep(0.5)
    after = process.cpu_times()
    assert after.user + after.system - before.user - before.system <= 0.05
    assert not (tmp_path / ADAPTER_FILE).exists()
    trainer.send(ResumeTraining(request.request_id))
    assert isinstance(trainer.end(), Trained)
    assert (tmp_path / ADAPTER_FILE).read_bytes() == undisturbed


def test_a_run_is_cancelled_also_while_it_is_paused(
    trainer: TrainerProcess, model: Path, tmp_path: Path
) -> None:
    request = ask_for(tmp_path, model, mixed(), LONG)
    for paused in (False, True):
        trainer.send(request)
        trainer.wait_for_step(1)
        if paused:
            trainer.send(PauseTraining(request.request_id))
        trainer.send(Cancel(request.request_id))
        assert trainer.end() == TrainingStopped(request.request_id)
    assert not (tmp_path / ADAPTER_FILE).exists()


def test_losses_that_are_no_numbers(trainer: TrainerProcess, model: Path, tmp_path: Path) -> None:
    trainer.send(ask_for(tmp_path, model, mixed(), replace(LONG, learning_rate=1e30)))
    assert failure(trainer) is TrainingFailure.NOT_A_NUMBER
    assert not (tmp_path / ADAPTER_FILE).exists()


def test_data_that_is_none(trainer: TrainerProcess, model: Path, tmp_path: Path) -> None:
    good = answer(1)
    strange = replace(good, chosen=replace(good.chosen, tokens=(*good.chosen.tokens[:-1], 99999)))
    silent = replace(good, chosen=replace(good.chosen, targets=()))
    for data in (TrainingData((), ()), TrainingData((strange,), ()), TrainingData((silent,), ())):
        trainer.send(ask_for(tmp_path, model, data))
        assert failure(trainer) is TrainingFailure.DATA
    request = ask_for(tmp_path, model, mixed())
    (tmp_path / DATASET_FILE).write_text("[1, 2", "utf-8")
    trainer.send(request)
    assert failure(trainer) is TrainingFailure.DATA
    trainer.send(ask_for(tmp_path, model, mixed(), replace(CONFIG, targets=("attn_qkv",))))
    assert failure(trainer) is TrainingFailure.DATA


def test_models_that_are_none(trainer: TrainerProcess, model: Path, tmp_path: Path) -> None:
    request = ask_for(tmp_path, unsupported_model(tmp_path / "new.gguf"), mixed())
    trainer.send(request)
    end = trainer.end()
    assert end == TrainingFailed(request.request_id, TrainingFailure.ARCHITECTURE, "notyetinvented")
    trainer.send(replace(request, model_bytes=5))
    assert failure(trainer) is TrainingFailure.MODEL
    trainer.send(replace(request, model_path=str(tmp_path / "gone.gguf")))
    assert failure(trainer) is TrainingFailure.MODEL


def test_a_model_that_changes_meanwhile(trainer: TrainerProcess, tmp_path: Path) -> None:
    path = random_model(tmp_path / "model.gguf")
    request = ask_for(tmp_path / "run", path, mixed(), replace(LONG, epochs=10))
    trainer.send(request)
    trainer.wait_for_step(1)
    os.utime(path)
    assert failure(trainer) is TrainingFailure.MODEL
    assert not (tmp_path / "run" / ADAPTER_FILE).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of resources")
def test_a_full_disk_costs_the_run_and_not_its_checkpoint(model: Path, tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, 90_000)); "
    with TrainerProcess(limit + EAGER) as process:
        process.send(ask_for(tmp_path, model, mixed()))
        end = process.end()
    assert isinstance(end, TrainingFailed), end
    assert end.code is TrainingFailure.DISK
    assert end.detail
    assert [file.name for file in tmp_path.iterdir()] == [DATASET_FILE]


def test_a_file_of_the_program_that_is_missing_is_named(model: Path, tmp_path: Path) -> None:
    lose = (
        "import chatdesk.training.run as run; "
        "run.add_lora = lambda *_: open('program/lora_template.md'); "
    )
    with TrainerProcess(lose + EAGER) as process:
        request = ask_for(tmp_path, model, mixed())
        process.send(request)
        lost = TrainingFailed(request.request_id, TrainingFailure.PROGRAM, "lora_template.md")
        assert process.end() == lost


def test_a_folder_that_goes_meanwhile_is_no_full_disk(
    trainer: TrainerProcess, model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    trainer.send(ask_for(folder, model, mixed(), replace(LONG, epochs=10)))
    trainer.wait_for_step(1)
    folder.rename(tmp_path / "elsewhere")
    assert failure(trainer) is TrainingFailure.DATA


def test_packages_that_are_missing_are_named(model: Path, tmp_path: Path) -> None:
    hide = "import sys; sys.modules['peft'] = None; "
    with TrainerProcess(hide + EAGER) as process:
        assert process.ready().torch == ""
        request = ask_for(tmp_path, model, mixed())
        process.send(request)
        assert process.end() == TrainingFailed(request.request_id, TrainingFailure.MISSING, "peft")


@pytest.mark.parametrize("farewell", [False, True])
def test_it_ends_at_once_also_while_it_is_paused(
    farewell: bool, model: Path, tmp_path: Path
) -> None:
    with TrainerProcess() as process:
        assert process.process.stdin
        process.process.stdin.write(b"nonsense\n")
        request = ask_for(tmp_path, model, mixed(), LONG)
        process.send(request)
        process.wait_for_step(1)
        assert psutil.Process(process.process.pid).nice() > 0
        process.process.send_signal(signal.SIGINT)  # the parent handles it
        process.send(PauseTraining(request.request_id))
        if farewell:
            process.send(Shutdown())
        else:
            process.process.stdin.close()
        assert process.process.wait(PATIENCE_S) == 0
