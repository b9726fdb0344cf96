"""The turns of a chat in a body, as the words that a model reads."""

from collections.abc import Sequence
from typing import Any

import msgspec

from chatdesk.core.generation import PromptMessage
from chatdesk.core.i18n import tr
from chatdesk.server.errors import bad_request

_TEXTS = ("text", "input_text", "output_text")
_IMAGES = ("image_url", "input_image", "image")


class ContentPart(msgspec.Struct):
    """A part of a message's content; only text is supported."""

    type: str = "text"
    text: str | None = None
    refusal: str | None = None


class FunctionCall(msgspec.Struct):
    """What an assistant called, and with which arguments (JSON, or its text)."""

    name: str = ""
    arguments: Any = None


class EarlierCall(msgspec.Struct):
    """A call in an earlier turn."""

    id: str | None = None
    function: FunctionCall | None = None


Content = str | list[str | ContentPart] | ContentPart | None


class ChatMessage(msgspec.Struct):
    """One turn of a chat."""

    role: str
    content: Content = None
    reasoning_content: str | None = None
    name: str | None = None
    tool_calls: list[EarlierCall] | None = None
    tool_call_id: str | None = None
    function_call: FunctionCall | None = None


def prompt_messages(messages: Sequence[ChatMessage]) -> tuple[PromptMessage, ...]:
    """Return the turns. Those of tools are told in words. Raises `ApiError`."""
    if not messages:
        raise bad_request(tr("There is no message."), "messages")
    names = {
        call.id: call.function.name
        for message in messages
        for call in message.tool_calls or ()
        if call.id and call.function
    }
    return tuple(
        _prompt_message(f"messages[{index}]", message, names)
        for index, message in enumerate(messages)
    )


def _prompt_message(place: str, message: ChatMessage, names: dict[str, str]) -> PromptMessage:
    text = text_of(message.content, f"{place}.content")
    match message.role:
        case "system" | "developer":
            return PromptMessage("system", text)
        case "user":
            return PromptMessage("user", text)
        case "assistant":
            words = "\n".join(filter(None, (text, *_calls(message))))
            return PromptMessage("assistant", words, message.reasoning_content or "")
        case "tool" | "function":
            name = message.name or names.get(message.tool_call_id or "", "")
            return PromptMessage("user", result_words(name, text))
    raise bad_request(
        tr("The role must be system, developer, user, assistant or tool."), f"{place}.role"
    )


def _calls(message: ChatMessage) -> list[str]:
    calls = [call.function for call in message.tool_calls or () if call.function]
    if message.function_call:
        calls.append(message.function_call)
    return [call_words(call.name, call.arguments) for call in calls]


def call_words(name: str, arguments: object) -> str:
    """Return a tool's call as words in a history."""
    written = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
    return f"[Called the tool {name} with {written}]"


def result_words(name: str, text: str) -> str:
    """Return a tool's result as words in a history."""
    return f"[Result of the tool {name}]\n{text}" if name else f"[Result of the tool]\n{text}"


def text_of(content: Content, place: str) -> str:
    """Return the text of a content: its parts, a line each. Raises `ApiError` for other parts."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, ContentPart):
        return _part(content, place)
    parts = (_part(part, f"{place}[{index}]") for index, part in enumerate(content))
    return "\n".join(filter(None, parts))


def _part(part: str | ContentPart, place: str) -> str:
    if isinstance(part, str):
        return part
    if part.type in _IMAGES:
        raise bad_request(tr("This model reads text only, no images."), place)
    if part.type == "refusal" and part.refusal is not None:
        return part.refusal
    if part.type not in _TEXTS or part.text is None:
        raise bad_request(tr("This model reads text only."), place)
    return part.text
