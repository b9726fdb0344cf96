"""Search finds what was typed, literally; never an error, never a silent nothing."""

import random
import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from chatdesk.core.chat import AnswerRecord, MessageState, Role, TitleSource, now
from chatdesk.core.folding import composed, folded
from chatdesk.core.parts import Attachment, Text, plain
from chatdesk.core.search import MATCH_BEGINS, MATCH_ENDS, Found, beginning, parse
from chatdesk.services.history import search as search_module
from chatdesk.services.history.search import SearchService
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.projects import ProjectStore
from chatdesk.store.search import SearchStore

LITERAL = {
    "don't": "I don't know",
    "don’t": "I don't know",
    "INV-204": "about INV-204 now",
    "a/b.py": "look into a/b.py, please",
    "C++": "C++ or Rust",
    "C#": "not C# again",
    "why?": "but why?",
    "50%": "take 50% of it",
    '"quoted': 'so "quoted it was',
    '"quoted it"': 'so "quoted it was',
    "AND": "this AND that",
    "NOT": "do NOT",
    "NEAR(a b)": "NEAR(a b) is a command",
    "col:val": "a col:val pair",
    "user@host": "ssh user@host",
    "#tag": "with #tag in it",
    "[x]": "- [x] done",
    "*": "2 * 3",
    "-": "a - b",
    "->": "f -> g",
    "秋天的雨": "我喜欢秋天的雨，很安静",
    "的雨": "我喜欢秋天的雨，很安静",
    "雨": "我喜欢秋天的雨，很安静",
    "x7": "运行build-x7后",
    "Straße": "die STRASSE hier",
    "STRASSE": "die Straße hier",
    "e\u0301te\u0301": "l'été",
    "été": "l'e\u0301te\u0301",
    "İstanbul": "to istanbul",
    "istanbul": "to İstanbul",
    "שלום": "שָׁלוֹם לך",
    "🙂": "well 🙂 done",
    "q": "the letter q alone",
    "z" * 10_000: "z" * 10_000,
    "ไทย": "ภาษาไทยง่าย",
    "한국": "나는 한국어를",
    "snake_case": "a snake_case name",
    '""': 'the empty "" here',
    "it's 5 o'clock": "maybe it's 5 o'clock",
    "after:junk": "it says after:junk there",
    "has:legs": "has:legs",
}


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database.in_memory()
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> ConversationStore:
    return ConversationStore(database)


@pytest.fixture
def search(database: Database) -> SearchService:
    return SearchService(SearchStore(database))


def said(store: ConversationStore, *texts: str, title: str = "") -> str:
    chat = store.create(title=title).id
    for text in texts:
        store.add_message(chat, None, Role.USER, text)
    return chat


def snippets(found: Found) -> list[str]:
    return [re.sub(f"[{MATCH_BEGINS}{MATCH_ENDS}]", "", hit.snippet) for hit in found.hits]


def test_everything_is_found_as_it_is_typed(
    store: ConversationStore, search: SearchService
) -> None:
    chat = said(store, *dict.fromkeys(LITERAL.values()), "filler")
    for words, text in LITERAL.items():
        for typing in (False, True):
            found = search.find(parse(words, typing=typing))
            assert composed(text)[:150] in {each[:150] for each in snippets(found)}, words
            assert "filler" not in snippets(found)
            assert all(MATCH_BEGINS in hit.snippet for hit in found.hits), words
    store.delete(chat)
    assert not any(search.find(parse(words)).hits for words in LITERAL)
    store.restore(chat)
    assert all(search.find(parse(words)).hits for words in LITERAL)


def test_words_that_are_written_otherwise_are_not_found(
    store: ConversationStore, search: SearchService
) -> None:
    said(store, "a plus b", "INV 204", "c language", "dont", "50 percent", "user host")
    for words in ("a/b", "INV-204", "C++", "don't", "50%", "user@host", "plu", '"b a"'):
        assert not search.find(parse(words)).hits, words


