"""What the library keeps: presence, notes, deleting, forgetting, moving, duplicates."""

import logging
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from chatdesk.core.errors import EnvironmentProblem, ModelProblem, NotFound
from chatdesk.core.model_files import FoundElsewhere, KeptModel, Presence
from chatdesk.core.models import Fit
from chatdesk.core.sampling import PRESETS
from chatdesk.core.settings import ChatSettings, DownloadSettings, Settings
from chatdesk.library.models import header as gguf_header
from chatdesk.services.facts import Fact
from chatdesk.services.models import intake as library_intake
from chatdesk.services.models import service as models
from chatdesk.services.models.facts import ModelsChanged
from chatdesk.services.models.service import ModelService
from chatdesk.store.database import Database
from chatdesk.store.models import ModelStore
from tests.gguf_files import write_model
from tests.tiny_models import not_a_model, tiny_model


class Library:
    """A model service over a real database, and what it told."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "models"
        self.folder.mkdir()
        self.database = Database.open(home / "chatdesk.db")
        self.settings = Settings()
        self.facts: list[Fact] = []
        self.models = self.opened()

    def opened(self) -> ModelService:
        """The service as the app has it after a start."""
        store = ModelStore(self.database)
        return ModelService(store, self.folder, self.facts.append, lambda: self.settings)

    def file(self, name: str, answer: bytes = b"ab") -> Path:
        """A model in the models folder."""
        return tiny_model(self.folder / name, answer=answer)

    def kept(self, name: str) -> KeptModel:
        """What is kept of the file of that name."""
        (found,) = [each for each in self.models.kept() if Path(each.model.path).name == name]
        return found

    def names(self) -> list[str]:
        """The files that are kept, without the starter."""
        return [Path(each.model.path).name for each in self.models.kept() if not each.is_starter]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path)
    yield library
    library.database.close()


@pytest.fixture
def trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trash of this test's own: freedesktop.org's, which is found when it is imported."""
    if sys.platform in ("win32", "darwin"):
        pytest.skip("the trash there is the person's own")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    for name in [name for name in sys.modules if name.startswith("send2trash")]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path / "share" / "Trash" / "files"


def test_what_is_kept_of_each(library: Library) -> None:
    library.file("mine.gguf")
    mine, starter = sorted(library.models.kept(), key=lambda each: each.is_starter)
    assert (mine.name, mine.presence, mine.is_starter) == ("mine", Presence.THERE, False)
    assert (mine.estimate.fit, mine.estimate.context_window) == (Fit.CPU, 512)
    assert mine.estimate.memory_bytes > mine.model.header.bytes
    assert (starter.presence, starter.is_starter) == (Presence.THERE, True)
    assert library.facts == [ModelsChanged()]
    library.models.kept()
    assert library.facts == [ModelsChanged()]  # nothing is new any more


def unpacked(library: Library, monkeypatch: pytest.MonkeyPatch, folder: str) -> Path:
    """The starter of the program that is run from a folder from now on."""
    starter = library.home / folder / "assets" / "models" / "starter.gguf"
    if not starter.exists():
        starter.parent.mkdir(parents=True, exist_ok=True)
        tiny_model(starter)
        os.utime(starter, ns=(0, int(folder[-1]) + 1))
    for module in (library_intake, models):
        monkeypatch.setattr(module, "find_starter", lambda: starter)
    return starter


@pytest.mark.parametrize("left", [True, False], ids=["old folder stays", "old folder is gone"])
def test_the_starter_stays_one_entry_wherever_the_program_lies(
    library: Library, monkeypatch: pytest.MonkeyPatch, left: bool
) -> None:
    old = unpacked(library, monkeypatch, "1.0")
    (before,) = library.models.kept()
    library.models.notes.rename(before.model.id, "Little one")
    if not left:
        old.unlink()
    for folder in ("1.1", "1.0", "1.1"):  # also when an earlier version is run again
        place = unpacked(library, monkeypatch, folder)
        (after,) = library.opened().kept()
        assert (after.model.path, after.model.id) == (str(place), before.model.id)
        assert (after.name, after.is_starter) == ("Little one", True)
        default = library.opened().default(before.model.id)
        assert default == after.model


