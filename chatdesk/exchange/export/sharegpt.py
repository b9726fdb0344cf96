"""A conversation as a line of ShareGPT's JSON, which other trainers read."""

import json

from chatdesk.core.chat import Conversation, Role

_FROM = {Role.SYSTEM: "system", Role.USER: "human", Role.ASSISTANT: "gpt"}


def sharegpt_line(conversation: Conversation) -> str:
    """Return the branch that is shown, without thinking; a line end is at its end."""
    turns = []
    if prompt := conversation.system_prompt.strip():
        turns.append({"from": "system", "value": prompt})
    turns += [
        {"from": _FROM[message.role], "value": message.text}
        for message in conversation.path()
        if message.text.strip()
    ]
    line = {"id": conversation.id, "title": conversation.title, "conversations": turns}
    return json.dumps(line, ensure_ascii=False) + "\n"
