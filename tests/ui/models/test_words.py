"""How models are said in few words."""

from datetime import timedelta

import pytest

from chatdesk.core.model_files import Estimate, KeptModel, Presence
from chatdesk.core.models import Fit, ModelRole
from chatdesk.library.machine.hardware import Hardware
from chatdesk.ui.models.words import (
    about_words,
    computer_words,
    count_words,
    fit_words,
    state_words,
)
from chatdesk.ui.widgets.tag import Tone
from tests.ui.hub_data import FITS, SLOW, TOO_LARGE
from tests.ui.library_data import GB, NOW, kept


@pytest.mark.parametrize(
    ("fit", "estimated", "measured", "words"),
    [
        (Fit.GPU, 38.0, 41.3, "fits · 41\u00a0tokens/s measured"),
        (Fit.CPU, 17.2, 0.0, "fits · about 17\u00a0tokens/s"),
        (Fit.CPU, 0.0, 0.0, "fits"),
        (Fit.PARTIAL, 4.0, 0.0, "fits partly on the GPU · about 4\u00a0tokens/s"),
        (Fit.PARTIAL, 4.0, 2.25, "fits, but slow · 2.2\u00a0tokens/s measured"),
        (Fit.TOO_LARGE, 3.0, 0.0, "too large for this computer"),
        (Fit.TOO_LARGE, 3.0, 1.5, "too large for this computer · 1.5\u00a0tokens/s measured"),
    ],
)
def test_fit_and_speed(fit: Fit, estimated: float, measured: float, words: str) -> None:
    assert fit_words(Estimate(fit, 8192, GB, estimated), measured)[0] == words


def test_the_colour_of_a_fit() -> None:
    assert fit_words(FITS) == ("fits · about 41\u00a0tokens/s", Tone.GOOD)
    assert fit_words(SLOW) == ("fits, but slow · about 2.3\u00a0tokens/s", Tone.WARN)
    assert fit_words(FITS, 2.3) == ("fits, but slow · 2.3\u00a0tokens/s measured", Tone.WARN)
    assert fit_words(TOO_LARGE) == ("too large for this computer", Tone.PLAIN)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (kept(last_used=NOW), "chat · 32k context · Apache-2.0 · used today"),
        (kept(tags=("code", "letters")), "code · letters · 32k context · Apache-2.0"),
        (kept(role=ModelRole.BASE, context_length=0, license=""), "base model: continues a text"),
        (kept(role=ModelRole.EMBEDDER, tags=("papers",), context_length=512, license=""),
         "for embeddings · papers · 512 context"),
        (kept(role=ModelRole.PROJECTOR, context_length=0, license=""),
         "projector: lets another model see or hear"),
        (kept(role=ModelRole.UNSUPPORTED, context_length=0, license=""), "llama.cpp cannot run it"),
        (
            kept(is_starter=True, last_used=NOW - timedelta(days=1)),
            "starter model · always here · used yesterday",
        ),
        (kept(context_length=512, license="", last_used=NOW - timedelta(days=9)),
         "chat · 512 context · used 2026-02-21"),
        (kept(presence=Presence.MISSING),
         "Its file is not there. If it is on another disk, connect that disk."),
        (kept(presence=Presence.CHANGED), "Its file has changed since it was added."),
    ],
)  # fmt: skip
def test_the_second_line(model: KeptModel, words: str) -> None:
    assert about_words(model, NOW) == words


def test_a_file_that_cannot_be_used_is_said_before_its_fit() -> None:
    assert state_words(kept(tokens_per_s=41.0)) == ("fits · 41\u00a0tokens/s measured", Tone.GOOD)
    assert state_words(kept(presence=Presence.MISSING)) == ("file missing", Tone.WARN)
    assert state_words(kept(presence=Presence.CHANGED)) == ("file changed", Tone.WARN)


def test_numbers_of_parameters() -> None:
    assert [count_words(n) for n in (134_515_008, 999_000_000, 8_030_261_248)] == [
        "135M",
        "999M",
        "8.0B",
    ]


def test_the_computer_has_whole_gigabytes() -> None:
    words = computer_words(Hardware("Apple M2", 8, 8, int(15.6 * 1024**3), 1))
    assert words.startswith("This computer: 16\u00a0GB memory, Apple M2. Good choices")
