from pathlib import Path
from typing import Any

from tests.exchange.conversations.reading import parents, read, said, written


def response(response_id: str, sender: str, said: str, **others: Any) -> dict[str, Any]:
    return {"response": {"_id": response_id, "sender": sender, "message": said} | others}


def test_conversations_with_their_responses(tmp_path: Path) -> None:
    moment = {"$date": {"$numberLong": "1700000000000"}}
    traces = [{"thinking_trace": "Hm"}]
    export = {
        "conversations": [
            {
                "conversation": {"id": "g1", "title": "Grok 树", "create_time": moment},
                "responses": [
                    response("q", "human", "?"),
                    response("a", "assistant", "`x`", model="grok-4", agent_thinking_traces=traces),
                    response("b", "ASSISTANT", "Other", parent_response_id="q"),
                ],
            }
        ]
    }
    found = read(written(tmp_path, export, "prod-grok-backend.json"))
    (one,) = found.chats
    assert (found.format, one.title) == ("grok", "Grok 树")
    assert parents(one) == {"q": None, "a": "q", "b": "q"}
    assert said(one)["a"] == "`x`"
    assert (one.messages[1].thinking, one.messages[1].model) == ("Hm", "grok-4")
    assert one.created and one.created.timestamp() == 1.7e9
