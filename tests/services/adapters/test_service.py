from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from chatdesk.core.errors import AdapterProblem, EnvironmentProblem, NotFound
from chatdesk.core.generation import Adapter
from chatdesk.core.personalization import AdapterState
from chatdesk.services.adapters.facts import AdapterLeftOut, AdaptersChanged
from chatdesk.services.adapters.service import Applied
from tests.lora_files import lora_adapter
from tests.peft_files import peft_adapter, two_halves
from tests.services.shelf import Shelf
from tests.tiny_models import not_a_model, tiny_model


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path / "home")
    yield shelf
    shelf.database.close()


def test_what_answers_is_what_was_chosen(shelf: Shelf) -> None:
    model, adapters = shelf.starter(), shelf.adapters
    first, second = shelf.adapter("first"), shelf.adapter("second")
    assert adapters.in_use(model, None) is None
    adapters.activate(first.id)
    assert adapters.in_use(model, None) == adapters.get(first.id)
    assert adapters.in_use(model, second.id) == second
    assert adapters.in_use(model, "") is None
    assert adapters.in_use(model, "0123456789abcdef") is None
    (applied,) = adapters.for_answer(model, second.id)
    assert applied == Applied(second.id, Adapter(str(adapters.file(second)), 0.75))
    conversation = shelf.conversations.create().id
    assert [Path(each.path).parent.name for each in adapters.for_session(model, conversation)] == [
        first.id
    ]
    adapters.choose(conversation, second.id)
    assert adapters.for_session(model, conversation) == (applied.adapter,)
    adapters.choose(conversation, "")
    assert adapters.for_session(model, conversation) == ()
    with pytest.raises(NotFound):
        adapters.choose(conversation, "0123456789abcdef")


def test_none_is_used_with_another_model(shelf: Shelf, tmp_path: Path) -> None:
    record = shelf.adapter()
    other = shelf.models.add(tiny_model(tmp_path / "other.gguf"))
    assert shelf.adapters.in_use(other, record.id) is None
    with pytest.raises(AdapterProblem, match="was made for"):
        shelf.adapters.named(other, "Ida")


def test_the_same_model_file_elsewhere_keeps_its_adapters(
    shelf: Shelf, tmp_path: Path, starter_model: Path
) -> None:
    shelf.models.identify(shelf.starter())
    record = shelf.adapter()
    shelf.adapters.activate(record.id)
    (tmp_path / "moved.gguf").symlink_to(starter_model)
    moved = shelf.models.add(tmp_path / "moved.gguf")
    assert shelf.adapters.in_use(moved, None) is None  # nobody knows yet what it is
    shelf.models.identify(moved)
    assert moved.id != record.model_id
    for choice in (None, record.id):
        found = shelf.adapters.in_use(moved, choice)
        assert found
        assert found.id == record.id


def test_a_file_that_is_gone_or_damaged_is_left_out_with_a_word(shelf: Shelf) -> None:
    model, adapters, record = shelf.starter(), shelf.adapters, shelf.adapter()
    adapters.activate(record.id)
    shelf.facts.clear()
    file = adapters.file(record)
    file.write_bytes(file.read_bytes()[:-100])
    assert adapters.in_use(model, record.id) is None
    assert shelf.facts == []
    assert adapters.for_answer(model, None, "chat") == ()
    (told,) = shelf.facts
    assert isinstance(told, AdapterLeftOut)
    assert (told.conversation_id, "damaged" in told.problem.what) == ("chat", True)
    file.unlink()
    assert adapters.for_answer(model, record.id, "chat") == ()
    with pytest.raises(AdapterProblem, match="missing"):
        adapters.activate(record.id)
    with pytest.raises(AdapterProblem, match="missing"):
        adapters.export_files(record.id, file.with_name("out.gguf"))


def test_damage_that_leaves_the_size_as_it_was_is_noticed_too(shelf: Shelf) -> None:
    model, adapters, record = shelf.starter(), shelf.adapters, shelf.adapter()
    assert adapters.in_use(model, record.id) == record
    file = adapters.file(record)
    content = file.read_bytes()
    file.write_bytes(content[:-64] + b"\xff" * 64)
    assert adapters.in_use(model, record.id) is None
    file.write_bytes(content)
    assert adapters.in_use(model, record.id) == record


@pytest.mark.parametrize("state", [AdapterState.REJECTED, AdapterState.FAILED])
def test_what_was_not_promoted_is_not_used(shelf: Shelf, state: AdapterState) -> None:
    record = shelf.adapter(state=state)
    assert shelf.adapters.in_use(shelf.starter(), record.id) is None
    for use in (shelf.adapters.activate, lambda name: shelf.adapters.named(shelf.starter(), name)):
        with pytest.raises(AdapterProblem, match="not promoted"):
            use(record.id)


def test_rolling_back_ends_at_the_model_as_it_is(shelf: Shelf) -> None:
    model, adapters = shelf.starter(), shelf.adapters
    first, second = shelf.adapter("first"), shelf.adapter("second")
    adapters.activate(first.id)
    assert adapters.activate(second.id).active
    back = adapters.roll_back(model.id)
    assert back
    assert back.id == first.id
    assert adapters.roll_back(model.id) is None
    assert adapters.in_use(model, None) is None
    assert all(isinstance(fact, AdaptersChanged) for fact in shelf.facts)
    assert len(shelf.facts) == 4
    with pytest.raises(AdapterProblem, match="nothing to go back"):
        adapters.roll_back(model.id)


