import struct
from itertools import pairwise
from pathlib import Path

import pytest

from chatdesk.core.errors import ModelProblem
from chatdesk.core.models import ModelHeader
from chatdesk.formats.gguf.reader import MAX_HEADER_BYTES
from chatdesk.library.models.header import read_header
from chatdesk.library.models.remote_header import FIRST_BYTES, MOST_BYTES, read_remote_header
from chatdesk.library.models.starter import find_starter
from tests.gguf_files import HEAD, raw, tensor, text, write_model


class Elsewhere:
    """A file that is fetched in pieces. After `data` it continues with zeros, up to its size."""

    def __init__(self, data: bytes, size: int | None = None, name: str = "some.gguf") -> None:
        self.data = data
        self.size = len(data) if size is None else size
        self.name = name
        self.asked: list[tuple[int, int]] = []

    def fetch(self, start: int, end: int) -> bytes:
        assert 0 <= start < end <= self.size
        self.asked.append((start, end))
        return self.data[start:end].ljust(end - start, b"\0")

    @property
    def fetched(self) -> int:
        return sum(end - start for start, end in self.asked)

    def header(self) -> ModelHeader:
        return read_remote_header(self.name, self.size, self.fetch)


def elsewhere(path: Path) -> Elsewhere:
    return Elsewhere(path.read_bytes(), name=path.name)


def test_the_same_as_of_the_file_here(tmp_path: Path) -> None:
    starter = find_starter()
    assert starter
    for path in (starter, write_model(tmp_path / "large-F16.gguf", tokens=250_000)):
        remote = elsewhere(path)
        assert remote.header() == read_header(path)
        assert remote.asked[0] == (0, min(FIRST_BYTES, remote.size))
        assert all(end <= start for (_, end), (start, _) in pairwise(remote.asked))


def test_the_tensors_are_not_fetched() -> None:
    starter = find_starter()
    assert starter
    remote = elsewhere(starter)
    remote.header()
    assert remote.fetched < remote.size / 20


def test_its_folder_is_no_part_of_its_name(tmp_path: Path) -> None:
    remote = elsewhere(write_model(tmp_path / "tiny-F16.gguf"))
    remote.name = "F16/tiny-F16.gguf"
    assert remote.header().name == "tiny"


@pytest.mark.parametrize(
    ("label", "parameters"),
    [
        ("70B", 70_000_000_000),
        ("8x7B", 56_000_000_000),
        ("135M", 135_000_000),
        ("1.5B", 1_500_000_000),
        ("large", 0),
        ("9" * 1000 + "B", 0),
        (7, 0),
        (None, 0),
    ],
)
def test_first_part_of_a_split_model(label: str | int | None, parameters: int) -> None:
    stated = {} if label is None else {"general.size_label": label}
    data = raw({"general.architecture": "llama", "split.count": 3, **stated})
    remote = Elsewhere(data, name="some-00001-of-00003.gguf")
    header = remote.header()
    assert (header.name, header.parts, header.bytes) == ("some", 3, len(data))
    assert header.parameters == parameters
    assert header.decode_bytes == 32 * 4  # of its one tensor


def test_a_later_part_is_refused(tmp_path: Path) -> None:
    first = write_model(tmp_path / "tiny-F16.gguf", part_tensors=1)
    with pytest.raises(ModelProblem, match="not the first part"):
        elsewhere(first.with_name("tiny-F16-00002-of-00003.gguf")).header()


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(HEAD.pack(b"GGUF", 3, 2**60, 1), id="2^60 tensors"),
        pytest.param(HEAD.pack(b"GGUF", 3, 1, 2**60), id="2^60 entries"),
        pytest.param(
            HEAD.pack(b"GGUF", 3, 1, 1) + text("key") + struct.pack("<IQ", 8, 2**32),
            id="a string of 4 GB",
        ),
        pytest.param(
            HEAD.pack(b"GGUF", 3, 1, 1) + text("key") + struct.pack("<IIQ", 9, 8, 2**60),
            id="endless empty strings",
        ),
        pytest.param(HEAD.pack(b"GGUF", 3, 65_536, 1024), id="nothing but zeros"),
        pytest.param(b"<!DOCTYPE html>", id="a page in its place"),
        pytest.param(b"", id="empty"),
    ],
)
def test_a_hostile_header_ends_within_bounds(head: bytes) -> None:
    remote = Elsewhere(head, size=50_000_000_000)
    with pytest.raises(ModelProblem, match=r"some\.gguf"):
        remote.header()
    assert remote.fetched <= MAX_HEADER_BYTES + MOST_BYTES


def test_fewer_bytes_than_there_should_be(tmp_path: Path) -> None:
    data = write_model(tmp_path / "tiny.gguf").read_bytes()
    with pytest.raises(ModelProblem, match="damaged or cut short"):
        read_remote_header(
            "tiny.gguf", len(data), lambda start, end: data[start : end - len(data) + 99]
        )


def test_more_bytes_than_were_asked_for(tmp_path: Path) -> None:
    path = write_model(tmp_path / "tiny.gguf", tokens=50_000)
    data = path.read_bytes()
    header = read_remote_header(path.name, len(data), lambda start, end: data[start : end + 999])
    assert header == read_header(path)


def test_tensors_beyond_the_size_that_the_hub_states() -> None:
    data = raw({"general.architecture": "llama"}, [tensor([1 << 20])])
    with pytest.raises(ModelProblem, match="cut short"):
        Elsewhere(data).header()


def test_a_name_that_is_no_text() -> None:
    with pytest.raises(ModelProblem, match="not valid text"):
        read_remote_header("a\x1b[2J.gguf", 10, lambda start, end: b"")


def test_what_the_other_side_raises_is_passed_on() -> None:
    def fetch(start: int, end: int) -> bytes:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        read_remote_header("some.gguf", 10, fetch)
