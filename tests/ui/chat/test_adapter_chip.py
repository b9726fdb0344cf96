"""The chip alone, and over real services: which adapter answers, per conversation."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.chat import Message
from chatdesk.core.personalization import AdapterRecord, AdapterState, ExampleSource
from chatdesk.core.training import ADAPTER_FILE
from chatdesk.services.adapters.facts import AdaptersChanged
from chatdesk.store.adapters import AdapterStore
from chatdesk.store.database import Database
from chatdesk.ui.chat.adapter_chip import BASE, AdapterChip
from chatdesk.ui.chat.inspector.inspector import Inspector
from chatdesk.ui.theme import Theme
from tests.ui.driver import Window, texts

VOICE = AdapterRecord(
    id="v1",
    name="My voice · v1",
    model_id="m",
    model_name="Fake",
    model_sha256=None,
    state=AdapterState.PROMOTED,
    created=datetime(2026, 1, 1, tzinfo=UTC),
    bytes=4,
    scale=0.5,
)
OTHER = replace(VOICE, id="v2", name="R&D " + "and a very long name " * 5)


@pytest.fixture
def chip(qtbot: QtBot, theme: Theme) -> Iterator[AdapterChip]:
    parent = QWidget()
    qtbot.addWidget(parent)
    chip = AdapterChip(theme)
    chip.setParent(parent)
    yield chip


def menu(chip: AdapterChip) -> dict[str, bool]:
    """The lines of the menu, and whether each is checked."""
    return {each.text(): each.isChecked() for each in chip.choices.actions() if each.text()}


def test_it_is_there_only_where_there_are_adapters(chip: AdapterChip) -> None:
    assert chip.isHidden()
    chip.show_adapters([VOICE], None)
    assert not chip.isHidden()
    assert chip.words == "No adapter"
    chip.show_adapters([], None)
    assert chip.isHidden()


def test_it_shows_who_answers(chip: AdapterChip) -> None:
    chip.show_adapters([VOICE, OTHER], VOICE)
    assert chip.words == "My voice · v1"
    assert menu(chip) == {
        "Follow Personalize (now My voice · v1)": True,
        "Always the model as it is": False,
        "Always My voice · v1": False,
        "Always " + OTHER.name.replace("&", "&&"): False,
        "Personalize…": False,
    }
    chip.show_choice(BASE)
    assert chip.words == "No adapter"
    assert menu(chip)["Always the model as it is"]
    chip.show_choice("v2")
    assert chip.text().startswith("R&&D") and chip.text().endswith("…")
    assert chip.accessibleDescription() == OTHER.name
    chip.show_choice("deleted since")  # then the model answers as it is
    assert chip.words == "No adapter"


def test_the_menu_asks(chip: AdapterChip, qtbot: QtBot) -> None:
    chip.show_adapters([VOICE], VOICE)
    for words, choice in (
        ("Always the model as it is", BASE),
        ("Follow Personalize (now My voice · v1)", None),
        ("Always My voice · v1", "v1"),
    ):
        action = next(each for each in chip.choices.actions() if each.text() == words)
        with qtbot.waitSignal(chip.chosen) as asked:
            action.trigger()
        assert asked.args == [choice]
    with qtbot.waitSignal(chip.personalize_requested):
        chip.choices.actions()[-1].trigger()


def learned(window: Window, *made_from: Message) -> AdapterStore:
    """The app as it is when an adapter was promoted."""
    services = window.desktop.services
    assert services and services.engine.status.model
    model_id = services.engine.status.model.id
    store = AdapterStore(Database.open(window.paths.database))
    sources = [ExampleSource(message.conversation_id, message.id) for message in made_from]
    store.add(replace(VOICE, model_id=model_id), sources)
    store.activate(model_id, VOICE.id)
    file = window.paths.adapters / VOICE.id / ADAPTER_FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(b"GGUF")
    window.desktop.bridge.publish(AdaptersChanged())
    chip = window.window.composer.adapter
    window.until(lambda: chip.words == VOICE.name)
    assert chip.isVisible()
    return store


def choose(window: Window, words: str) -> None:
    chip = window.window.composer.adapter
    next(each for each in chip.choices.actions() if each.text() == words).trigger()


def test_the_choice_is_the_conversations_own(window: Window) -> None:
    chip, inspector = window.window.composer.adapter, window.window.findChild(Inspector)
    assert isinstance(inspector, Inspector)
    learned(window)
    answer = window.ask("say: one").answer
    assert answer and (answer.adapter_id, answer.adapter_scale) == ("v1", 0.5)
    window.until(lambda: "My voice · v1 at 50\u00a0%" in texts(inspector))
    first = window.messages[0].conversation_id
    choose(window, "Always the model as it is")
    window.until(lambda: chip.words == "No adapter")
    answer = window.ask("say: two").answer
    assert answer and answer.adapter_id is None
    window.window.new_chat()
    assert chip.words == VOICE.name
    window.window.open_conversation(first)
    window.until(lambda: chip.words == "No adapter")


def test_the_choice_for_a_new_chat_is_taken_when_it_is_sent(window: Window) -> None:
    chip = window.window.composer.adapter
    learned(window)
    choose(window, "Always the model as it is")
    assert chip.words == "No adapter"
    answer = window.ask("say: one").answer
    assert answer and answer.adapter_id is None
    services = window.desktop.services
    assert services
    assert services.conversations.get(window.messages[0].conversation_id).adapter == BASE
    assert chip.words == "No adapter"
    window.window.new_chat()
    assert chip.words == VOICE.name


def test_deleting_a_chat_that_was_learned_from_says_so(window: Window) -> None:
    question = window.ask("say: one")
    window.until(lambda: window.titles == ["A fitting title"])
    learned(window, question)
    window.window.parts.chat_deleter.delete(question.conversation_id)
    window.until(lambda: "1 adapter learned from it" in window.window.notice.words)
    window.window.notice.act()
    window.until(lambda: len(window.messages) == 2)  # the undo is still there
