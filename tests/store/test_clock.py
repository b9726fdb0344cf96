"""Clocks that jump: order is what was written last, and nothing is purged or kept for it."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from chatdesk.core.chat import Role, now
from chatdesk.store import schema
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.trash_clock import AWAY_DAYS
from chatdesk.store.writers import is_alive, this_writer
from tests.clock import jumping_clock
from tests.store.conftest import stored

TRASH_KEPT = timedelta(days=30)
YEAR, DAY, HOUR = timedelta(days=365), timedelta(days=1), timedelta(hours=1)
SetClock = Callable[[timedelta], None]


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    return jumping_clock(monkeypatch)


def said(store: ConversationStore) -> str:
    conversation = store.create()
    store.add_message(conversation.id, None, Role.USER, "Hello")
    return conversation.id


def purge(store: ConversationStore) -> tuple[str, ...]:
    return store.purge(now() - TRASH_KEPT)


@pytest.mark.parametrize("jump", [-10 * YEAR, -HOUR, YEAR])
def test_chats_are_in_the_order_in_which_they_were_written(
    store: ConversationStore, set_clock: SetClock, jump: timedelta
) -> None:
    first, second = said(store), said(store)
    set_clock(jump)
    third = said(store)
    leaf = store.get(first).active_leaf_id
    for words in ("one", "two"):
        leaf = store.add_message(first, leaf, Role.USER, words).id
    set_clock(timedelta())
    fourth = said(store)
    assert [each.id for each in store.list()] == [fourth, first, third, second]
    assert [each.text for each in store.get(first).path()] == ["Hello", "one", "two"]
    moments = [each.updated for each in reversed(store.list())]
    assert all(before < after for before, after in pairwise(moments))


@pytest.mark.parametrize("jump", [-26 * YEAR, -HOUR, YEAR, 3 * YEAR])
def test_a_clock_that_is_put_right_purges_nothing(
    store: ConversationStore, set_clock: SetClock, jump: timedelta
) -> None:
    before = said(store)
    store.delete(before)
    set_clock(jump)
    assert purge(store) == ()
    deleted, talked = said(store), said(store)
    store.delete(deleted)
    message = store.get(talked).messages[0]
    store.hide([message.id], talked, None)
    set_clock(timedelta())
    assert purge(store) == ()
    trash = sorted(store.list(deleted=True), key=lambda chat: str(chat.deleted))
    assert {each.id for each in trash} == {before, deleted}
    assert abs(jump) < DAY or trash[-1].id == deleted
    assert store.get(talked).messages[0].text == "Hello"


@pytest.mark.parametrize("jump", [-26 * YEAR, timedelta(), 26 * YEAR])
def test_the_trash_is_purged_in_its_time_whatever_the_clock_said(
    store: ConversationStore, set_clock: SetClock, jump: timedelta
) -> None:
    set_clock(jump)
    deleted = said(store)
    store.delete(deleted)
    kept_days = 0
    set_clock(timedelta())
    while purge(store) != (deleted,):
        kept_days += 1
        set_clock(kept_days * DAY)
    assert TRASH_KEPT.days - AWAY_DAYS <= kept_days <= TRASH_KEPT.days


def test_time_without_the_app_counts_as_a_week(
    store: ConversationStore, set_clock: SetClock
) -> None:
    deleted = said(store)
    store.delete(deleted)
    for months in range(1, 5):
        set_clock(months * 90 * DAY)
        assert purge(store) == ()
    set_clock(5 * 90 * DAY)
    assert purge(store) == (deleted,)


def test_a_process_lives_though_the_clock_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = this_writer()
    if psutil.LINUX:  # where the start of the system is counted from the clock
        begin = psutil.boot_time()
        monkeypatch.setattr("psutil.boot_time", lambda: begin + 1e8)
        monkeypatch.setattr("psutil._pslinux.boot_time", lambda: begin + 1e8)
    this_writer.cache_clear()
    assert this_writer() == writer
    assert is_alive(writer)


def test_the_backup_of_now_is_kept_whatever_the_clock_says(path: Path, set_clock: SetClock) -> None:
    stored(path, "0001")
    for revision in ("0005", "0006", "0007"):
        other = path.with_name(f"{path.name}.backup-{revision}")
        other.touch()
    set_clock(-10 * YEAR)
    Database.open(path).close()
    backups = sorted(each.name.rpartition("-")[2] for each in path.parent.glob("*.backup-*"))
    assert backups == ["0001", "0006", "0007"]
    assert len(backups) == schema.BACKUPS_KEPT
