"""What the chat templates of public models are made of, each with what it renders.

The constructs are those of some hundred templates of the hub; the texts are our own. Where the
transformers library is installed its `apply_chat_template` must render the same.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.generation import PromptMessage
from chatdesk.inference.prompt.template import ChatTemplate
from tests.inference.engine_process import turns

BOS, EOS = "<s>", "</s>"
CASES: list[dict[str, str]] = json.loads(
    Path(__file__).with_name("template_cases.json").read_text("utf-8")
)
HI, HELLO, BYE = turns("Hi", "Hello.", "Bye?")
CHATS = {
    "plain": [HI, HELLO, BYE],
    "system": [PromptMessage("system", "Be brief."), HI, HELLO, BYE],
    "thought": [HI, PromptMessage("assistant", "Hello.", thinking="Hm."), BYE],
    "marked": [HI, PromptMessage("assistant", "<think>\nHm.\n</think>\n\nHello."), BYE],
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_template_renders_as_its_author_meant(case: dict[str, str]) -> None:
    template = ChatTemplate(case["template"], BOS, EOS)
    assert template.notice is None, template.problem
    assert template.render(CHATS[case["chat"]]) == case["renders"]


def test_the_transformers_library_renders_the_same() -> None:
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    empty = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0}, unk_token="a"))
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=empty, bos_token=BOS, eos_token=EOS
    )
    for case in CASES:
        wants_parts = ChatTemplate(case["template"], BOS, EOS).in_parts
        messages = [_message(each, wants_parts) for each in CHATS[case["chat"]]]
        rendered = tokenizer.apply_chat_template(
            messages, chat_template=case["template"], tokenize=False, add_generation_prompt=True
        )
        assert rendered == case["renders"], case["name"]


def _message(turn: PromptMessage, wants_parts: frozenset[str]) -> dict[str, Any]:
    parts = [{"type": "text", "text": turn.content}]
    thinking = {"reasoning_content": turn.thinking} if turn.thinking else {}
    content = parts if turn.role in wants_parts else turn.content
    return {"role": turn.role, "content": content, **thinking}
