"""Models made smaller by the service, in real engine processes."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import gguf
import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.models import ModelFile
from chatdesk.core.paths import assets_dir
from chatdesk.core.quantizing import Comparison, ModelFigures, Quantizing, QuantizingState
from chatdesk.core.settings import Settings
from chatdesk.services.facts import Fact
from chatdesk.services.models.service import ModelService
from chatdesk.services.quantize import compare as comparing
from chatdesk.services.quantize.facts import QuantizingChanged
from chatdesk.services.quantize.service import WRITING_SHARE, QuantizingService
from chatdesk.store.database import Database
from chatdesk.store.models import ModelStore
from tests.tiny_models import tiny_model


class Bench:
    """The service over a real database, and what it told."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "models"
        self.database = Database.open(home / "chatdesk.db")
        self.models = ModelService(ModelStore(self.database), self.folder)
        self.told: list[Quantizing] = []
        self.cancel_when = lambda progress: False
        self.service = QuantizingService(
            self.models, folder=lambda: self.folder, settings=Settings, publish=self.publish
        )

    def publish(self, fact: Fact) -> None:
        assert isinstance(fact, QuantizingChanged)
        self.told.append(fact.progress)
        if self.cancel_when(fact.progress):
            self.service.cancel()

    def outcome(self, model: ModelFile, kind: str, *, comparing: bool = False) -> Quantizing:
        self.service.start(model, kind, comparing=comparing)
        ended = self.service.wait()
        assert ended is not None
        assert ended == self.told[-1]
        assert not ended.is_running
        return ended

    def files(self) -> list[str]:
        return sorted(file.name for file in self.folder.iterdir()) if self.folder.exists() else []


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.service.close()
    bench.database.close()


@pytest.fixture
def starter(bench: Bench, starter_model: Path) -> ModelFile:
    return bench.models.add(starter_model)


@pytest.fixture
def tiny(bench: Bench, tmp_path: Path) -> ModelFile:
    return bench.models.add(tiny_model(tmp_path / "tiny.gguf", answer=b"abc"))


@pytest.fixture
def short_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the built-in text: two cores take long for all of it."""
    text = (assets_dir() / "perplexity.txt").read_text("utf-8")
    (tmp_path / "perplexity.txt").write_text(text[:2500], "utf-8")
    monkeypatch.setattr(comparing, "assets_dir", lambda: tmp_path)


@pytest.mark.usefixtures("short_text")
def test_the_starter_is_made_smaller_and_compared(bench: Bench, starter: ModelFile) -> None:
    ended = bench.outcome(starter, "Q2_K", comparing=True)
    assert (ended.state, ended.fraction, ended.problem) == (QuantizingState.DONE, 1.0, "")
    assert ended.result
    assert bench.files() == ["SmolLM2-135M-Instruct-Q2_K.gguf"]
    assert ended.result in bench.models.refresh()
    assert ended.result.header.quantization == "Q2_K"
    comparison = ended.comparison
    assert comparison
    assert comparison.problem == ""
    assert comparison.original.bytes == starter.header.bytes
    assert comparison.smaller.bytes == ended.result.header.bytes < starter.header.bytes
    for measured in (comparison.original, comparison.smaller):
        assert measured.tokens_per_s > 0
    assert 5 < comparison.original.perplexity < comparison.smaller.perplexity < 200
    assert all(each.seconds_left >= 0 for each in bench.told)
    fractions = [progress.fraction for progress in bench.told]
    assert fractions == sorted(fractions)
    assert {QuantizingState.WRITING, QuantizingState.COMPARING} < {
        each.state for each in bench.told
    }


def test_the_time_left_is_that_of_the_step(
    bench: Bench, tiny: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison is much slower than the writing: one sum of both would climb all the way."""
    clock = [0.0]
    monkeypatch.setattr("chatdesk.services.quantize.service.time.monotonic", lambda: clock[0])

    def write(model: ModelFile, kind: str, share: float) -> Path:
        step(bench.service._part(0.0, share), seconds=20)
        return Path(tiny_model(bench.folder / "small.gguf", answer=b"abcd"))

    def compared(model: ModelFile, result: ModelFile) -> Comparison:
        step(bench.service._part(WRITING_SHARE, 1.0), seconds=400)
        return Comparison(ModelFigures(2), ModelFigures(1))

    def step(on_share: Callable[[float], None], seconds: float) -> None:
        for tenth in range(11):
            on_share(tenth / 10)
            clock[0] += seconds / 10

    bench.folder.mkdir()
    monkeypatch.setattr(bench.service, "_write", write)
    monkeypatch.setattr(bench.service, "_compare", compared)
    bench.outcome(tiny, "Q8_0", comparing=True)
    for state, seconds in ((QuantizingState.WRITING, 20), (QuantizingState.COMPARING, 400)):
        left = [each.seconds_left for each in bench.told if each.state is state]
        known = [each for each in left if each]
        assert known == sorted(known, reverse=True)
        assert known[0] == pytest.approx(0.9 * seconds)


def test_a_tiny_model_without_a_comparison(bench: Bench, tiny: ModelFile) -> None:
    ended = bench.outcome(tiny, "Q8_0")
    assert ended.state is QuantizingState.DONE
    assert ended.comparison is None
    assert ended.result
    assert abs(ended.result.header.bytes / bench.service.expected_bytes(tiny, "Q8_0") - 1) < 0.05


def test_only_what_makes_it_smaller_is_offered(
    bench: Bench, starter: ModelFile, tiny: ModelFile
) -> None:
    assert bench.service.smaller_types(tiny) == bench.service.types()
    assert "Q8_0" not in bench.service.smaller_types(starter)
    assert "Q2_K" in bench.service.smaller_types(starter)
    assert bench.service.loses_twice(starter)
    assert not bench.service.loses_twice(tiny)
    ended = bench.outcome(starter, "Q8_0")
    assert ended.state is QuantizingState.FAILED
    assert "would not be smaller" in ended.problem


