"""A conversation as a Markdown file: the branch that is shown, its thinking as quotes."""

import re

from chatdesk.core.chat import Conversation, Message
from chatdesk.core.i18n import tr
from chatdesk.core.parts import Attachment, Audio, Image, Part
from chatdesk.exchange.export.authors import author

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def markdown_file(conversation: Conversation) -> str:
    """Return the file. What a message leaves open, as a block of code, ends with the message."""
    parts = ["# " + (_line(conversation.title) or tr("Chat without a title"))]
    if conversation.system_prompt.strip():
        parts += ["## " + tr("System prompt"), closed(conversation.system_prompt.strip())]
    for message in conversation.path():
        parts += [f"## {_line(author(message))}", *_body(message)]
    return "\n\n".join(parts) + "\n"


def closed(markdown: str) -> str:
    """Return Markdown with a line that closes the block of code in which it ends, if it does.

    https://spec.commonmark.org/0.31.2/#fenced-code-blocks
    """
    fence = ""
    for line in markdown.splitlines():
        found = _FENCE.match(line)
        if found is None:
            continue
        marks, words = found[1], found[2]
        if not fence:
            fence = "" if marks[0] == "`" and "`" in words else marks
        elif marks[0] == fence[0] and len(marks) >= len(fence) and not words.strip():
            fence = ""
    return f"{markdown}\n{fence}" if fence else markdown


def _body(message: Message) -> list[str]:
    parts = []
    if thinking := message.thinking.strip():
        heading = tr("Thinking")
        parts.append(_quote(f"**{heading}**\n\n{thinking}"))
    if text := message.text.strip():
        parts.append(closed(text))
    return parts + [f"*[{name}]*" for each in message.parts if (name := file_words(each))]


def file_words(part: Part) -> str:
    """Return the name of the file that a part is, "" for other parts."""
    match part:
        case Image(name=name):
            return tr("picture: {name}", name=_line(name) or tr("without a name"))
        case Audio(name=name):
            return tr("sound: {name}", name=_line(name) or tr("without a name"))
        case Attachment(name=name):
            return tr("file: {name}", name=_line(name) or tr("without a name"))
    return ""


def _quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _line(text: str) -> str:
    return " ".join(text.split())
