import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.errors import ModelProblem, NotFound
from chatdesk.core.models import Fit, ModelRole
from chatdesk.library.models.starter import find_starter
from chatdesk.services.facts import Fact
from chatdesk.services.models.facts import ChosenModelMissing
from chatdesk.services.models.service import ModelService
from chatdesk.store.database import Database
from chatdesk.store.models import ModelStore
from tests.gguf_files import raw
from tests.tiny_models import not_a_model, tiny_model, truncated_model, unsupported_model


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ModelStore]:
    database = Database.open(tmp_path / "chatdesk.db")
    yield ModelStore(database)
    database.close()


@pytest.fixture
def models(store: ModelStore, tmp_path: Path) -> ModelService:
    (tmp_path / "models").mkdir()
    return ModelService(store, tmp_path / "models")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "tiny.gguf", context_length=512)


def test_the_starter_and_the_models_folder_are_found(
    models: ModelService, tmp_path: Path, tiny: Path, starter_model: Path
) -> None:
    inside = tmp_path / "models" / "some" / "folder" / "mine.gguf"
    inside.parent.mkdir(parents=True)
    shutil.copy(tiny, inside)
    assert {model.path for model in models.refresh()} == {str(inside), str(starter_model)}
    inside.unlink()
    assert [model.path for model in models.refresh()] == [str(starter_model)]


