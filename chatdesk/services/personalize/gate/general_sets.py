"""The general questions that ship with the app, which a model must still answer as before.

One set is for measuring; the other, on other topics, is mixed into the training with the base's own
answers.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import msgspec

from chatdesk.core.generation import PromptMessage
from chatdesk.core.paths import assets_dir


class GeneralKind(StrEnum):
    """The subject of a general question."""

    FACT = "fact"
    CODE = "code"
    REASONING = "reasoning"
    REFUSAL = "refusal"  # requests that a good assistant declines
    CHAT = "chat"
    TRANSLATION = "translation"
    WRITING = "writing"


@dataclass(frozen=True, slots=True)
class GeneralPrompt:
    """A question. `language` is its ISO 639-1 code, `source` its author or origin."""

    id: str
    language: str
    kind: GeneralKind
    prompt: str
    source: str

    @property
    def question(self) -> tuple[PromptMessage, ...]:
        """It as a conversation to answer."""
        return (PromptMessage("user", self.prompt),)


@dataclass(frozen=True, slots=True)
class GeneralItem(GeneralPrompt):
    """A question with a right answer."""

    answer: str

    @property
    def answered(self) -> tuple[PromptMessage, ...]:
        """The question with its right answer."""
        return (*self.question, PromptMessage("assistant", self.answer))


@dataclass(frozen=True, slots=True)
class GeneralSets:
    """Both sets; `version` is a hash of their content.

    Each has a fixed order, in which any beginning has all languages and kinds in about their
    shares.
    """

    items: tuple[GeneralItem, ...]
    replay: tuple[GeneralPrompt, ...]
    version: str

    @classmethod
    def load(cls, folder: Path | None = None) -> "GeneralSets":
        """Read `general.jsonl` and `replay.jsonl`; raises `ValueError` when they are invalid."""
        folder = folder or assets_dir() / "personalization"
        items, replay = (folder / f"{name}.jsonl" for name in ("general", "replay"))
        digest = hashlib.sha256(items.read_bytes() + replay.read_bytes())
        return cls(_read(items, GeneralItem), _read(replay, GeneralPrompt), digest.hexdigest())


_Prompt = TypeVar("_Prompt", bound=GeneralPrompt)


def _read(file: Path, kind: type[_Prompt]) -> tuple[_Prompt, ...]:
    found = msgspec.json.Decoder(kind).decode_lines(file.read_bytes())
    for each in found:
        if not all(getattr(each, name).strip() for name in each.__dataclass_fields__):
            raise ValueError(f"{file.name}: {each.id} has an empty field")
    for values in ([each.id for each in found], [each.prompt for each in found]):
        if len(set(values)) < len(values):
            raise ValueError(f"{file.name}: something is in it twice")
    return _mixed(found)


def _mixed(prompts: Sequence[_Prompt]) -> tuple[_Prompt, ...]:
    """Return them in the order of their hashes: always the same, and practically random."""
    return tuple(sorted(prompts, key=lambda each: hashlib.sha256(each.id.encode()).digest()))
