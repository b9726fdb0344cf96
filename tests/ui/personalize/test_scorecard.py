from dataclasses import replace
from math import nan

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.personalization import AdapterState, Scorecard
from chatdesk.ui.personalize.scorecard_dialog import ScorecardDialog
from chatdesk.ui.personalize.scorecard_view import (
    ScorecardView,
    general_judgement,
    measured,
    own_judgement,
)
from chatdesk.ui.personalize.words import change_words
from chatdesk.ui.theme import Theme, load_theme
from chatdesk.ui.widgets.tag import Tone
from tests.ui.driver import texts
from tests.ui.learning_data import record, rejected_scorecard, scorecard


def rows(card: Scorecard) -> list[tuple[str, str, str, Tone]]:
    return [(row.before, row.after, row.judgement, row.tone) for row in measured(card, full=True)]


def test_what_was_promoted() -> None:
    assert rows(scorecard()) == [
        ("1.84", "1.52", "−17 % · sure to 95 %", Tone.GOOD),
        ("2.01", "2.01", "−0.1 % · kept", Tone.GOOD),
        ("0.01", "0.02", "near", Tone.GOOD),
        ("0 of 200", "0 of 200", "none", Tone.GOOD),
        ("0 of 12", "0 of 12", "none", Tone.GOOD),
    ]


def test_what_was_rejected() -> None:
    assert rows(rejected_scorecard()) == [
        ("2.00", "1.98", "not sure (−1.0 %)", Tone.BAD),
        ("2.00", "2.20", "+10 %", Tone.BAD),
        ("0.00", "0.50", "too far", Tone.BAD),
        ("0 of 200", "12 of 200", "too many", Tone.BAD),
        ("0 of 12", "1 of 12", "too many", Tone.BAD),
    ]


def test_judgements_of_single_figures() -> None:
    card = scorecard()
    worse = replace(card, adapter=replace(card.adapter, heldout_loss=2.3), low=0.1, high=0.5)
    assert own_judgement(worse) == ("worse (+25 %)", Tone.BAD)
    assert general_judgement(card, card.base) == ("+0.4 %", Tone.PLAIN)
    went_wrong = replace(card, adapter=replace(card.adapter, degenerate=1))
    assert rows(went_wrong)[3][2] == "no more than before"


def test_losses_that_are_no_numbers() -> None:
    card = scorecard(adapter=replace(scorecard().adapter, heldout_loss=nan), low=nan, high=nan)
    assert rows(card)[0] == ("1.84", "–", "not sure (–)", Tone.BAD)


@pytest.mark.parametrize(
    ("share", "words"),
    [(-0.172, "−17 %"), (0.0041, "+0.4 %"), (0.0, "0.0 %"), (-0.0001, "0.0 %"), (nan, "–")],
)
def test_a_change_in_words(share: float, words: str) -> None:
    assert change_words(share) == words


def test_a_glance_and_all_of_it(qtbot: QtBot, theme: Theme) -> None:
    glance, full = (ScorecardView(theme, full=full) for full in (False, True))
    for view in (glance, full):
        qtbot.addWidget(view)
        view.show_record(record())
    shown = texts(glance)
    assert "Asked: An egg?" in shown and "Six minutes." in shown
    assert any(words.endswith("…") for words in shown)
    assert "6 minutes." not in shown and "Paris." not in shown
    shown = texts(full)
    assert {"6 minutes.", "Paris.", "Paris!", "Sure! " * 60} <= set(shown)
    assert any("clearly likelier" in words for words in shown)


def test_a_rejection_says_why_also_at_a_glance(qtbot: QtBot, theme: Theme) -> None:
    view = ScorecardView(theme, full=False)
    qtbot.addWidget(view)
    view.show_record(record(scorecard=rejected_scorecard()))
    view.set_theme(load_theme("dark"))
    shown = " ".join(texts(view))
    for why in ("may be chance", "got worse at general", "12 of 200", "1 of 12 secrets"):
        assert why in shown


def test_the_dialog_of_a_rejection(qtbot: QtBot, theme: Theme) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    rejected = record(state=AdapterState.REJECTED, scorecard=rejected_scorecard())
    dialog = ScorecardDialog(rejected, theme, parent)
    dialog.set_theme(theme)
    shown = " ".join(texts(dialog))
    assert "did not pass the test and is not used. Nothing changed" in shown
    assert "not better" in shown
