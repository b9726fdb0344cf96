"""`chatdesk bench store`: list, search and open in a decade's chats, a third of them Chinese.

The baseline keeps one JSON file per conversation, as other apps do, and looks through all of them.
`--quick` makes a hundredth of it, to try the bench itself.
"""

import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.report import percentile, print_report
from chatdesk.core.chat import AnswerRecord, MessageState, Role
from chatdesk.core.search import parse
from chatdesk.services.history.search import SearchService
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.search import SearchStore

CONVERSATIONS, MESSAGES = 10_000, 1_000_000
LONG = 5_000  # messages of the first conversation
SENTENCES = 20_000  # of each language, which the messages are made of
WORDS, SIGNS = 20_000, 3_000
BEGIN = datetime(2016, 1, 1, tzinfo=UTC)
REPEATS, BASELINE_REPEATS = 7, 3
ANSWER_S, SAVE_EVERY_S = 30.0, 0.2
LIMITS = {
    "list_s": 0.15,
    "search_p95_s": 0.05,
    "open_s": 0.1,
    "stream_write_share": 0.02,
    "index_share": 1.5,
}


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is."""

    conversations: int
    messages: int
    long: int


class Language:
    """Sentences of words that are as frequent as in a real language, the n-th like 1/n."""

    def __init__(self, words: list[str], blank: str, chance: random.Random) -> None:
        self.words = words
        weights = [1 / (at + 1) for at in range(len(words))]
        stream = chance.choices(words, weights, k=SENTENCES * 12)
        self._sentences = [blank.join(stream[at : at + 12]) for at in range(0, len(stream), 12)]
        self._end = f".{blank}" if blank else "。"

    def text(self, chance: random.Random, sentences: int) -> str:
        """So many sentences."""
        return self._end.join(chance.choices(self._sentences, k=sentences))

    def phrase(self, chance: random.Random, words: int, blank: str) -> str:
        """Some words as they follow one another somewhere."""
        sentence = chance.choice(self._sentences)
        found = sentence.split(blank) if blank else list(sentence)
        at = chance.randrange(len(found) - words)
        return blank.join(found[at : at + words])


def main() -> None:
    """Make the data, measure, print."""
    is_quick = "--quick" in sys.argv
    size = Size(100, 10_000, 1_000) if is_quick else Size(CONVERSATIONS, MESSAGES, LONG)
    chance = random.Random(7)
    english, chinese = _languages(chance)
    with tempfile.TemporaryDirectory(prefix="chatdesk-bench-", ignore_cleanup_errors=True) as home:
        path, folder = Path(home, "chatdesk.db"), Path(home, "files")
        folder.mkdir()
        _notify("chats are made")
        database = Database.open(path)
        text_bytes = _make(path, folder, size, chance, english, chinese)
        _notify("chats are indexed")
        search = SearchService(SearchStore(database))
        began = time.monotonic()
        search.keep_up()
        figures: dict[str, float] = {"index_s": time.monotonic() - began}
        _notify("measured")
        store = ConversationStore(database)
        queries = list(_queries(chance, english, chinese))
        figures |= _search(search, queries)
        figures["list_s"] = _seconds(store.list, REPEATS)
        figures["open_s"] = _seconds(lambda: store.get(_chat_id(0)), REPEATS)
        figures["stream_write_share"] = _stream(store, english, chance)
        database.close()
        figures["text_bytes"] = float(text_bytes)
        figures["index_share"] = _index_bytes(path) / text_bytes
        baseline = _baseline(folder, [words for words, _ in queries])
    ratios = {
        "list": figures["list_s"] / baseline["list_s"],
        "search": figures["search_p95_s"] / baseline["search_p95_s"],
        "open": figures["open_s"] / baseline["open_s"],
    }
    print_report("store", figures, baseline, ratios, LIMITS)


def _languages(chance: random.Random) -> tuple[Language, Language]:
    syllables = [
        a + b for a in "bdfgklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er", "is")
    ]
    words = ["the", "of", "and"]
    words += {"".join(chance.choices(syllables, k=chance.randrange(1, 5))) for _ in range(WORDS)}
    return Language(words, " ", chance), Language(
        [chr(0x4E00 + at) for at in range(SIGNS)], "", chance
    )


def _chat_id(at: int) -> str:
    return f"{at:016x}"


def _make(
    path: Path,
    folder: Path,
    size: Size,
    chance: random.Random,
    english: Language,
    chinese: Language,
) -> int:
    """Write the chats into the database and into a file each; return how many bytes they say."""
    said = 0
    usual = (size.messages - size.long) // (size.conversations - 1)
    columns = "id, title, title_source, system_prompt, active_leaf_id, created, updated"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for at in range(size.conversations):
            chat, language = _chat_id(at), chinese if at % 3 == 1 else english
            moment = BEGIN + timedelta(hours=8 * at)
            count = usual if at else size.long
            texts = [language.text(chance, 12 if n % 2 else 2) for n in range(count)]
            said += sum(len(each.encode()) for each in texts)
            rows = [
                (
                    f"{at:08x}{n:08x}",
                    chat,
                    f"{at:08x}{n - 1:08x}" if n else None,
                    n,
                    "assistant" if n % 2 else "user",
                    "complete",
                    str((moment + timedelta(minutes=n)).replace(tzinfo=None)),
                    each,
                )
                for n, each in enumerate(texts)
            ]
            title, begin = texts[0][:40], str(moment.replace(tzinfo=None))
            leaf = rows[-1][0]
            connection.execute("BEGIN")
            connection.execute(
                f"INSERT INTO conversations ({columns}) VALUES (?, ?, 'model', '', ?, ?, ?)",
                (chat, title, leaf, begin, begin),
            )
            connection.executemany(
                "INSERT INTO messages (id, conversation_id, parent_id, position, role, state, "
                "created, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            connection.execute("INSERT INTO search_queue VALUES (?)", (chat,))
            connection.execute("COMMIT")
            messages = [{"role": row[4], "created": row[6], "content": row[7]} for row in rows]
            document = {"id": chat, "title": title, "updated": begin, "messages": messages}
            file = folder / f"{chat}.json"
            file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return said


def _queries(
    chance: random.Random, english: Language, chinese: Language
) -> Iterator[tuple[str, str]]:
    """Yield what is typed, and of what kind it is."""
    common = english.words[0]
    yield from (
        (common, "common"),
        (f"{common} ", "common"),
        (f"{common} {english.words[1]}", "common"),
    )
    yield from (
        (chinese.words[0] * 2, "chinese"),
        (chinese.words[0], "letter"),
        (common[0], "letter"),
    )
    for _ in range(20):
        yield chinese.phrase(chance, 2, ""), "chinese"
        yield chinese.phrase(chance, 4, ""), "chinese"
        yield f'"{english.phrase(chance, 3, " ")}"', "phrase"
        yield chance.choice(english.words)[:3], "prefix"
        yield chance.choice(english.words)[:5], "prefix"
        yield english.phrase(chance, 2, " "), "words"


def _search(search: SearchService, queries: list[tuple[str, str]]) -> dict[str, float]:
    """Return the p95 of all, and of each kind."""
    times: dict[str, list[float]] = {}
    for words, kind in queries:
        seconds = _seconds(partial(search.find, parse(words, typing=True)), 3)
        times.setdefault(kind, []).append(seconds)
    everything = [each for some in times.values() for each in some]
    figures = {"search_p95_s": percentile(everything, 0.95), "search_max_s": max(everything)}
    return figures | {
        f"search_{kind}_p95_s": percentile(some, 0.95) for kind, some in times.items()
    }


def _stream(store: ConversationStore, language: Language, chance: random.Random) -> float:
    """Return the share of an answer's time that goes into writing it."""
    chat = store.create(title="Stream").id
    text = language.text(chance, 80)
    steps = int(ANSWER_S / SAVE_EVERY_S)
    began = time.monotonic()
    answer = store.add_message(
        chat, None, Role.ASSISTANT, "", state=MessageState.STREAMING, answer=AnswerRecord()
    )
    for step in range(steps):
        store.write_text(answer.id, text[: len(text) * step // steps])
    store.write_text(answer.id, text, MessageState.STOPPED)
    return (time.monotonic() - began) / ANSWER_S


def _index_bytes(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT SUM(LENGTH(block)) FROM search_index_data"
        (blocks,) = connection.execute(query).fetchone()
        (rows,) = connection.execute("SELECT COUNT(*) FROM search_rows").fetchone()
    return int(blocks) + 75 * int(rows)  # of a row's number and ids, and the index of these


def _baseline(folder: Path, queries: list[str]) -> dict[str, float]:
    def every() -> Iterator[dict[str, object]]:
        for file in folder.iterdir():
            yield json.loads(file.read_bytes())

    def find(words: str) -> int:
        wanted = words.strip().strip('"').lower().encode()
        return sum(wanted in file.read_bytes().lower() for file in folder.iterdir())

    times = [_seconds(partial(find, words), 1) for words in queries[:6]]
    longest = folder / f"{_chat_id(0)}.json"
    return {
        "list_s": _seconds(lambda: sorted(str(each["updated"]) for each in every()), 1),
        "search_p95_s": percentile(times, 0.95),
        "open_s": _seconds(lambda: json.loads(longest.read_bytes()), BASELINE_REPEATS),
    }


def _seconds(do: Callable[[], object], repeats: int) -> float:
    """Return the median time."""
    times: list[float] = []
    for _ in range(repeats):
        began = time.monotonic()
        do()
        times.append(time.monotonic() - began)
    return statistics.median(times)


def _notify(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
