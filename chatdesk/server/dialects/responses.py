"""OpenAI's Responses: /v1/responses, of which nothing is kept."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from chatdesk.core.generation import Generate, PromptMessage, ThinkingDelta
from chatdesk.core.i18n import tr
from chatdesk.core.sampling import SamplingParams
from chatdesk.server.bodies.completions import ChatBody
from chatdesk.server.bodies.reading import Whole, converted
from chatdesk.server.errors import ApiError, bad_request
from chatdesk.server.wording.base import Delta, Document, Wording, WrittenAnswer, is_cut, stats_of


class TextOptions(msgspec.Struct):
    """The wanted shape of the text."""

    format: dict[str, Any] | None = None


class ResponsesBody(msgspec.Struct, kw_only=True):
    """The body of /v1/responses."""

    input: str | list[dict[str, Any]]
    model: str | None = None
    instructions: str | None = None
    max_output_tokens: Whole | None = None
    temperature: float | None = None
    top_p: float | None = None
    stream: bool | None = None
    text: TextOptions | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None
    previous_response_id: str | None = None
    conversation: Any = None
    background: bool | None = None
    reasoning: dict[str, Any] | None = None

    def requests(self, new_id: Callable[[], str], defaults: SamplingParams) -> list[Generate]:
        """The request to the engine. Raises `ApiError`."""
        for name in ("previous_response_id", "conversation", "background"):
            if getattr(self, name):
                message = tr("Nothing is kept here; send the whole conversation as “input”.")
                raise bad_request(message, name)
        try:
            (asked,) = self._chat().requests(new_id, defaults)
        except ApiError as error:
            error.param = self._place(error.param)
            raise
        if not self.instructions:
            return [asked]
        head = PromptMessage("system", self.instructions)
        return [replace(asked, messages=(head, *asked.messages))]

    def wording(self, request_id: str, model: str) -> Wording:
        """Return the format of the answer."""
        return ResponseWording(request_id, model)

    @property
    def _items(self) -> dict[int, dict[str, Any]]:
        """The items that are messages of a chat, by their place; old reasoning is not read."""
        if isinstance(self.input, str):
            return {0: {"role": "user", "content": self.input}}
        return {n: item for n, item in enumerate(self.input) if item.get("type") != "reasoning"}

    def _place(self, param: str | None) -> str | None:
        """Return the field that is to blame, by the place that the client knows."""
        found = re.match(r"messages\[(\d+)\]", param or "")
        if not found or not param:
            return "input" if param == "messages" else param
        return f"input[{list(self._items)[int(found[1])]}]{param[found.end() :]}"

    def _chat(self) -> ChatBody:
        chat: ChatBody = converted(
            {
                "messages": list(map(_message, self._items.values())),
                "max_tokens": self.max_output_tokens,
                "temperature": self.temperature,
                "top_p": self.top_p,
                "tools": self.tools,
                "tool_choice": self.tool_choice,
                "response_format": _response_format(self.text),
                "reasoning_effort": (self.reasoning or {}).get("effort"),
            },
            ChatBody,
        )
        return chat


def _message(item: dict[str, Any]) -> Document:
    """Return an item of the input as a message of a chat."""
    match item.get("type", "message"):
        case "function_call":
            function = {"name": item.get("name", ""), "arguments": item.get("arguments")}
            call = {"id": item.get("call_id"), "function": function}
            return {"role": "assistant", "tool_calls": [call]}
        case "function_call_output":
            return {
                "role": "tool",
                "tool_call_id": item.get("call_id"),
                "content": item.get("output"),
            }
        case _:
            return item


def _response_format(text: TextOptions | None) -> Document | None:
    """Return the format of a chat: there the schema stands one level deeper."""
    wanted = text.format if text else None
    if wanted and wanted.get("type") == "json_schema":
        return {"type": "json_schema", "json_schema": {"schema": wanted.get("schema")}}
    return wanted


class ResponseWording(Wording):
    """The format of /v1/responses: items of reasoning and of a message."""

    def __init__(self, request_id: str, model: str) -> None:
        super().__init__(request_id, model)
        self._sent = 0
        self._items: list[Document] = []  # the last one is open
        self._text = ""  # of the open item

    def opening(self) -> list[Document]:
        """Return the events before the text."""
        response = self._response([], "in_progress")
        return [
            self._event("response.created", response=response),
            self._event("response.in_progress", response=response),
        ]

    def chunk(self, index: int, delta: Delta) -> list[Document]:
        """Return a piece, and the beginning of its item."""
        kind = "reasoning" if isinstance(delta, ThinkingDelta) else "message"
        begin = [] if self._kind == kind else [*self._end_item(), *self._begin_item(kind)]
        self._text += delta.text
        return [*begin, self._on_part("delta", delta=delta.text)]

    def closing(self, index: int, answer: WrittenAnswer) -> list[Document]:
        """Return the end of the last item, and the whole response."""
        begin = [] if self._kind == "message" else [*self._end_item(), *self._begin_item("message")]
        end = [*begin, *self._end_item()]
        response = self._finished(answer)
        return [*end, self._event(f"response.{response['status']}", response=response)]

    def whole(self, answers: Sequence[WrittenAnswer]) -> Document:
        """Return the response."""
        (answer,) = answers
        return self._finished(answer)

    def failure(self, error: ApiError) -> Document:
        """Return an error as an event."""
        return self._event("error", code=error.code, message=error.message, param=error.param)

    # Parts

    @property
    def _kind(self) -> str:
        return str(self._items[-1]["type"]) if self._items else ""

    def _event(self, name: str, **fields: Any) -> Document:
        self._sent += 1
        return {"type": name, "sequence_number": self._sent - 1, **fields}

    def _on_part(self, what: str, **fields: Any) -> Document:
        kind = "reasoning_text" if self._kind == "reasoning" else "output_text"
        if kind == "output_text":
            fields["logprobs"] = []
        return self._at(f"response.{kind}.{what}", content_index=0, **fields)

    def _at(self, name: str, **fields: Any) -> Document:
        item = self._items[-1]["id"]
        return self._event(name, item_id=item, output_index=len(self._items) - 1, **fields)

    def _begin_item(self, kind: str) -> list[Document]:
        item = self._item(kind, "", "in_progress")
        (part,) = item["content"]
        item["content"] = []
        self._items.append(item)
        self._text = ""
        place = len(self._items) - 1
        added = self._event("response.output_item.added", output_index=place, item=item)
        return [added, self._at("response.content_part.added", content_index=0, part=part)]

    def _end_item(self) -> list[Document]:
        if not self._items:
            return []
        item = self._item(self._kind, self._text, "completed")
        (part,) = item["content"]
        place = len(self._items) - 1
        return [
            self._on_part("done", text=self._text),
            self._at("response.content_part.done", content_index=0, part=part),
            self._event("response.output_item.done", output_index=place, item=item),
        ]

    def _item(self, kind: str, text: str, status: str) -> Document:
        if kind == "reasoning":
            content: list[Document] = [{"type": "reasoning_text", "text": text}]
            return {"id": f"rs_{self.id}", "type": kind, "summary": [], "content": content}
        content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
        return {
            "id": f"msg_{self.id}",
            "type": kind,
            "status": status,
            "role": "assistant",
            "content": content,
        }

    def _finished(self, answer: WrittenAnswer) -> Document:
        status = "incomplete" if is_cut(answer) else "completed"
        thought = [self._item("reasoning", answer.thinking, status)] if answer.thinking else []
        response = self._response([*thought, self._item("message", answer.text, status)], status)
        if is_cut(answer):
            response["incomplete_details"] = {"reason": "max_output_tokens"}
        stats = stats_of(answer)
        response["usage"] = {
            "input_tokens": stats.prompt_tokens,
            "input_tokens_details": {"cached_tokens": stats.cached_tokens, "cache_write_tokens": 0},
            "output_tokens": stats.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": answer.thinking_tokens},
            "total_tokens": stats.prompt_tokens + stats.completion_tokens,
        }
        return response

    def _response(self, output: list[Document], status: str) -> Document:
        return {
            "id": f"resp_{self.id}",
            "object": "response",
            "created_at": self.created,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "model": self.model,
            "output": output,
            "parallel_tool_calls": False,
            "previous_response_id": None,
            "store": False,
            "temperature": None,
            "tool_choice": "none",
            "tools": [],
            "top_p": None,
            "usage": None,
        }
