"""Keeps special tokens that people write in their messages out of the template's rendering."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from chatdesk.core.generation import PromptMessage
from chatdesk.inference.prompt.template import RenderError
from chatdesk.inference.prompt.thinking import find_marks, is_quoted

_WHITE_SPACE = " \t\n\v\f\r"  # as C's isspace has it
_HIDING_PASSES = 4  # one is enough, unless special tokens overlap


class PromptTokenizer(Protocol):
    """The tokenizer of a model, as far as a prompt needs it."""

    @property
    def bos(self) -> int | None:
        """The token every prompt of this model must begin with, if there is one."""

    def tokenize(self, text: str, parse_special: bool) -> list[int]:
        """Return the text's tokens; special tokens in it count only with `parse_special`."""

    def text(self, token: int) -> str:
        """Return the token's text in the vocabulary."""

    def written(self, token: int) -> bytes:
        """Return a token's bytes in a prompt."""

    def is_special(self, token: int) -> bool:
        """Return True if plain text never contains this token (control and unknown tokens)."""

    def is_user_defined(self, token: int) -> bool:
        """Return True if this token is found in plain text, too, before all merging."""

    def ends_generation(self, token: int) -> bool:
        """Return True if the model ends its answer with this token."""


def swallows_white_space(vocabulary: PromptTokenizer, token: int) -> bool:
    """Return True if llama.cpp drops the white space after a special token, as for Phi-3."""
    return (
        vocabulary.is_special(token) or vocabulary.is_user_defined(token)
    ) and vocabulary.tokenize(vocabulary.text(token) + "\n", parse_special=True) == [token]


class StandIns:
    """Unguessable words, each for a text that must not be rendered as it is."""

    def __init__(self) -> None:
        self._nonce = "q" + secrets.token_hex(16)
        self._texts: list[str] = []

    def of(self, text: str) -> str:
        """Return the stand-in for a text."""
        if text not in self._texts:
            self._texts.append(text)
        return f"{self._nonce}x{self._texts.index(text)}z"

    def split(self, rendered: str) -> list[str]:
        """Split a rendering into the text around stand-ins (even) and their texts (odd places)."""
        pieces = re.split(f"{self._nonce}x([0-9]+)z", rendered)
        pieces[1::2] = [self._texts[int(number)] for number in pieces[1::2]]
        return pieces

    def restore(self, rendered: str) -> bytes:
        """Return the rendering with the texts in their places, as the tokenizer reads it."""
        return "".join(self.split(rendered)).encode("utf-8", "replace")


class Hiding:
    """Replaces the texts of special tokens by stand-ins; `source` is the chat template."""

    def __init__(self, vocabulary: PromptTokenizer, source: str) -> None:
        self._vocabulary = vocabulary
        self._source = source
        self._marks = find_marks(source)
        self._dangers: dict[tuple[int, bool], str] = {}  # by token, and if an assistant's

    def hide(self, messages: Sequence[PromptMessage], stand_ins: StandIns) -> list[PromptMessage]:
        """Return the messages with stand-ins. Raises `RenderError` where hiding has no end."""
        return [
            replace(
                each,
                content=self._hidden(self._without_words(each, stand_ins), each.role, stand_ins),
                thinking=self._hidden(each.thinking, each.role, stand_ins),
            )
            for each in messages
        ]

    def _without_words(self, message: PromptMessage, stand_ins: StandIns) -> str:
        """Return the content with stand-ins for marks of thinking that are words of an answer.

        A template may cut the answer off at them.
        """
        text, marks = message.content, self._marks
        if marks is None or message.role != "assistant":
            return text
        are_words = bool(message.thinking) and not text.lstrip().startswith(marks.opening)

        def written(found: re.Match[str]) -> str:
            is_word = are_words or is_quoted(text, *found.span())
            return stand_ins.of(found[0]) if is_word else found[0]

        return re.sub("|".join(map(re.escape, marks.all)), written, text)

    def _hidden(self, text: str, role: str, stand_ins: StandIns) -> str:
        for _ in range(_HIDING_PASSES):
            dangers = self._dangers_in(text, role == "assistant")
            if not dangers:
                return text
            for each in sorted(dangers, key=len, reverse=True):
                text = text.replace(each, stand_ins.of(each))
        raise RenderError("special tokens that are everywhere in plain text")

    def _dangers_in(self, text: str, of_assistant: bool) -> set[str]:
        tokens = set(self._vocabulary.tokenize(text, parse_special=True))
        found = {self._danger(token, of_assistant) for token in tokens}
        return {each for each in found if each and each in text}

    def _danger(self, token: int, of_assistant: bool) -> str:
        """Return the token's text if it must be hidden, "" if not; llama.cpp is asked once."""
        key = token, of_assistant
        known = self._dangers.get(key)
        if known is None:
            written = self._vocabulary.text(token)
            is_danger = self._vocabulary.is_special(token) or (
                not of_assistant and self._marks_turns(token, written)
            )
            known = self._dangers[key] = written if is_danger else ""
        return known

    def _marks_turns(self, token: int, written: str) -> bool:
        """Return True for a mark of the template: some files declare these as user-defined words.

        An assistant's `<think>` is one as well, and must stay the token that it was.
        """
        return (
            self._vocabulary.is_user_defined(token)
            and written.startswith(("<", "["))
            and written in self._source
        )

    def tokens(self, pieces: Sequence[str]) -> list[int]:
        """Return the tokens of rendered text (even places) and hidden special texts (odd places).

        Text between two special tokens is tokenized in one go, as llama.cpp does, so that merges
        are the same as in the text as a whole.
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
                swallowed = swallows_white_space(self._vocabulary, tokens[-1])
                plain = after.lstrip(_WHITE_SPACE) if swallowed else after
            else:
                plain += before
        return tokens + self._vocabulary.tokenize(plain, parse_special=False)

    def _is_found_in_plain_text(self, text: str) -> bool:
        tokens = self._vocabulary.tokenize(text, parse_special=False)
        return any(map(self._vocabulary.is_user_defined, tokens))

    def _around_special(self, text: str) -> tuple[str, str, str]:
        """Split `text` into: before its first special token, up to its last one, after that."""
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
