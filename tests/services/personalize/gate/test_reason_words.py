from collections.abc import Iterator

import pytest

from chatdesk.core import i18n
from chatdesk.core.i18n import LANGUAGES, set_language
from chatdesk.core.paths import assets_dir
from chatdesk.core.personalization import Reason, ReasonCode
from chatdesk.services.personalize.gate.reason_words import sentence

VALUES = {
    **{"change": -0.5, "low": -0.625, "high": -0.25, "divergence": 0.5, "limit": 0.125},
    **{"count": 3.0, "of": 32.0, "least": 6.0, "scale": 0.75, "told": 36.0, "proven": 38.0},
}


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    set_language("en", assets_dir() / "locale")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_is_a_sentence_of_its_own(language: str) -> None:
    set_language(language, assets_dir() / "locale")
    assert i18n.current_language() == language
    said = {sentence(Reason(code, VALUES)) for code in ReasonCode}
    assert len(said) == len(ReasonCode)
    assert all(each.endswith((".", "。")) and "{" not in each for each in said)


def test_figures_are_in_it() -> None:
    assert "−50.0 %" in sentence(Reason(ReasonCode.BETTER, VALUES, good=True))
    assert "3 of 32" in sentence(Reason(ReasonCode.DEGENERATE, VALUES))
    assert "75 %" in sentence(Reason(ReasonCode.WEAKER_SCALE, VALUES, good=True))
    assert "0.50" in sentence(Reason(ReasonCode.DIVERGED, VALUES))