def test_blanks_and_nothing_ask_nothing(search: SearchService) -> None:
    assert search.find(parse("  \t")) == search.find(parse("")) == Found()


@pytest.mark.parametrize("seed", range(3))
def test_any_letters_are_no_error(
    store: ConversationStore, search: SearchService, seed: int
) -> None:
    signs = "ab秋天雨 \"'-*:()[]^+#%@&$!?.,/\\~éß🙂\0\u0002\u200b\ud800in:model:has:before:2024-13"
    chance = random.Random(seed)
    said(store, "ab 秋天 ab")
    for _ in range(150):
        words = "".join(chance.choices(signs, k=chance.randrange(1, 12)))
        search.find(parse(words, typing=chance.random() < 0.5))


@pytest.mark.parametrize("seed", range(3))
def test_the_index_finds_what_looking_into_every_text_finds(
    store: ConversationStore, search: SearchService, seed: int
) -> None:
    chance = random.Random(seed)
    letters = "ab秋天 雨-+.é'7"
    texts = ["".join(chance.choices(letters, k=chance.randrange(1, 25))) for _ in range(80)]
    texts = [each for each in texts if each.strip()]
    said(store, *texts)
    for _ in range(120):
        words = "".join(chance.choices(letters, k=chance.randrange(1, 6)))
        query = parse(words, typing=chance.random() < 0.5)
        if query.is_empty:
            continue
        expected = [
            text
            for text in texts
            if all(each.pattern.search(folded(text)) for each in query.terms)
            and not any(each.pattern.search(folded(text)) for each in query.excluded)
        ]
        assert len(search.find(query, limit=1000).hits) == len(expected), words


def test_phrases_prefixes_and_excluded_words(
    store: ConversationStore, search: SearchService
) -> None:
    said(store, "the winter bud", "a bud in winter", "winters are long", "**winter** bud, frost")
    assert snippets(search.find(parse('"winter bud" -frost'))) == ["the winter bud"]
    assert len(search.find(parse("winter bud")).hits) == 3
    assert len(search.find(parse("win*")).hits) == 4
    assert len(search.find(parse("winter", typing=True)).hits) == 4
    assert len(search.find(parse("winter ", typing=True)).hits) == 3
    assert snippets(search.find(parse("-bud"))) == ["winters are long"]


def test_titles_whole_words_and_words_that_are_near_come_first(
    store: ConversationStore, search: SearchService
) -> None:
    far = "winter " + "x " * 200 + "bud"
    said(store, "winter bud", far, title="Other")
    said(store, "no", title="Winter buds and a bud")
    said(store, "winter budding")
    hits = search.find(parse("winter bud", typing=True)).hits
    assert hits[0].message_id is None
    assert hits[0].title == "\2Winter\3 \2bud\3s and a \2bud\3"
    assert [hit.snippet for hit in hits[1:]] == [
        "\2winter\3 \2bud\3",
        hits[2].snippet,
        "\2winter\3 \2bud\3ding",
    ]


def test_filters(database: Database, store: ConversationStore, search: SearchService) -> None:
    chat = said(store, "tea for me", "```tea```")
    file = Attachment("ab" * 32, "text/plain", "leaves.txt", 3)
    store.add_message(chat, None, Role.USER, (*plain("tea here"), file))
    record = AnswerRecord(model_name="Qwen2.5 Coder")
    state = MessageState.STOPPED
    answer = store.add_message(chat, None, Role.ASSISTANT, "tea answer", state=state, answer=record)
    garden = ProjectStore(database).create("Garden book")
    other = said(store, "tea outside")
    store.set_project([other], garden.id)
    finds = {
        "tea role:assistant": ["tea answer"],
        "tea model:coder": ["tea answer"],
        "tea model:Qwen2.5": ["tea answer"],
        "tea has:code": ["tea"],
        "has:attachment": ["tea here"],
        "leaves": ["tea here leaves.txt"],
        'tea in:"garden book"': ["tea outside"],
        "in:Garden": ["tea outside"],
        "tea before:2020": [],
        "tea after:2020 model:coder": ["tea answer"],
        "tea model:coder -answer": [],
    }
    for words, expected in finds.items():
        assert snippets(search.find(parse(words))) == expected, words
    unknown = search.find(parse("tea in:kitchen"))
    assert (unknown.hits, unknown.unknown_project) == ((), "kitchen")
    (hit,) = search.find(parse("tea model:coder")).hits
    assert (hit.role, hit.model, hit.message_id) == (Role.ASSISTANT, "Qwen2.5 Coder", answer.id)
    assert search.find(parse(f"tea before:{now() + timedelta(days=400):%Y-%m-%d}")).hits