def test_the_built_in_text_has_enough_words_in_two_languages() -> None:
    text = (assets_dir() / "perplexity.txt").read_text("utf-8")
    assert len(text.split()) > 2000
    assert sum("\u4e00" <= letter <= "\u9fff" for letter in text) > 400


def test_a_split_model_becomes_one_file(bench: Bench, tmp_path: Path) -> None:
    whole = tiny_model(tmp_path / "whole.gguf", answer=b"abc")
    parts = split(whole, tmp_path)
    ended = bench.outcome(bench.models.add(parts[0]), "Q8_0")
    assert ended.problem == ""
    assert ended.result
    assert ended.result.header.parts == 1
    assert bench.files() == ["whole-Q8_0.gguf"]
    model = ended.model
    assert abs(ended.result.header.bytes / bench.service.expected_bytes(model, "Q8_0") - 1) < 0.05


def split(model: Path, folder: Path) -> list[Path]:
    """The same model in two parts, as llama-gguf-split makes them."""
    reader = gguf.GGUFReader(model)
    tensors = list(reader.tensors)
    halves = tensors[: len(tensors) // 2], tensors[len(tensors) // 2 :]
    paths = [folder / f"{model.stem}-0000{n}-of-00002.gguf" for n in (1, 2)]
    for number, (path, half) in enumerate(zip(paths, halves, strict=True)):
        writer = gguf.GGUFWriter(str(path), "llama")
        if number == 0:
            for field in reader.fields.values():
                if not field.name.startswith("GGUF.") and field.name != "general.architecture":
                    kind = field.types[0]
                    inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
                    writer.add_key_value(field.name, field.contents(), kind, inner)
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", 2)
        writer.add_int32("split.tensors.count", len(tensors))
        for tensor in half:
            writer.add_tensor(tensor.name, tensor.data)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return paths


def test_a_cancel_in_the_middle_leaves_nothing(bench: Bench, starter: ModelFile) -> None:
    bench.cancel_when = lambda progress: 0.3 < progress.fraction < 0.9
    ended = bench.outcome(starter, "Q2_K")
    assert ended.state is QuantizingState.CANCELLED
    assert 0.3 < ended.fraction < 1
    assert ended.result is None
    assert bench.files() == []
    bench.cancel_when = lambda progress: False
    assert bench.outcome(starter, "Q2_K").state is QuantizingState.DONE


def test_a_cancel_while_comparing_keeps_the_smaller_model(bench: Bench, tiny: ModelFile) -> None:
    bench.cancel_when = lambda progress: progress.fraction > 0.5
    ended = bench.outcome(tiny, "Q8_0", comparing=True)
    assert ended.state is QuantizingState.CANCELLED
    assert ended.comparison is None
    assert ended.result
    assert Path(ended.result.path).exists()


def test_one_at_a_time(bench: Bench, starter: ModelFile, tiny: ModelFile) -> None:
    bench.service.start(starter, "Q2_K", comparing=False)
    with pytest.raises(EnvironmentProblem, match="already"):
        bench.service.start(tiny, "Q8_0")
    bench.service.cancel()
    ended = bench.service.wait()
    assert ended
    assert ended.state is QuantizingState.CANCELLED


def test_what_is_refused(bench: Bench, tiny: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EnvironmentProblem, match="Q8_0"):
        bench.service.start(tiny, "Q99")
    (bench.folder / "tiny-Q4_0.gguf").parent.mkdir(exist_ok=True)
    (bench.folder / "tiny-Q4_0.gguf").write_bytes(b"mine")
    assert "there already" in bench.outcome(tiny, "Q4_0").problem
    assert (bench.folder / "tiny-Q4_0.gguf").read_bytes() == b"mine"
    with monkeypatch.context() as patch:
        full = type("Usage", (), {"free": 1000})
        patch.setattr("shutil.disk_usage", lambda folder: full)
        assert "room on the disk: 665 kB are missing" in bench.outcome(tiny, "Q8_0").problem
    Path(tiny.path).unlink()
    assert "not there" in bench.outcome(tiny, "Q8_0").problem
    assert bench.files() == ["tiny-Q4_0.gguf"]


def test_a_folder_that_cannot_be_written(bench: Bench, tiny: ModelFile) -> None:
    bench.folder.write_text("a file, not a folder")
    ended = bench.outcome(tiny, "Q8_0")
    assert ended.state is QuantizingState.FAILED
    assert "tiny-Q8_0.gguf" in ended.problem


def test_what_a_crash_left_is_removed_but_not_what_is_being_written(
    bench: Bench, tiny: ModelFile
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    bench.folder.mkdir()
    (bench.folder / f".a.gguf.{gone.pid}.quantizing").write_bytes(b"half")
    (bench.folder / f".b.gguf.{os.getpid()}.quantizing").write_bytes(b"half")
    assert [model.path for model in bench.models.refresh() if ".quantizing" in model.path] == []
    bench.outcome(tiny, "Q8_0")
    assert bench.files() == [f".b.gguf.{os.getpid()}.quantizing", "tiny-Q8_0.gguf"]


def test_a_model_without_room_is_not_measured(
    bench: Bench, tiny: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatdesk.services.models.service.available_memory", lambda: 1000)
    ended = bench.outcome(tiny, "Q8_0", comparing=True)
    assert ended.state is QuantizingState.DONE
    assert ended.comparison
    assert "no room in memory" in ended.comparison.problem
    assert ended.comparison.original.perplexity == 0
    assert ended.comparison.smaller.bytes > 0