def test_a_starter_that_was_taken_off_the_list_elsewhere_is_listed(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = unpacked(library, monkeypatch, "1.0")
    (before,) = library.models.kept()
    old.unlink()
    place = unpacked(library, monkeypatch, "1.1")
    library.models.forget(before.model.id)
    assert [each.model.path for each in library.models.kept()] == [str(place)]


def test_a_copy_of_the_starter_is_a_model_of_its_own(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = library.file("starter.gguf")
    library.models.add(copy)
    place = unpacked(library, monkeypatch, "1.0")
    assert {each.model.path for each in library.models.kept()} == {str(copy), str(place)}


def test_files_that_go_are_shown_as_missing_and_come_back(library: Library) -> None:
    path = library.file("mine.gguf")
    before = library.kept("mine.gguf")
    disk = path.rename(library.home / "unplugged.gguf")
    assert library.kept("mine.gguf").presence is Presence.MISSING
    assert before.model not in library.models.refresh()
    disk.rename(path)
    assert library.kept("mine.gguf") == replace(before, estimate=library.kept("mine.gguf").estimate)


def test_a_changed_file_is_shown_as_such_until_it_is_taken_as_it_is(library: Library) -> None:
    path = library.file("mine.gguf")
    before = library.kept("mine.gguf").model
    library.models.notes.rename(before.id, "Mine")
    tiny_model(path, answer=b"xyz", context_length=1024)
    os.utime(path, ns=(0, before.mtime_ns + 10**9))
    changed = library.kept("mine.gguf")
    assert (changed.presence, changed.model) == (Presence.CHANGED, before)
    assert before not in library.models.refresh()
    taken = library.models.get(before.id)
    assert taken.id != before.id
    assert library.models.add(path) == taken
    now = library.kept("mine.gguf")
    assert (now.presence, now.model, now.name) == (Presence.THERE, taken, "Mine")


def test_what_did_not_change_is_not_read_again(
    library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    read: list[str] = []

    def counted(path: Path) -> object:
        read.append(path.name)
        return gguf_header.read_header(path)

    monkeypatch.setattr(library_intake, "read_header", counted)
    for number in range(5):
        library.file(f"m{number}.gguf")
    not_a_model(library.folder / "zip.gguf")
    with caplog.at_level(logging.WARNING):
        library.models.kept()
        library.models.refresh()
        library.models.kept()
    assert sorted(read)[-6:] == ["m0.gguf", "m1.gguf", "m2.gguf", "m3.gguf", "m4.gguf", "zip.gguf"]
    assert len(read) == len(set(read))
    assert caplog.text.count("zip.gguf") == 1


def test_a_refresh_asks_the_database_once(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        library.file(f"m{number}.gguf")
    library.models.refresh()
    asked: list[Database] = []
    reading = Database.reading

    def counted(database: Database) -> AbstractContextManager[Connection]:
        asked.append(database)
        return reading(database)

    monkeypatch.setattr(Database, "reading", counted)
    assert len(library.models.kept()) == 21
    assert len(asked) == 1


def test_a_split_model_is_one(library: Library, trash: Path) -> None:
    first = write_model(library.folder / "big.gguf", part_tensors=1)
    parts = sorted(library.folder.glob("big-*.gguf"))
    assert first == parts[0]
    assert library.names() == [first.name]
    kept = library.kept(first.name)
    assert kept.model.header.bytes == sum(part.stat().st_size for part in parts)
    assert library.models.add(parts[-1]) == kept.model
    before = library.models.identify(kept.model)
    assert before
    parts[-1].rename(library.home / "away")
    assert library.kept(first.name).presence is Presence.MISSING
    (library.home / "away").rename(parts[-1])
    assert library.kept(first.name).presence is Presence.THERE
    os.utime(parts[-1], ns=(0, 0))
    assert library.opened().identity(kept.model) is None  # a part may be another one now
    assert library.models.add(parts[0]).id == kept.model.id  # but is not
    assert library.models.delete(kept.model.id) == kept.model.header.bytes
    assert len(list(trash.iterdir())) == len(parts)
    assert list(library.folder.iterdir()) == []


NAMES = ["模型 [тест]　é🙂.gguf", "e\u0301.gguf", "\u00e9.gguf", "MODEL.GGUF", "a" * 245 + ".gguf"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems join or refuse such names")
def test_models_of_any_name_in_folders_of_any_name(library: Library) -> None:
    folder = library.home / "模型 [тест]　e\u0301" / "🙂 (1)"
    folder.mkdir(parents=True)
    for number, name in enumerate(NAMES):
        path = tiny_model(folder / name, name=f"Number {number}")
        model = library.models.add(path)
        assert (model.path, library.kept(name).presence) == (str(path), Presence.THERE)
    assert sorted(library.names()) == sorted(NAMES)


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_link_is_known_by_its_own_name(library: Library) -> None:
    blob = tiny_model(library.home / "sha256-0a1b", name="")
    link = library.folder / "nice.gguf"
    link.symlink_to(blob)
    model = library.models.add(link)
    assert "sha256" not in model.header.name
    assert library.names() == ["nice.gguf"]
    blob.unlink()
    assert library.kept("nice.gguf").presence is Presence.MISSING
    gone = library.folder / "gone.gguf"
    gone.symlink_to(library.home / "nowhere")
    with pytest.raises(ModelProblem, match="not there"):
        library.models.add(gone)


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_part_alone_says_which_one_is_missing(library: Library) -> None:
    first = write_model(library.home / "big.gguf", part_tensors=1)
    alone = library.home / "one"
    alone.mkdir()
    (alone / first.name).symlink_to(first)
    with pytest.raises(ModelProblem) as caught:
        library.models.add(alone / first.name)
    assert "00002-of-00003" in str(caught.value)
    later = library.home / "two"
    later.mkdir()
    name = first.name.replace("00001-of", "00002-of")
    (later / name).symlink_to(first.with_name(name))
    with pytest.raises(ModelProblem) as caught:
        library.models.add(later / name)
    assert "00001-of-00003" in str(caught.value)


def test_models_are_found_in_the_folder_of_the_settings(library: Library) -> None:
    library.file("mine.gguf")
    other = library.home / "other"
    other.mkdir()
    tiny_model(other / "there.gguf")
    library.settings = Settings(downloads=DownloadSettings(folder=str(other)))
    assert library.names() == ["mine.gguf", "there.gguf"]
    library.settings = Settings(downloads=DownloadSettings(folder=str(library.home / "gone")))
    assert library.names() == ["mine.gguf", "there.gguf"]


def test_notes_of_a_model(library: Library) -> None:
    model = library.models.add(library.file("mine.gguf"))
    library.facts.clear()
    library.models.notes.rename(model.id, "  My \n model \ud800")
    library.models.notes.set_favourite(model.id, True)
    library.models.notes.tag(model.id, ["code", " ", "a  b", "code"])
    library.models.notes.set_defaults(model.id, "Be brief.", PRESETS["precise"])
    assert library.facts == [ModelsChanged()] * 4
    kept = library.kept("mine.gguf")
    assert kept.name == "My model \ufffd"
    assert kept.notes == library.models.notes.of(model.id)
    assert (kept.notes.favourite, kept.notes.tags) == (True, ("code", "a b"))
    library.models.notes.rename(model.id, " ")
    assert library.kept("mine.gguf").name == "mine"
    with pytest.raises(NotFound):
        library.models.notes.rename("none", "x")


def test_new_conversations_begin_with_what_is_noted_of_the_model(library: Library) -> None:
    library.settings = Settings(chat=ChatSettings("General."))
    model = library.models.add(library.file("mine.gguf"))
    assert library.models.notes.defaults(None) == library.settings.chat
    assert library.models.notes.defaults(model) == library.settings.chat
    library.models.notes.set_defaults(model.id, "", PRESETS["precise"])
    noted = library.models.notes.defaults(model)
    assert (noted.system_prompt, noted.sampling) == ("", PRESETS["precise"])
    library.models.notes.set_defaults(model.id, None, None)
    assert library.models.notes.defaults(model) == library.settings.chat
    assert library.models.notes.defaults(replace(model, id="never-there")) is library.settings.chat


def test_a_deleted_model_lies_in_the_trash(library: Library, trash: Path) -> None:
    path = library.file("mine.gguf")
    model = library.models.add(path)
    library.models.kept()
    library.facts.clear()
    assert library.models.delete(model.id) == model.header.bytes
    assert not path.exists()
    assert (trash / "mine.gguf").stat().st_size == model.header.bytes
    assert library.names() == []
    assert library.facts == [ModelsChanged()]
    assert ModelStore(library.database).get(model.id) == model  # answers refer to it
    (trash / "mine.gguf").rename(path)  # taken out again
    assert library.kept("mine.gguf").model.id == model.id


def test_without_a_trash_nothing_is_deleted(
    library: Library, trash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = library.file("mine.gguf")
    model = library.models.add(path)
    trash.parent.parent.mkdir()
    trash.parent.write_bytes(b"in its place")
    with pytest.raises(EnvironmentProblem, match="could not be moved to the trash"):
        library.models.delete(model.id)
    assert path.exists()
    assert library.names() == ["mine.gguf"]


def test_a_file_that_is_not_there_cannot_be_deleted(library: Library, trash: Path) -> None:
    path = library.file("mine.gguf")
    model = library.models.add(path)
    path.unlink()
    with pytest.raises(ModelProblem, match="not there"):
        library.models.delete(model.id)
    assert library.names() == ["mine.gguf"]


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_of_a_link_only_the_link_is_deleted_unless_it_is_the_hub_cache(
    library: Library, trash: Path
) -> None:
    mine = tiny_model(library.home / "precious.gguf")
    (library.folder / "link.gguf").symlink_to(mine)
    link = library.models.add(library.folder / "link.gguf")
    assert library.models.delete(link.id) == 0
    assert mine.exists()
    repo = library.home / "hub" / "models--ann--tiny"
    (repo / "blobs").mkdir(parents=True)
    (repo / "snapshots" / "c1").mkdir(parents=True)
    blob = mine.rename(repo / "blobs" / "abc")
    (repo / "snapshots" / "c1" / "tiny.gguf").symlink_to(Path("../../blobs/abc"))
    cached = library.models.add(repo / "snapshots" / "c1" / "tiny.gguf")
    assert library.models.delete(cached.id) == cached.header.bytes
    assert not blob.exists()


def test_the_starter_stays(library: Library, starter_model: Path, trash: Path) -> None:
    (starter,) = library.models.kept()
    for lose in (library.models.delete, library.models.forget):
        with pytest.raises(EnvironmentProblem, match="comes with ChatDesk"):
            lose(starter.model.id)
    assert starter_model.exists()
    assert library.models.kept()[0].is_starter


def test_a_forgotten_model_stays_off_the_list_until_it_is_added(library: Library) -> None:
    path = library.file("mine.gguf")
    model = library.models.add(path)
    library.models.notes.rename(model.id, "Mine")
    library.models.forget(model.id)
    assert path.exists()
    assert library.names() == []
    assert library.opened().default(model.id) != model
    assert library.names() == []
    assert library.models.add(path) == model
    assert library.kept("mine.gguf").name == "Mine"


def test_a_moved_file_is_known_by_its_content(library: Library) -> None:
    path = library.file("mine.gguf")
    model = library.models.add(path)
    library.models.notes.rename(model.id, "Mine")
    assert library.models.identify(model)
    (library.folder / "sub").mkdir()
    moved = path.rename(library.folder / "sub" / "other.gguf")
    kept = library.kept("other.gguf")
    assert (kept.model.id, kept.name, kept.presence) == (model.id, "Mine", Presence.THERE)
    assert library.names() == ["other.gguf"]
    outside = moved.rename(library.home / "outside.gguf")
    assert library.models.add(outside).id == model.id
    copy = Path(shutil.copy(outside, library.folder / "copy.gguf"))
    assert library.models.add(copy).id != model.id  # the first one is still where it was
    os.utime(outside, ns=(0, 0))  # touched, and the same
    assert library.models.add(outside).id == model.id


def test_duplicates_are_found_by_content(library: Library) -> None:
    one = library.file("one.gguf")
    shutil.copy(one, library.folder / "two.gguf")
    library.file("as-long.gguf", b"cd")
    tiny_model(library.folder / "longer.gguf", name="A longer name than the others have")
    if os.name != "nt":
        (library.folder / "link.gguf").symlink_to(one)
    (group,) = library.models.duplicates()
    assert len(group) == 2
    assert {Path(each.model.path).name for each in group} <= {"one.gguf", "two.gguf", "link.gguf"}
    assert "two.gguf" in {Path(each.model.path).name for each in group}
    hashed = {name for name in library.names() if library.kept(name).model.sha256}
    assert "longer.gguf" not in hashed
    assert library.models.duplicates(lambda: True) == ()


def test_what_was_fetched_is_known_by_its_hash(library: Library) -> None:
    path = library.file("fetched.gguf")
    library.models.add_fetched(path, "ann/tiny", "ab" * 32)
    kept = library.kept("fetched.gguf")
    assert (kept.model.sha256, kept.notes.repo) == ("ab" * 32, "ann/tiny")


def test_models_of_other_apps_are_used_where_they_lie(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(library.home))
    monkeypatch.setenv("USERPROFILE", str(library.home))
    monkeypatch.setenv("OLLAMA_MODELS", "")
    file = library.home / ".lmstudio" / "models" / "ann" / "tiny" / "tiny.gguf"
    file.parent.mkdir(parents=True)
    tiny_model(file)
    (found,) = [each for each in library.models.elsewhere() if each.path == str(file)]
    model = library.models.add_elsewhere(found)
    assert (model.path, library.models.notes.of(model.id).title) == (str(file), "")
    assert found not in library.models.elsewhere()


def test_a_nameless_blob_gets_the_name_it_has_elsewhere(library: Library) -> None:
    blob = tiny_model(library.home / f"sha256-{'ab' * 32}")
    found = FoundElsewhere("Ollama", "tiny:1b", str(blob), blob.stat().st_size, "ab" * 32)
    model = library.models.add_elsewhere(found)
    assert (model.id, model.sha256) == ("tiny-1b", None)  # a stated hash is not believed
    assert library.kept(blob.name).name == "tiny:1b"
    library.models.notes.rename(model.id, "Mine")
    assert library.models.add_elsewhere(found) == model
    assert library.kept(blob.name).name == "Mine"