def test_deleting_the_active_one_brings_back_what_was_before(shelf: Shelf) -> None:
    adapters = shelf.adapters
    first, second = shelf.adapter("first"), shelf.adapter("second")
    adapters.activate(first.id)
    adapters.activate(second.id)
    conversation = shelf.conversations.create().id
    adapters.choose(conversation, second.id)
    adapters.delete(second.id)
    assert [record.id for record in adapters.records()] == [first.id]
    assert adapters.get(first.id).active
    assert not adapters.file(second).parent.exists()
    assert shelf.conversations.adapter(conversation) is None


def test_one_that_is_being_made_is_not_deleted(shelf: Shelf) -> None:
    record = shelf.adapter(state=AdapterState.TRAINING)
    with pytest.raises(EnvironmentProblem, match="being made"):
        shelf.adapters.delete(record.id)
    assert shelf.adapters.file(record).exists()


def test_renaming(shelf: Shelf) -> None:
    record = shelf.adapter()
    assert shelf.adapters.rename(record.id, "  Ida, again ").name == "Ida, again"
    with pytest.raises(AdapterProblem, match="needs a name"):
        shelf.adapters.rename(record.id, " ")


def test_found_by_id_by_name_and_by_path(shelf: Shelf, tmp_path: Path) -> None:
    model, adapters = shelf.starter(), shelf.adapters
    record = shelf.adapter("My voice")
    for name in (record.id, record.id[:6], "My voice"):
        assert [each.id for each in adapters.named(model, name)] == [record.id]
    assert adapters.named(model, "none") == ()
    file = lora_adapter(tmp_path / "elsewhere.gguf")
    assert adapters.named(model, str(file)) == (Applied("elsewhere.gguf", Adapter(str(file))),)
    shelf.adapter("My voice")
    for unknown in ("0000ffff", "nobody", "My voice"):
        with pytest.raises(NotFound):
            adapters.named(model, unknown)
    with pytest.raises(AdapterProblem, match="not there"):
        adapters.named(model, str(tmp_path / "missing.gguf"))


def test_one_made_elsewhere_is_taken_up_whole(shelf: Shelf, tmp_path: Path) -> None:
    model, adapters = shelf.starter(), shelf.adapters
    source = lora_adapter(tmp_path / "pirate.gguf")
    record = adapters.import_file(source, model)
    assert (record.name, record.state) == ("pirate", AdapterState.IMPORTED)
    assert (record.model_id, record.bytes) == (model.id, source.stat().st_size)
    assert record.model_sha256 == shelf.models.identity(model)
    assert adapters.file(record).read_bytes() == source.read_bytes()
    assert [file.name for file in adapters.file(record).parent.iterdir()] == ["adapter.gguf"]
    assert adapters.in_use(model, None) is None
    source.unlink()
    assert adapters.in_use(model, record.id) == record
    assert adapters.activate(record.id).active


def test_one_of_peft_is_taken_up_by_its_file_or_folder(shelf: Shelf, tmp_path: Path) -> None:
    model, adapters = shelf.starter(), shelf.adapters
    weights = peft_adapter(tmp_path / "pirate.v2")
    records = [adapters.import_file(path, model) for path in (weights, weights.parent)]
    for record in records:
        assert (record.name, record.state) == ("pirate.v2", AdapterState.IMPORTED)
        assert adapters.file(record).stat().st_size == record.bytes
        assert [file.name for file in adapters.file(record).parent.iterdir()] == ["adapter.gguf"]
        assert adapters.in_use(model, record.id) == record
    other = weights.rename(weights.with_name("parrot.safetensors"))
    assert adapters.import_file(other, model).name == "parrot"


def test_what_does_not_fit_leaves_nothing_behind(shelf: Shelf, tmp_path: Path) -> None:
    bad = [
        not_a_model(tmp_path / "zip.gguf"),
        lora_adapter(tmp_path / "other.gguf", embedding=512),
        tmp_path / "missing.gguf",
        peft_adapter(tmp_path / "wide", two_halves(rows=512)),
        peft_adapter(tmp_path / "nan", {k: v * np.float32("nan") for k, v in two_halves().items()}),
    ]
    for file in bad:
        with pytest.raises(AdapterProblem, match=file.name):
            shelf.adapters.import_file(file, shelf.starter())
    assert list(shelf.paths.adapters.glob("*")) == []
    if shelf.paths.adapters.exists():
        shelf.paths.adapters.rmdir()
    shelf.paths.adapters.write_text("in the way")
    with pytest.raises(AdapterProblem, match="could not be copied"):
        shelf.adapters.import_file(lora_adapter(tmp_path / "good.gguf"), shelf.starter())
    assert shelf.adapters.records() == ()


def test_copied_out_as_gguf_and_for_peft(shelf: Shelf, tmp_path: Path) -> None:
    adapters, record = shelf.adapters, shelf.adapter()
    place = tmp_path / "out" / "Ida.gguf"
    assert adapters.export_files(record.id, place) == (place,)
    assert place.read_bytes() == adapters.file(record).read_bytes()
    with pytest.raises(AdapterProblem, match="GGUF file only"):
        adapters.export_files(record.id, tmp_path / "peft")
    peft = adapters.file(record).parent / "peft"
    peft.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (peft / name).write_text(name)
    files = adapters.export_files(record.id, tmp_path / "peft")
    assert [file.read_text() for file in files] == [file.name for file in files]
    assert sorted(files) == sorted((tmp_path / "peft").iterdir())
    with pytest.raises(AdapterProblem, match="could not be copied"):
        adapters.export_files(record.id, place / "below.gguf")
