from pathlib import Path

import pytest

from chatdesk.ui.window_state import MAX_ANCHORS, MAX_GIVEN_UP, WindowState


def test_it_survives(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "window.json"
    state = WindowState(width=900, maximized=True, conversation="abc")
    state.remember_draft(None, "half a thought")
    state.remember_draft("abc", "量子")
    state.remember_draft("abd", "the third")
    state.waiting["abd"] = ("the first", "the second")
    state.remember_edit("abc", "n", "in other words")
    state.give_up_edit("abc", "o", "in vain")
    state.remember_anchor("abc", ("m", 17))
    state.unread = ("xyz",)
    assert state.write(file)
    found = WindowState.read(file)
    assert found.drafts.pop("abd") == "the first\n\nthe second\n\nthe third"
    assert state.drafts.pop("abd") == "the third"
    state.waiting.clear()  # what was not sent is a draft again
    assert found == state


def test_what_a_newer_version_keeps_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "window.json"
    file.write_text('{"width": 900, "dreams": {"a": 1}}')
    assert WindowState.read(file) == WindowState(width=900)


def test_nothing_is_kept_of_a_conversation_that_is_forgotten() -> None:
    state = WindowState()
    for conversation_id in ("a", "b"):
        state.remember_draft(conversation_id, "text")
        state.remember_edit(conversation_id, f"of {conversation_id}", "")
        state.give_up_edit(conversation_id, f"left in {conversation_id}", "words")
        state.remember_anchor(conversation_id, ("m", 1))
    state.forget("a")
    assert (list(state.drafts), list(state.anchors)) == (["b"], ["b"])
    assert (state.edits_of("a"), state.edits_of("b")) == ({}, {"of b": ""})
    assert (state.given_up_of("a"), state.given_up_of("b")) == ({}, {"left in b": "words"})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b'{"width": "wide"}',
        b"\xff\xfe",
        b'{"anchors": {"a": 1}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_means_the_defaults(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "window.json"
    file.write_bytes(content)
    assert WindowState.read(file) == WindowState()


def test_a_damaged_value_takes_no_other_with_it(tmp_path: Path) -> None:
    file = tmp_path / "window.json"
    file.write_text('{"width": "wide", "drafts": {"a": "text"}, "anchors": {"a": [1, 2]}}')
    assert WindowState.read(file) == WindowState(drafts={"a": "text"})


def test_empty_drafts_and_ends_are_not_kept() -> None:
    state = WindowState()
    state.remember_draft("a", "text")
    state.remember_draft("a", "  \n")
    state.remember_anchor("a", ("m", 1))
    state.remember_anchor("a", None)
    assert (state.drafts, state.anchors) == ({}, {})


def test_only_the_newest_reading_positions_are_kept() -> None:
    state = WindowState()
    for number in range(MAX_ANCHORS + 5):
        state.remember_anchor(str(number), ("m", number))
    assert len(state.anchors) == MAX_ANCHORS
    assert "4" not in state.anchors
    assert str(MAX_ANCHORS + 4) in state.anchors


def test_a_disk_that_refuses_does_not_stop_the_window(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not WindowState().write(tmp_path / "file" / "window.json")


def test_an_edit_that_was_left_is_kept_until_it_goes_on() -> None:
    state = WindowState()
    state.remember_edit("a", "m", "half")
    state.give_up_edit("a", "m", "half")
    assert (state.edits_of("a"), state.given_up_of("a")) == ({}, {"m": "half"})
    state.remember_edit("a", "m", "half")
    assert (state.edits_of("a"), state.given_up_of("a")) == ({"m": "half"}, {})
    state.give_up_edit("a", "m", None)
    assert (state.edits_of("a"), state.given_up_of("a")) == ({}, {})
    for number in range(MAX_GIVEN_UP + 5):
        state.give_up_edit("a", str(number), "words")
    assert len(state.given_up) == MAX_GIVEN_UP


@pytest.mark.parametrize("far", [2**40, -(2**40), 10**30])
def test_numbers_that_qt_does_not_have_are_bounded(tmp_path: Path, far: int) -> None:
    file = tmp_path / "window.json"
    file.write_text(
        f'{{"x": {far}, "width": {far}, "sidebar_width": {far}, "anchors": {{"a": ["m", {far}]}}}}'
    )
    state = WindowState.read(file)
    numbers = [state.x or 0, state.width, state.sidebar_width]
    assert all(abs(each) <= 2**31 for each in [*numbers, *(at for _, at in state.anchors.values())])
