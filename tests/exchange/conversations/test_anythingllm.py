from pathlib import Path

from chatdesk.core.chat import Rating
from tests.exchange.conversations.reading import read, said, shown, written

ROWS = [
    {
        "id": 1,
        "prompt": "树?",
        "response": "```js\nx\n```",
        "sent_at": "2026-01-02T03:04:05.000Z",
        "attachments": [
            {"type": "image", "name": "a.png", "image": "data:image/png;base64,iVBORw=="}
        ],
        "workspace": "Garden",
        "rating": "GOOD",
    },
    {"id": 2, "prompt": "More", "response": "Yes", "workspace": "Garden", "rating": "--"},
    {"id": 3, "prompt": "Hi", "response": "Ho", "workspace": "Work", "rating": "BAD"},
]


def test_a_workspace_is_a_chat(tmp_path: Path) -> None:
    found = read(written(tmp_path, ROWS))
    garden, work = found.chats
    assert found.format == "anythingllm"
    assert (garden.title, work.title) == ("Garden", "Work")
    assert shown(garden) == ["1 q", "1 a", "2 q", "2 a"]
    assert said(garden)["1 a"] == "```js\nx\n```"
    assert [message.rating for message in garden.messages] == [None, Rating.UP, None, None]
    assert garden.messages[0].files[0].open


def test_the_same_as_a_table_and_as_alpaca(tmp_path: Path) -> None:
    table = 'id,workspace,prompt,response,sent_at,username,rating\n1,Garden,树?,"a, b",,me,GOOD\n'
    (one,) = read(written(tmp_path, table, "a.csv")).chats
    assert said(one) == {"1 q": "树?", "1 a": "a, b"}
    asked = "[CONTEXT 0]:\nsecret\n[END CONTEXT 0]\n\nWhy?"
    alpaca = [{"instruction": asked, "input": "", "output": "So."}]
    (other,) = read(written(tmp_path, alpaca)).chats
    assert list(said(other).values()) == ["Why?", "So."] and other.id