def test_a_broken_file_in_the_folder_disturbs_nothing(
    models: ModelService, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    not_a_model(tmp_path / "models" / "zip.gguf")
    truncated_model(tmp_path / "models" / "cut.gguf")
    (tmp_path / "models" / "dir.gguf").mkdir()
    with caplog.at_level(logging.WARNING):
        assert len(models.refresh()) == 1
    assert [name for name in ("zip", "cut", "dir") if name in caplog.text] == ["zip", "cut", "dir"]


@pytest.mark.skipif(os.name == "nt", reason="every name is text on Windows")
def test_a_folder_whose_name_is_no_text(models: ModelService, tmp_path: Path, tiny: Path) -> None:
    strange = Path(os.fsdecode(os.fsencode(tmp_path / "models") + b"/\xff"))
    strange.mkdir()
    shutil.copy(tiny, strange / "mine.gguf")
    assert len(models.refresh()) == 1
    with pytest.raises(ModelProblem, match="not text"):
        models.add(strange / "mine.gguf")


def test_only_what_answers_is_started_with(
    models: ModelService, tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "embedder.gguf").write_bytes(raw({"general.architecture": "bert"}))
    embedder = models.add(tmp_path / "embedder.gguf")
    strange = models.add(unsupported_model(tmp_path / "strange.gguf"))
    roles = {each.model.id: (each.role, each.answers) for each in models.kept()}
    assert roles[embedder.id] == (ModelRole.EMBEDDER, False)
    assert roles[strange.id] == (ModelRole.UNSUPPORTED, False)
    monkeypatch.setattr("chatdesk.services.models.service.find_starter", lambda: None)
    monkeypatch.setattr("chatdesk.services.models.intake.find_starter", lambda: None)
    only_starter = [each for each in models.answering() if each not in (embedder, strange)]
    for each in only_starter:
        models.forget(each.id)
    for preferred in (embedder.id, strange.id, None):
        assert models.default(preferred) is None
    chat = models.add(tiny)
    for preferred in (embedder.id, strange.id, None):
        assert models.default(preferred) == chat


def test_a_model_is_got_by_its_id_or_its_path(
    models: ModelService, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models.add(tiny)
    monkeypatch.chdir(tiny.parent)
    for name in (model.id, str(tiny), "tiny.gguf", str(Path("models", "..", "tiny.gguf"))):
        assert Path(models.get(name).path).samefile(tiny)
    assert models.get("tiny.gguf") == model
    for name in ("tin", "", "x" * 300, "~nobody-here/x"):
        with pytest.raises((NotFound, ModelProblem)):
            models.get(name)
    with pytest.raises(ModelProblem):
        models.get("elsewhere.gguf")


def test_an_id_is_known_before_anybody_listed_the_models(
    models: ModelService, tmp_path: Path, tiny: Path
) -> None:
    shutil.copy(tiny, tmp_path / "models" / "mine.gguf")
    assert models.get("mine").path == str(tmp_path / "models" / "mine.gguf")
    assert models.get("smollm2-135m-instruct-q4_1").header.architecture == "llama"


def test_a_file_that_changed_is_another_model(models: ModelService, tiny: Path) -> None:
    first = models.add(tiny)
    assert models.add(tiny) == first
    tiny_model(tiny, answer=b"xyz", context_length=1024)
    os.utime(tiny, ns=(0, first.mtime_ns + 10**9))
    second = models.add(tiny)
    assert second.id != first.id
    assert second.header.context_length == 1024
    with pytest.raises(NotFound):
        models.get(first.id)
    assert models.default(first.id) == second


def test_the_default_is_the_chosen_one_if_it_can_be(
    models: ModelService, tiny: Path, starter_model: Path
) -> None:
    model = models.add(tiny)
    assert models.default(model.id) == model
    tiny.unlink()
    for preferred in (model.id, "never-there", None):
        default = models.default(preferred)
        assert default
        assert default.path == str(starter_model)


def test_it_is_told_that_another_answers_for_the_chosen_one(
    store: ModelStore, tmp_path: Path, tiny: Path
) -> None:
    told: list[Fact] = []
    models = ModelService(store, tmp_path / "models", told.append)
    model = models.add(tiny)
    models.notes.rename(model.id, "Mine")
    tiny.rename(tmp_path / "moved.gguf")
    told.clear()
    stand_in = models.default(model.id)
    assert stand_in
    missing = [fact for fact in told if isinstance(fact, ChosenModelMissing)]
    assert [(fact.model, fact.name, fact.stand_in) for fact in missing] == [
        (model, "Mine", stand_in)
    ]
    assert missing[0].sentence == f"Mine is not there. {stand_in.header.full_name} answers for now."
    models.forget(model.id)  # on purpose: that is no news
    told.clear()
    models.default(model.id)
    assert not told


@pytest.mark.parametrize("identified", [True, False])
def test_a_model_that_was_moved_is_found_if_it_is_the_same(
    models: ModelService, tmp_path: Path, tiny: Path, identified: bool
) -> None:
    model = models.add(tiny)
    if identified:
        models.identify(model)
    other = tiny_model(tmp_path / "other.gguf", context_length=1024)
    moved = tmp_path / "elsewhere" / "renamed.gguf"
    moved.parent.mkdir()
    tiny.rename(moved)
    with pytest.raises(ModelProblem, match=r"“other\.gguf” is another model than tiny F32"):
        models.find(model.id, other)
    found = models.find(model.id, moved)
    assert (found.id, found.path) == (model.id, str(moved))
    assert models.default(model.id) == found


def test_the_hash_is_worked_out_once(models: ModelService, tiny: Path) -> None:
    models.identify(models.add(tiny))
    hashed = models.add(tiny)
    assert hashed.sha256
    assert len(hashed.sha256) == 64
    tiny.unlink()
    models.identify(hashed)  # needs the file no more


def test_a_file_that_is_gone_has_no_hash(models: ModelService, tiny: Path) -> None:
    model = models.add(tiny)
    tiny.unlink()
    models.identify(model)
    assert not models.info(model, 512, ()).present


def test_what_this_machine_makes_of_a_model(models: ModelService, tiny: Path) -> None:
    model = models.add(tiny)
    info = models.info(model, 8192, ())
    assert info.present
    assert info.fit is Fit.CPU
    assert info.memory_bytes > model.header.bytes
    # It was trained for 512 tokens, so no window is larger.
    assert info.memory_bytes == models.info(model, 512, ()).memory_bytes
    assert models.room_bytes() > 0


def test_the_starter_is_there() -> None:
    assert find_starter()
