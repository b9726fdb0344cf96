import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from chatdesk.cli.documents import conversations as reports
from chatdesk.core.chat import Mark, Role, now
from chatdesk.core.personalization import (
    AdapterRecord,
    AdapterState,
    ExampleSource,
    FactsTold,
    Figures,
    FinishedAdapter,
    HeldOutLoss,
    MissedAnswer,
    SampleAnswer,
    Scorecard,
    Verdict,
    Withdrawn,
)
from chatdesk.core.training import CHECKPOINT_FILE, DATASET_FILE
from chatdesk.services.adapters.facts import AdaptersChanged
from chatdesk.services.adapters.forgetting import Forgetting
from tests.services.shelf import Shelf

SECRET = "I am a xylophonist."
FIGURES = Figures(2.0, 1.0)


class Memory(Shelf):
    """Two conversations and a line of a file that were learned from."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.dropped: list[str] = []
        self.told: list[str] = []
        self.forgetting = Forgetting(
            self.store, self.paths.adapters, self.dropped.append, self.facts.append
        )
        self.forgetting.listen(self.told.append)
        self.sources = (
            self.conversation(),
            self.conversation(),
            ExampleSource("file:0a", "chats 1"),
        )
        self.secret, self.other, self.line = (each.conversation_id for each in self.sources)

    def conversation(self) -> ExampleSource:
        home = self.conversations.create().id
        return ExampleSource(home, self.conversations.add_message(home, None, Role.USER, SECRET).id)

    def learned(self, state: AdapterState = AdapterState.PROMOTED) -> AdapterRecord:
        """An adapter made from all of them, whose scorecard quotes each and a general question."""
        record = self.adapter(state=state, sources=self.sources)
        chats = (self.secret, self.other)
        samples = tuple(
            SampleAnswer(SECRET if home in chats else "What is 2 + 2?", "?", "!", "", home)
            for home in (*chats, self.line, "")
        )
        missed = tuple(MissedAnswer(SECRET, "?", "!", home) for home in chats)
        heldout = tuple(HeldOutLoss(SECRET, 3.0, 1.0, home) for home in chats)
        finished = FinishedAdapter(4, True, facts=FactsTold(4, 0, 2, missed=missed))
        card = Scorecard(
            *(FIGURES, FIGURES, Verdict.PROMOTED, (), -1.0, -2.0, -0.5),
            samples=samples,
            heldout=heldout,
            finished=finished,
        )
        return self.store.change(record.id, scorecard=card)

    def quoted(self, record: AdapterRecord) -> list[str]:
        card = self.store.get(record.id).scorecard
        assert card
        assert card.finished and card.finished.facts
        facts = card.finished.facts
        assert (facts.asked, facts.told) == (4, 2)  # figures stay
        chats = [each.conversation_id for each in card.samples]
        for quoted in (card.heldout, facts.missed):
            homes = {each.conversation_id for each in quoted}
            assert homes == set(chats) & {self.secret, self.other}
        return chats


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    memory = Memory(tmp_path / "home")
    yield memory
    memory.database.close()


def test_a_deleted_conversation_marks_its_adapters_and_is_quoted_no_more(memory: Memory) -> None:
    record = memory.learned()
    unrelated = memory.adapter(sources=(ExampleSource("file:0b", "chats 2"),))
    memory.conversations.delete(memory.secret)
    memory.forgetting.deleted(memory.secret)
    assert memory.dropped == memory.told == [memory.secret]
    assert memory.adapters.withdrawn(record.id) == Withdrawn(1, 1)
    assert memory.adapters.withdrawn(unrelated.id) == Withdrawn(0, 0)
    assert memory.quoted(record) == [memory.other, memory.line, ""]
    assert memory.facts == [AdaptersChanged()]
    assert memory.adapters.file(record).exists()  # deleting or making it anew is for the person


def test_taken_out_of_the_trash_it_is_not_withdrawn_any_more(memory: Memory) -> None:
    record = memory.learned()
    memory.conversations.delete(memory.secret)
    memory.forgetting.deleted(memory.secret)
    memory.conversations.restore(memory.secret)
    assert memory.adapters.withdrawn(record.id) == Withdrawn(0, 0)


def test_what_is_excluded_keeps_its_session_but_nothing_learned(memory: Memory) -> None:
    record = memory.learned()
    memory.conversations.set_conversation_mark(memory.secret, Mark.EXCLUDE)
    memory.forgetting.withdrawn(memory.secret)
    assert (memory.dropped, memory.told) == ([], [memory.secret])
    assert memory.adapters.withdrawn(record.id).conversations == 1
    assert memory.secret not in memory.quoted(record)


@pytest.mark.parametrize("state", [AdapterState.INTERRUPTED, AdapterState.FAILED])
def test_an_unfinished_run_that_has_its_words_ends_for_good(
    memory: Memory, state: AdapterState
) -> None:
    run, other = memory.learned(state), memory.adapter(state=state)
    for record in (run, other):
        for name in (DATASET_FILE, CHECKPOINT_FILE):
            memory.adapters.file(record).with_name(name).write_text(SECRET)
    memory.forgetting.withdrawn(memory.secret)
    assert memory.store.get(run.id).state is AdapterState.CANCELLED
    assert not memory.adapters.file(run).parent.exists()
    assert memory.store.get(other.id).state is state
    assert memory.adapters.file(other).with_name(DATASET_FILE).exists()


def test_what_another_process_deleted_or_purged_is_tidied_up(memory: Memory) -> None:
    record, run = memory.learned(), memory.learned(AdapterState.INTERRUPTED)
    memory.conversations.delete(memory.secret)
    memory.forgetting.tidy(each.id for each in memory.conversations.list())
    assert memory.quoted(record) == [memory.other, memory.line, ""]
    assert memory.store.get(run.id).state is AdapterState.CANCELLED
    assert memory.adapters.withdrawn(record.id).conversations == 1


def test_the_command_line_forgets_too(memory: Memory) -> None:
    record = memory.learned()
    reports.delete_conversation(memory.paths, memory.secret)
    assert memory.secret not in memory.quoted(record)


def test_no_word_of_it_is_left_on_the_disk(memory: Memory) -> None:
    memory.learned()
    run = memory.adapter(state=AdapterState.FAILED, sources=memory.sources)
    memory.adapters.file(run).with_name(DATASET_FILE).write_text(SECRET)
    for home in (memory.secret, memory.other):
        memory.conversations.delete(home)
        memory.forgetting.deleted(home)
    memory.conversations.purge(now() + timedelta(seconds=1))
    memory.database.close()
    assert SECRET.encode() not in everything(memory.paths.data)


def test_and_before_it_was_there(memory: Memory) -> None:
    memory.learned()
    memory.database.close()
    # In messages, samples, held-out answers, and those that are not told.
    assert everything(memory.paths.data).count(SECRET.encode()) >= 8


def everything(folder: Path) -> bytes:
    """The bytes of every file below."""
    files = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return b"".join(file.read_bytes() for file in files)
