"""From a conversation to the token ids of its prompt."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from chatdesk.core.generation import PromptMessage
from chatdesk.inference.template import ChatTemplate, RenderError

ROLES = ("system", "user", "assistant")
_HIDING_PASSES = 4  # one does, unless special tokens overlap


class Vocabulary(Protocol):
    """The tokenizer of a model, as far as a prompt needs it."""

    @property
    def bos(self) -> int | None:
        """The token every prompt of this model must begin with, if there is one."""

    def tokenize(self, text: str, parse_special: bool) -> list[int]:
        """The text's tokens; special tokens written in it count only with `parse_special`."""

    def text(self, token: int) -> str:
        """How a token is written."""

    def is_special(self, token: int) -> bool:
        """Whether plain text never contains this token (control and unknown tokens)."""

    def is_user_defined(self, token: int) -> bool:
        """Whether this token is found in plain text, too, in front of all merging."""


class PromptBuilder:
    """Renders and tokenizes conversations so that nobody's text can pass for the template's.

    Plain conversations become exactly what tokenizing the whole rendered text gives. Where a
    message spells out a special token, those characters are kept out of the rendering behind a
    stand-in and are tokenized as the plain text they are.
    """

    def __init__(self, template: ChatTemplate, vocabulary: Vocabulary) -> None:
        self._template = template
        self._vocabulary = vocabulary

    def tokens(self, messages: Sequence[PromptMessage]) -> list[int]:
        """The prompt's token ids. Raises `RenderError`; `ValueError` for an unknown role."""
        stand_ins = _StandIns()
        for message in messages:
            if message.role not in ROLES:
                raise ValueError("a role that is none of system, user, assistant")
        hidden = [replace(each, content=self._hide(each, stand_ins)) for each in messages]
        pieces = stand_ins.split(self._template.render(hidden))
        tokens = self._tokenize(pieces)
        bos = self._vocabulary.bos
        if bos is not None and tokens[:1] != [bos]:
            tokens.insert(0, bos)
        if not tokens:
            raise RenderError("an empty prompt")
        return tokens

    def _hide(self, message: PromptMessage, stand_ins: "_StandIns") -> str:
        """The content with every special token's text replaced by a stand-in."""
        text = message.content
        for _ in range(_HIDING_PASSES):
            special = self._special_texts(text, message.role)
            if not special:
                return text
            for each in sorted(special, key=len, reverse=True):
                text = text.replace(each, stand_ins.of(each))
        raise RenderError("special tokens that are everywhere in plain text")

    def _special_texts(self, text: str, role: str) -> set[str]:
        vocabulary = self._vocabulary
        found = set()
        for token in set(vocabulary.tokenize(text, parse_special=True)):
            written = vocabulary.text(token)
            if vocabulary.is_special(token) or (
                role != "assistant" and self._marks_turns(token, written)
            ):
                found.add(written)
        return {each for each in found if each and each in text}

    def _marks_turns(self, token: int, written: str) -> bool:
        """Some files declare the template's own marks as user-defined words.

        An assistant's `<think>` is one as well, and must stay the token it was.
        """
        return (
            self._vocabulary.is_user_defined(token)
            and written.startswith(("<", "["))
            and written in self._template.source
        )

    def _tokenize(self, pieces: Sequence[str]) -> list[int]:
        """Tokens of rendered text (even places) and hidden special texts (odd places).

        Text between two special tokens is tokenized in one go, as llama.cpp does, so that
        nothing merges otherwise than in the text as a whole.
        """
        if len(pieces) == 1:
            return self._vocabulary.tokenize(pieces[0], parse_special=True)
        tokens: list[int] = []
        plain = ""
        for place, piece in enumerate(pieces):
            if place % 2 and self._is_found_in_plain_text(piece):
                tokens += self._vocabulary.tokenize(plain + piece[:1], parse_special=False)
                plain = piece[1:]
                continue
            if place % 2:
                plain += piece
                continue
            before, between, after = self._around_special(piece)
            if between:
                tokens += self._vocabulary.tokenize(plain + before, parse_special=False)
                tokens += self._vocabulary.tokenize(between, parse_special=True)
                plain = after
            else:
                plain += before
        return tokens + self._vocabulary.tokenize(plain, parse_special=False)

    def _is_found_in_plain_text(self, text: str) -> bool:
        tokens = self._vocabulary.tokenize(text, parse_special=False)
        return any(map(self._vocabulary.is_user_defined, tokens))

    def _around_special(self, text: str) -> tuple[str, str, str]:
        """`text` as: before its first special token, up to its last one, after that."""
        vocabulary = self._vocabulary
        special = [
            vocabulary.text(token)
            for token in vocabulary.tokenize(text, parse_special=True)
            if vocabulary.is_special(token)
        ]
        start = text.find(special[0]) if special else -1
        if start < 0:
            return text, "", ""
        end = text.rfind(special[-1]) + len(special[-1])
        return text[:start], text[start:end], text[end:]


class _StandIns:
    """Words nobody can guess, each for a text that must not be rendered as it is."""

    def __init__(self) -> None:
        self._nonce = "q" + secrets.token_hex(16)
        self._texts: list[str] = []

    def of(self, text: str) -> str:
        """The stand-in for a text."""
        if text not in self._texts:
            self._texts.append(text)
        return f"{self._nonce}x{self._texts.index(text)}z"

    def split(self, rendered: str) -> list[str]:
        """The rendering around the stand-ins (even places) and their texts (odd places)."""
        pieces = re.split(f"{self._nonce}x([0-9]+)z", rendered)
        pieces[1::2] = [self._texts[int(number)] for number in pieces[1::2]]
        return pieces
