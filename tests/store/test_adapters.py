"""Runs and adapters: their records, their owners, and which one is active."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import StatementError

from chatdesk.core.chat import AnswerRecord, Mark, Message, Rating, Role, new_id, now
from chatdesk.core.errors import EnvironmentProblem, NotFound
from chatdesk.core.models import ModelHeader
from chatdesk.core.personalization import (
    AdapterRecord,
    AdapterState,
    ExampleSource,
    FactsTold,
    Figures,
    FinishedAdapter,
    HeldOutLoss,
    LossPoint,
    MissedAnswer,
    RatingTrend,
    Reason,
    ReasonCode,
    SampleAnswer,
    Scorecard,
    TrainingConfig,
    Verdict,
    Withdrawn,
)
from chatdesk.store.adapters import AdapterStore
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.models import ModelStore
from chatdesk.store.ratings import chance_of_so_few
from chatdesk.store.tables import messages
from tests.store.conftest import child, go_on, printed

HEADER = ModelHeader("Tiny", "llama", 10, "Q4_1", 20, 30, 4, 50, True)
SCORECARD = Scorecard(
    base=Figures(4.25, 0.69),
    adapter=Figures(0.5, 0.7, divergence=0.01, answered=8, secrets=2),
    verdict=Verdict.PROMOTED,
    reasons=(Reason(ReasonCode.BETTER, {"change": -0.88}, good=True),),
    change=-3.75,
    low=-4.0,
    high=-3.5,
    samples=(SampleAnswer("What is tea?", "A drink.", "A leaf. 茶"),),
    heldout=(HeldOutLoss("What is tea?", 4.25, 0.5, "c", 0.01),),
    finished=FinishedAdapter(
        examples=40,
        used=True,
        reasons=(Reason(ReasonCode.GENERAL_KEPT, {"change": 0.01}, good=True),),
        facts=FactsTold(40, 0, 38, 30, 28, (MissedAnswer("Tea?", "A leaf. 茶", "No.", "c"),)),
    ),
)


@pytest.fixture
def adapters(database: Database) -> AdapterStore:
    return AdapterStore(database)


@pytest.fixture
def model_id(models: ModelStore, tmp_path: Path) -> str:
    return models.add(tmp_path / "tiny.gguf", HEADER, 7).id


def record(model_id: str, state: AdapterState = AdapterState.PROMOTED) -> AdapterRecord:
    return AdapterRecord(new_id(), "About tea", model_id, "Tiny", "ab" * 32, state, now())


def answered(
    store: ConversationStore, model_id: str | None = None, adapter_id: str | None = None
) -> Message:
    """An answer of this model and adapter, in its own conversation."""
    made = store.create()
    question = store.add_message(made.id, None, Role.USER, "Q")
    answer = AnswerRecord(model_id=model_id, adapter_id=adapter_id)
    return store.add_message(made.id, question.id, Role.ASSISTANT, "A", answer=answer)


def source(message: Message) -> ExampleSource:
    return ExampleSource(message.conversation_id, message.id)


def test_a_record_is_read_back_as_it_was_written(adapters: AdapterStore, model_id: str) -> None:
    config = TrainingConfig(rank=8, alpha=16.0, targets=("attn_q",), seed=3)
    losses = (LossPoint(1, 4.5), LossPoint(8, None, 2.0, 0.7))
    whole = replace(
        record(model_id), config=config, ended=now(), examples=40, heldout=8, scale=0.75,
        scorecard=SCORECARD, losses=losses, tokens=4096, tokens_per_s=250.5, seconds=48.0,
        peak_bytes=2**33, bytes=5_000_000, error="None.",
    )  # fmt: skip
    assert adapters.add(whole) == whole
    assert adapters.get(whole.id) == whole
    begun = adapters.add(record(model_id, AdapterState.PREPARING))
    assert (begun.scorecard, begun.losses, begun.active) == (None, (), False)
    assert adapters.list() == (begun, whole)  # newest first
    assert adapters.list(model_id) == (begun, whole)
    assert adapters.list("another") == ()


def test_fields_are_changed(adapters: AdapterStore, model_id: str) -> None:
    made = adapters.add(record(model_id))
    changed = adapters.change(made.id, name="Tea", losses=(LossPoint(1, 2.0),), scorecard=SCORECARD)
    assert changed == replace(made, name="Tea", losses=(LossPoint(1, 2.0),), scorecard=SCORECARD)
    assert adapters.get(made.id) == changed
    no_number = replace(SCORECARD, change=float("nan"))
    with pytest.raises(StatementError, match="null"):  # JSON has no NaN
        adapters.change(made.id, scorecard=no_number)
    assert adapters.get(made.id) == changed


def test_what_does_not_exist_is_not_found(adapters: AdapterStore, model_id: str) -> None:
    for call in (
        lambda: adapters.get("none"),
        lambda: adapters.change("none", name="Tea"),
        lambda: adapters.begin("none"),
        lambda: adapters.finish("none", AdapterState.FAILED),
        lambda: adapters.delete("none"),
        lambda: adapters.sources("none"),
        lambda: adapters.withdrawn("none"),
        lambda: adapters.activate(model_id, "none"),
        lambda: adapters.rating_trend("none"),
    ):
        with pytest.raises(NotFound):
            call()


def test_an_id_may_be_shortened_while_it_is_clear(adapters: AdapterStore, model_id: str) -> None:
    for adapter_id in ("aaaa1111", "aaaa2222", "bbbb3333"):
        adapters.add(replace(record(model_id), id=adapter_id))
    assert adapters.resolve("aaaa1") == "aaaa1111"
    assert adapters.resolve("bbbb") == "bbbb3333"
    with pytest.raises(NotFound, match="several"):
        adapters.resolve("aaaa")
    with pytest.raises(NotFound, match="no adapter"):
        adapters.resolve("bb%%")
    with pytest.raises(NotFound, match="too short"):
        adapters.resolve("aaa")


# Runs


def test_a_run_belongs_to_its_process_until_it_ends(
    path: Path, adapters: AdapterStore, model_id: str
) -> None:
    mine = adapters.add(record(model_id, AdapterState.TRAINING))
    with child("train", path, model_id) as process:
        theirs = printed(process)
        assert adapters.interrupt_dead() == 0
        with pytest.raises(EnvironmentProblem, match="still"):
            adapters.begin(theirs)
        with pytest.raises(EnvironmentProblem, match="still"):
            adapters.delete(theirs)
        assert adapters.change(theirs, name="Renamed").state is AdapterState.TRAINING
        go_on(process)
    assert adapters.interrupt_dead() == 1
    assert adapters.interrupt_dead() == 0
    assert adapters.get(theirs).state is AdapterState.INTERRUPTED
    assert adapters.get(mine.id) == mine
    assert adapters.begin(theirs, AdapterState.MEASURING).state is AdapterState.MEASURING
    assert adapters.interrupt_dead() == 0  # it is this process's now
    ended = adapters.finish(theirs, AdapterState.REJECTED, scorecard=SCORECARD)
    assert (ended.state, ended.scorecard) == (AdapterState.REJECTED, SCORECARD)
    assert ended.ended is not None
    adapters.delete(theirs)


def test_a_run_that_is_taken_up_again_has_no_end_and_no_error(
    adapters: AdapterStore, model_id: str
) -> None:
    made = adapters.add(record(model_id, AdapterState.TRAINING))
    failed = adapters.finish(made.id, AdapterState.FAILED, error="The disk is full.")
    assert (failed.error, adapters.interrupt_dead()) == ("The disk is full.", 0)
    assert adapters.begin(made.id) == replace(made, state=AdapterState.PREPARING)
    with pytest.raises(ValueError, match="end"):
        adapters.finish(made.id, AdapterState.TRAINING)
    with pytest.raises(ValueError, match="beginning"):
        adapters.begin(made.id, AdapterState.PROMOTED)


# Lineage


def test_an_adapter_knows_what_it_was_made_from(
    adapters: AdapterStore, store: ConversationStore, model_id: str
) -> None:
    first, second = answered(store), answered(store)
    line = ExampleSource("file:0123", "tea.jsonl:1")
    given = (source(second), line, source(first), source(second))
    of_both = adapters.add(record(model_id), given)
    of_one = adapters.add(record(model_id), [source(first)])
    assert adapters.sources(of_both.id) == given[:3]
    assert adapters.trained_on(first.conversation_id) == (of_one, of_both)
    assert adapters.trained_on(second.conversation_id) == (of_both,)
    assert adapters.trained_on("file:0123") == (of_both,)
    adapters.delete(of_both.id)
    assert adapters.trained_on(second.conversation_id) == ()
    assert adapters.trained_on(first.conversation_id) == (of_one,)


def test_what_was_withdrawn_is_counted(
    adapters: AdapterStore, store: ConversationStore, model_id: str
) -> None:
    kept, trashed, purged, marked, excluded = (answered(store) for _ in range(5))
    more = store.add_message(trashed.conversation_id, trashed.id, Role.ASSISTANT, "More.")
    line = ExampleSource("file:0123", "tea.jsonl:1")
    of_all = (kept, trashed, more, purged, marked, excluded)
    adapter = adapters.add(record(model_id), [*map(source, of_all), line])
    assert adapters.withdrawn(adapter.id) == Withdrawn(0, 0)
    store.delete(trashed.conversation_id)
    assert adapters.withdrawn(adapter.id) == Withdrawn(conversations=1, examples=2)
    store.restore(trashed.conversation_id)
    assert adapters.withdrawn(adapter.id) == Withdrawn(0, 0)
    store.delete(purged.conversation_id)
    store.purge(now() + timedelta(seconds=1))
    assert adapters.withdrawn(adapter.id) == Withdrawn(1, 1)
    assert adapters.trained_on(purged.conversation_id) == (adapter,)
    store.set_mark(marked.id, Mark.EXCLUDE)
    store.set_conversation_mark(excluded.conversation_id, Mark.EXCLUDE)
    store.set_mark(kept.id, Mark.INCLUDE)
    assert adapters.withdrawn(adapter.id) == Withdrawn(3, 3)


# The active one


def test_one_adapter_is_active_for_a_model(
    adapters: AdapterStore, models: ModelStore, model_id: str, tmp_path: Path
) -> None:
    other_model = models.add(tmp_path / "other.gguf", HEADER, 7).id
    first, second = (adapters.add(record(model_id)) for _ in range(2))
    elsewhere = adapters.add(record(other_model, AdapterState.IMPORTED))
    assert adapters.active(model_id) is None
    adapters.activate(model_id, first.id)
    adapters.activate(other_model, elsewhere.id)
    assert adapters.active(model_id) == replace(first, active=True)
    adapters.activate(model_id, second.id)
    assert [each.active for each in adapters.list()] == [True, True, False]
    assert adapters.active(model_id) == adapters.get(second.id)
    adapters.activate(model_id, None)
    assert adapters.active(model_id) is None
    assert [each.id for each in adapters.list() if each.active] == [elsewhere.id]


@pytest.mark.parametrize("state", [AdapterState.REJECTED, AdapterState.TRAINING])
def test_only_what_is_usable_can_be_active(
    adapters: AdapterStore, model_id: str, state: AdapterState
) -> None:
    made = adapters.add(record(model_id, state))
    with pytest.raises(ValueError, match="active"):
        adapters.activate(model_id, made.id)
    assert adapters.active(model_id) is None


def test_rolling_back_goes_all_the_way_back(adapters: AdapterStore, model_id: str) -> None:
    first, second, third = (adapters.add(record(model_id)).id for _ in range(3))
    assert adapters.previous(model_id) == (False, None)
    way: list[str | None] = [first, second, third]
    for adapter_id in way:
        adapters.activate(model_id, adapter_id)
    for expected in (second, first, None):
        assert adapters.previous(model_id) == (True, expected)
        adapters.activate(model_id, expected)
    assert adapters.previous(model_id) == (False, None)
    adapters.activate(model_id, third)
    assert adapters.previous(model_id) == (True, None)


def test_rolling_back_passes_over_what_was_deleted(adapters: AdapterStore, model_id: str) -> None:
    first, second, third = (adapters.add(record(model_id)).id for _ in range(3))
    for adapter_id in (first, second, third):
        adapters.activate(model_id, adapter_id)
    adapters.delete(second)
    assert adapters.previous(model_id) == (True, first)
    adapters.delete(third)
    assert adapters.active(model_id) is None  # not the one before it: nobody chose that
    assert adapters.previous(model_id) == (True, first)
    adapters.delete(first)
    assert adapters.previous(model_id) == (False, None)


def test_a_deleted_adapter_is_chosen_nowhere(
    adapters: AdapterStore, store: ConversationStore, model_id: str
) -> None:
    gone, kept = (adapters.add(record(model_id)).id for _ in range(2))
    choices = (gone, kept, "", None)
    talks = [store.create().id for _ in choices]
    for talk, choice in zip(talks, choices, strict=True):
        store.set_adapter(talk, choice)
    adapters.delete(gone)
    assert [store.get(talk).adapter for talk in talks] == [None, kept, "", None]


# Ratings


def rate(
    store: ConversationStore, model_id: str, adapter_id: str | None, up: int, down: int
) -> list[Message]:
    rated = [answered(store, model_id, adapter_id) for _ in range(up + down)]
    for number, message in enumerate(rated):
        store.set_rating(message.id, Rating.UP if number < up else Rating.DOWN)
    return rated


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ((9, 3), (3, 9), True),
        ((9, 3), (6, 6), False),  # could be chance
        ((3, 9), (9, 3), False),  # better
        ((9, 0), (0, 12), False),  # too few before
        ((12, 0), (0, 9), False),  # too few after
    ],
)
def test_worse_ratings_under_an_adapter_are_reported(
    adapters: AdapterStore,
    store: ConversationStore,
    model_id: str,
    before: tuple[int, int],
    after: tuple[int, int],
    worse: bool,
) -> None:
    adapter = adapters.add(record(model_id)).id
    rate(store, model_id, None, *before)
    adapters.activate(model_id, adapter)
    rate(store, model_id, adapter, *after)
    assert adapters.rating_trend(adapter) == RatingTrend(*after, *before, worse)


def test_only_ratings_of_the_model_before_the_first_activation_are_compared(
    adapters: AdapterStore,
    store: ConversationStore,
    models: ModelStore,
    database: Database,
    model_id: str,
    tmp_path: Path,
) -> None:
    other_model = models.add(tmp_path / "other.gguf", HEADER, 7).id
    adapter, another = (adapters.add(record(model_id)).id for _ in range(2))
    rate(store, model_id, adapter, 1, 1)  # chosen in a conversation, before it was active
    assert adapters.rating_trend(adapter) == RatingTrend(1, 1, 0, 0, False)
    rate(store, other_model, None, 5, 5)
    early = rate(store, model_id, another, 2, 1)
    adapters.activate(model_id, adapter)
    adapters.activate(model_id, None)
    rate(store, model_id, None, 5, 5)
    adapters.activate(model_id, adapter)
    assert adapters.rating_trend(adapter) == RatingTrend(1, 1, 2, 1, False)
    late = datetime.now(UTC) + timedelta(days=1)
    with database.writing() as connection:
        connection.execute(
            update(messages).where(messages.c.id == early[0].id).values(created=late)
        )
    store.set_rating(early[1].id, None)
    assert adapters.rating_trend(adapter) == RatingTrend(1, 1, 0, 1, False)


@pytest.mark.parametrize(
    ("table", "chance"),
    [
        ((3, 1, 1, 3), 69 / 70),  # Fisher's tea: 1 + 16 + 36 + 16 of 70 ways
        ((1, 3, 3, 1), 17 / 70),
        ((0, 10, 10, 0), 1 / 184756),
        ((10, 0, 10, 0), 1.0),
        ((0, 10, 0, 10), 1.0),
    ],
)
def test_fishers_exact_test(table: tuple[int, int, int, int], chance: float) -> None:
    assert chance_of_so_few(*table) == pytest.approx(chance, rel=1e-12)
