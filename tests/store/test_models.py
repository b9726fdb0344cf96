from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.chat import AnswerRecord, Role, now
from chatdesk.core.errors import NotFound
from chatdesk.core.model_files import ModelNotes
from chatdesk.core.models import ModelHeader
from chatdesk.core.sampling import PRESETS
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.models import FoundFile, ModelStore

HEADER = ModelHeader("SmolLM2", "llama", 134_515_008, "Q4_1", 97_500_000, 2048, 30, 23_040, True)
PRECISE = PRESETS["precise"]
SMOL = Path("/models/SmolLM2-135M-Instruct.Q4_1.gguf")


def test_a_model_gets_a_readable_id_and_is_read_back(models: ModelStore) -> None:
    added = models.add(SMOL, HEADER, 5_000_000_000_000_000_001)
    assert added.id == "smollm2-135m-instruct-q4_1"
    assert (added.header, added.mtime_ns, added.sha256) == (HEADER, 5_000_000_000_000_000_001, None)
    assert models.get(added.id) == added
    assert models.list() == (added,)
    models.set_hash(added.id, "ab" * 32)
    assert models.get(added.id) == replace(added, sha256="ab" * 32)


def test_ids_are_unique_and_never_empty(models: ModelStore) -> None:
    ids = [models.add(Path(f"/{n}/A b.gguf"), HEADER, 1).id for n in range(3)]
    assert ids == ["a-b", "a-b-2", "a-b-3"]
    assert models.add(Path("/models/通义 千问.gguf"), HEADER, 1).id == "通义-千问"
    assert models.add(Path("/models/!!!.gguf"), HEADER, 1).id == "model"


def test_the_same_file_is_the_same_model(models: ModelStore) -> None:
    added = models.add(SMOL, HEADER, 1)
    models.set_hash(added.id, "ab")
    again = models.add(SMOL, replace(HEADER, name="Read anew"), 1)
    assert (again.id, again.sha256, again.header.name) == (added.id, "ab", "Read anew")
    assert len(models.list()) == 1


def test_a_changed_file_is_another_model_and_answers_keep_theirs(
    models: ModelStore, store: ConversationStore
) -> None:
    old = models.add(SMOL, HEADER, 1)
    conversation = store.create()
    store.add_message(
        conversation.id, None, Role.ASSISTANT, "Hi", answer=AnswerRecord(model_id=old.id)
    )
    touched = models.add(SMOL, HEADER, 2)
    larger = models.add(SMOL, replace(HEADER, bytes=97_500_001), 2)
    assert len({old.id, touched.id, larger.id}) == 3
    assert models.list() == (larger,)
    record = store.get(conversation.id).messages[0].answer
    assert record is not None
    assert models.get(record.model_id or "") == old
    assert models.add(SMOL, HEADER, 1) == old  # put back as it was
    assert models.list() == (old,)


def test_a_forgotten_model_leaves_the_list_and_can_come_back(models: ModelStore) -> None:
    added = models.add(SMOL, HEADER, 1)
    models.forget(added.id)
    assert models.list() == ()
    assert models.get(added.id) == added
    assert models.is_forgotten(added.id)
    assert models.add(SMOL, HEADER, 1) == added
    assert models.list() == (added,)
    assert not models.is_forgotten(added.id)
    models.delist(added.id)
    assert models.list() == ()
    assert not models.is_forgotten(added.id)


def test_notes_are_kept_beside_a_model(models: ModelStore) -> None:
    added = models.add(SMOL, HEADER, 1)
    assert models.notes(added.id) == ModelNotes()
    notes = ModelNotes("Bob", True, ("a", "b"), now(), 7.5, 1, 2, 3, "Be brief.", PRECISE, "ann/x")
    models.note(added.id, lambda before: notes)
    models.note(added.id, lambda before: replace(before, favourite=False))
    assert models.notes(added.id) == replace(notes, favourite=False)
    (known,) = models.known()
    assert (known.model, known.notes) == (added, replace(notes, favourite=False))
    assert (known.listed, known.forgotten) == (True, False)


def test_what_the_person_noted_is_taken_over_for_a_new_file_in_the_same_place(
    models: ModelStore,
) -> None:
    old = models.add(SMOL, HEADER, 1)
    notes = ModelNotes("Bob", tags=("a",), last_used=now(), tokens_per_s=7.5, used_bytes=2)
    models.note(old.id, lambda before: notes)
    new = models.add(SMOL, HEADER, 2)
    assert models.notes(new.id) == ModelNotes("Bob", tags=("a",))
    assert models.notes(old.id) == notes


def test_a_model_that_moved_stays_the_same(models: ModelStore) -> None:
    moved = models.add(SMOL, HEADER, 1)
    there = models.add(Path("/other/place.gguf"), HEADER, 2)
    models.move(moved.id, Path("/other/place.gguf"), 3)
    assert [(each.id, each.path, each.mtime_ns) for each in models.list()] == [
        (moved.id, str(Path("/other/place.gguf").absolute()), 3)
    ]
    assert models.get(there.id) == there


def test_many_are_added_at_once(models: ModelStore) -> None:
    files = [FoundFile(Path(f"/m/{n}.gguf"), HEADER, n) for n in range(3)]
    named = FoundFile(Path("/m/sha256-ab"), HEADER, 1, "qwen3:0.6b")
    assert [each.id for each in models.add_all([*files, named])] == ["0", "1", "2", "qwen3-0-6b"]
    assert len(models.list()) == 4


def test_an_unknown_model_is_not_found(models: ModelStore) -> None:
    for call in (
        lambda: models.get("none"),
        lambda: models.set_hash("none", ""),
        lambda: models.forget("none"),
        lambda: models.delist("none"),
        lambda: models.move("none", SMOL, 1),
        lambda: models.notes("none"),
        lambda: models.note("none", lambda notes: notes),
    ):
        with pytest.raises(NotFound):
            call()