def test_a_date_is_a_day_a_month_or_a_year() -> None:
    assert str(beginning("2024-05")).startswith("2024-05-01 00:00:00")
    assert str(beginning("2024")).startswith("2024-01-01 00:00:00")
    assert beginning("2024-02-30") is None
    assert beginning("yesterday") is None
    assert beginning("0000") is None


def test_thinking_and_new_words_are_found_and_old_ones_not(
    store: ConversationStore, search: SearchService
) -> None:
    chat = store.create().id
    answer = store.add_message(
        chat,
        None,
        Role.ASSISTANT,
        "",
        state=MessageState.STREAMING,
        answer=AnswerRecord(),
    )
    store.write_text(answer.id, "half", thinking="pondering")
    assert not search.find(parse("half")).hits
    store.write_text(answer.id, "whole words", MessageState.STOPPED)
    (hit,) = search.find(parse("pondering")).hits
    assert hit.is_thinking
    (hit,) = search.find(parse("whole")).hits
    assert not hit.is_thinking
    store.rename(chat, "Old title", TitleSource.MODEL)
    store.rename(chat, "New title", TitleSource.USER)
    assert not search.find(parse("old")).hits
    assert search.find(parse("title")).hits[0].title == "New \2title\3"


def test_deleted_messages_are_not_found_until_they_are_back(
    store: ConversationStore, search: SearchService
) -> None:
    chat = store.create().id
    message = store.add_message(chat, None, Role.USER, "a secret")
    store.hide([message.id], chat, None)
    assert not search.find(parse("secret")).hits
    store.unhide([message.id], chat, None)
    assert search.find(parse("secret")).hits


def test_a_search_that_takes_too_long_says_how_far_it_came(
    store: ConversationStore, search: SearchService
) -> None:
    said(store, *(f"word {at}" for at in range(200)))
    found = search.find(parse("~"), patience_s=-1)
    assert (found.hits, found.back_to is not None) == ((), True)
    assert search.find(parse("~")).back_to is None


def test_a_cancelled_search_ends(store: ConversationStore, search: SearchService) -> None:
    said(store, *(f"word {at}" for at in range(200)))
    is_cancelled = threading.Event()
    is_cancelled.set()
    assert len(search.find(parse("~ -x"), is_cancelled=is_cancelled.is_set).hits) == 0
    assert len(search.find(parse("word")).hits) == 60  # the connection goes on


def test_more_than_are_shown(
    store: ConversationStore, search: SearchService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "MOST", 10)
    said(store, *(f"word {at}" for at in range(30)))
    found = search.find(parse("word"))
    assert (len(found.hits), found.has_more, found.conversations) == (10, True, 1)
    assert found.hits[0].snippet == "\2word\3 29"


def test_a_very_long_message_is_found(store: ConversationStore, search: SearchService) -> None:
    said(store, "needle " + "hay " * 300_000 + "thorn")
    assert search.find(parse("needle")).hits[0].snippet.startswith("\2needle\3 hay")
    assert search.find(parse("thorn")).hits


def test_marks_in_a_text_are_no_matches(store: ConversationStore, search: SearchService) -> None:
    chat = store.create().id
    store.add_message(chat, None, Role.USER, (Text("one \2two\3 three\0 four"),))
    (hit,) = search.find(parse("four")).hits
    assert hit.snippet == "one two three \2four\3"
