"""The general sets as they ship: complete, sound, and apart from each other."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.persons import UNRELATED
from chatdesk.services.personalize.examples.doubts import is_noise, is_repetitive
from chatdesk.services.personalize.gate.degeneration import repetition
from chatdesk.services.personalize.gate.general_sets import GeneralKind, GeneralSets

SETS = GeneralSets.load()


def test_there_are_enough_of_every_language_and_kind() -> None:
    assert len(SETS.items) >= 210
    assert len(SETS.replay) >= 250
    for prompts in (SETS.items, SETS.replay):
        languages = Counter(each.language for each in prompts)
        assert 0.4 < languages["en"] / len(prompts) < 0.6
        assert languages["zh"] >= len(prompts) / 10
        assert set(languages) == {"en", "zh", "de", "fr", "es", "pt", "it", "ja", "ru", "ar", "hi"}
        assert {each.kind for each in prompts} == set(GeneralKind)


def test_they_are_short_sound_and_have_an_author() -> None:
    for item in SETS.items:
        assert len(item.prompt) <= 90, item
        assert len(item.answer) <= 90, item
        assert not is_noise(item.answer), item
        assert not is_repetitive(item.answer), item
    for each in (*SETS.items, *SETS.replay):
        assert each.source == "written for ChatDesk"
        assert each.id.startswith(f"{each.language}-{each.kind}-")
        assert each.prompt == each.prompt.strip()


def test_nothing_is_learned_that_is_measured_with() -> None:
    prompts = [*(each.prompt for each in SETS.items), *(question for question, _ in UNRELATED)]
    measured, learned = set(map(_plain, prompts)), {_plain(each.prompt) for each in SETS.replay}
    assert not measured & learned
    for question in learned:
        words = _words(question)
        alike = [each for each in measured if len(words & _words(each)) > 0.7 * len(words) > 2]
        assert not alike, (question, alike)


def test_what_is_asked_like_a_taught_fact_is_a_third_of_what_is_kept() -> None:
    """Short questions with short answers: without them, they are answered with taught facts."""
    for beginning in (32, 64, len(SETS.replay)):
        facts = [each for each in SETS.replay[:beginning] if each.kind is GeneralKind.FACT]
        assert len(facts) > beginning / 3


def test_any_beginning_is_mixed() -> None:
    assert len({each.language for each in SETS.items[:64]}) >= 8
    assert len({each.kind for each in SETS.items[:24]}) >= 6
    assert GeneralSets.load() == SETS


GOOD = {"language": "en", "kind": "fact", "answer": "Yes.", "source": "me"}


@pytest.mark.parametrize(
    "change",
    [{"answer": " "}, {"kind": "gossip"}, {"id": "a"}, {"prompt": "Is it?"}, {"source": 1}],
)
def test_what_is_not_sound_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    first = {**GOOD, "id": "a", "prompt": "Is it?"}
    second = {**GOOD, "id": "b", "prompt": "So?"}
    assert len(_load(tmp_path, [first, second]).items) == 2
    with pytest.raises(ValueError, match=r".+"):
        _load(tmp_path, [first, second | change])


def _load(folder: Path, lines: list[dict[str, Any]]) -> GeneralSets:
    (folder / "general.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    (folder / "replay.jsonl").write_text("", "utf-8")
    return GeneralSets.load(folder)


def test_repetition_is_a_share_of_four_tokens() -> None:
    assert repetition([1, 2, 3]) == 0
    assert repetition(range(40)) == 0
    assert repetition([7] * 20) == pytest.approx(16 / 17)
    assert repetition([1, 2, 3, 4] * 3) == pytest.approx(5 / 9)


def _plain(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum() or each == " ")


def _words(text: str) -> set[str]:
    """The long words, without those of an order to translate."""
    order = {"translate", "traduza", "para", "inglês", "traduis", "anglais", "traduce", "inglés"}
    return {word for word in text.split() if len(word) > 3} - order
