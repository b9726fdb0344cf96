from dataclasses import replace
from math import nan

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.personalization import AdapterState, FactsTold, Scorecard
from chatdesk.ui.personalize.scorecard_dialog import ScorecardDialog
from chatdesk.ui.personalize.scorecard_figures import (
    general_judgement,
    measured,
    own_judgement,
    told_judgement,
)
from chatdesk.ui.personalize.scorecard_view import ScorecardView
from chatdesk.ui.personalize.words import change_words
from chatdesk.ui.theme import Theme, load_theme
from chatdesk.ui.widgets.tag import Tone
from tests.ui.driver import texts
from tests.ui.learning_data import finished_scorecard, record, rejected_scorecard, scorecard


def rows(card: Scorecard) -> list[tuple[str, str, str, Tone]]:
    parts = measured(card, full=True)
    return [
        (row.before, row.after, row.judgement, row.tone) for part in parts for row in part.figures
    ]


def test_what_was_promoted() -> None:
    assert rows(scorecard()) == [
        ("1.84", "1.52", "−17\u00a0% · sure to 95\u00a0%", Tone.GOOD),
        ("2.01", "2.01", "−0.1\u00a0% · kept", Tone.GOOD),
        ("0.01", "0.02", "near", Tone.GOOD),
        ("0 of 200", "0 of 200", "none", Tone.GOOD),
        ("0 of 12", "0 of 12", "none", Tone.GOOD),
    ]


def test_what_was_rejected() -> None:
    assert rows(rejected_scorecard()) == [
        ("2.00", "1.98", "not sure (−1.0\u00a0%)", Tone.BAD),
        ("2.00", "2.20", "+10\u00a0%", Tone.BAD),
        ("0.00", "0.50", "too far", Tone.BAD),
        ("0 of 200", "12 of 200", "too many", Tone.BAD),
        ("0 of 12", "1 of 12", "too many", Tone.BAD),
    ]


def test_which_figure_is_of_the_proven_and_which_of_the_finished_one() -> None:
    proof, end = measured(finished_scorecard(), full=True)
    assert "2 answers kept aside that it had not learned" in proof.title
    assert [row.after for row in proof.figures] == ["1.52"]
    assert "finished on all 40 answers" in end.title
    assert [(row.before, row.after, row.judgement, row.tone) for row in end.figures] == [
        ("0 of 40", "38 of 40", "2 are not told", Tone.WARN),
        ("–", "29 of 36", "", Tone.PLAIN),
        ("2.00", "2.01", "+0.4\u00a0% · kept", Tone.GOOD),
        ("0.00", "0.02", "near", Tone.GOOD),
        ("0 of 200", "0 of 200", "none", Tone.GOOD),
        ("0 of 12", "0 of 12", "none", Tone.GOOD),
    ]


def test_when_finishing_made_something_worse_all_figures_are_of_the_proven_one() -> None:
    (proof,) = measured(finished_scorecard(used=False), full=True)
    assert [row.after for row in proof.figures][:3] == ["1.52", "2.01", "0.02"]
    assert proof.figures[-2].after == "30 of 40"


def test_facts_told_in_a_word() -> None:
    assert told_judgement(FactsTold(8, 0, 8)) == ("all of them", Tone.GOOD)
    assert told_judgement(FactsTold(8, 0, 7)) == ("1 is not told", Tone.WARN)
    assert told_judgement(FactsTold(8, 3, 3)) == ("5 are not told", Tone.BAD)


def test_judgements_of_single_figures() -> None:
    card = scorecard()
    worse = replace(card, adapter=replace(card.adapter, heldout_loss=2.3), low=0.1, high=0.5)
    assert own_judgement(worse) == ("worse (+25\u00a0%)", Tone.BAD)
    assert general_judgement(card, card.base) == ("+0.4\u00a0%", Tone.PLAIN)
    went_wrong = replace(card, adapter=replace(card.adapter, degenerate=1))
    assert rows(went_wrong)[3][2] == "no more than before"


def test_losses_that_are_no_numbers() -> None:
    card = scorecard(adapter=replace(scorecard().adapter, heldout_loss=nan), low=nan, high=nan)
    assert rows(card)[0] == ("1.84", "–", "not sure (–)", Tone.BAD)


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (-0.172, "−17\u00a0%"),
        (0.0041, "+0.4\u00a0%"),
        (0.0, "0.0\u00a0%"),
        (-0.0001, "0.0\u00a0%"),
        (nan, "–"),
    ],
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


def test_what_is_not_told_is_named_and_each_held_out_answer_has_its_loss(
    qtbot: QtBot, theme: Theme
) -> None:
    view = ScorecardView(theme, full=True)
    qtbot.addWidget(view)
    view.show_record(record(scorecard=finished_scorecard()))
    shown = texts(view)
    assert {"Asked: Who is the mayor?", "The mayor is Odile Marrack.", "The mayor is Ann."} <= {
        *shown
    }
    assert "Asked in other words: Which fair is it?" in shown
    start = shown.index("Who rings the bell?")  # the worst one first
    assert shown[start : start + 4] == ["Who rings the bell?", "3.20", "3.40", "0.05"]
    assert "Which river is it?" in shown[start:]


def test_a_proven_adapter_that_stays_says_why(qtbot: QtBot, theme: Theme) -> None:
    for full in (True, False):
        view = ScorecardView(theme, full=full)
        qtbot.addWidget(view)
        view.show_record(record(scorecard=finished_scorecard(used=False)))
        shown = " ".join(texts(view))
        assert "You use the proven adapter" in shown
        assert "0.50 nats" in shown


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
