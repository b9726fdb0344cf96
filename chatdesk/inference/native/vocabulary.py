"""A model's tokenizer, over llama-cpp-python's low-level bindings of `llama.h`."""

import ctypes
from typing import Any

from llama_cpp import llama_cpp as lib

_ATTRIBUTE_SPECIAL = lib.LLAMA_TOKEN_ATTR_CONTROL | lib.LLAMA_TOKEN_ATTR_UNKNOWN
_ATTRIBUTE_USER_DEFINED = lib.LLAMA_TOKEN_ATTR_USER_DEFINED
_PIECE_BYTES = 256  # longer ones are rare, and need a second call


class Vocabulary:
    """The tokenizer of a model. Its methods may be called from any thread while the model lives."""

    def __init__(self, model: Any) -> None:
        self.handle: Any = lib.llama_model_get_vocab(model)
        self.size = int(lib.llama_vocab_n_tokens(self.handle))
        self._pieces: list[bytes | None] = [None] * self.size
        self._ends = frozenset(
            token for token in range(self.size) if lib.llama_vocab_is_eog(self.handle, token)
        )
        first = int(lib.llama_vocab_bos(self.handle))
        self.bos_text = self.text(first)
        self.eos_text = self.text(int(lib.llama_vocab_eos(self.handle)))
        self._bos = first if lib.llama_vocab_get_add_bos(self.handle) and first >= 0 else None

    @property
    def bos(self) -> int | None:
        """The token that every prompt must begin with, if the model wants one."""
        return self._bos

    def tokenize(self, text: str, parse_special: bool, *, add_special: bool = False) -> list[int]:
        """Return the text's tokens; special tokens in it if `parse_special`.

        `add_special` puts those around it that the model wants around a whole text.
        """
        data = text.encode("utf-8", "replace")
        if not data:
            return []
        room = len(data) + 4  # no token is shorter than a byte; some models add a space
        tokens = (ctypes.c_int32 * room)()
        count = lib.llama_tokenize(
            self.handle, data, len(data), tokens, room, add_special, parse_special
        )
        if count < 0:
            raise RuntimeError(f"llama_tokenize: {count} for {len(data)} bytes")
        return tokens[:count]

    def piece(self, token: int) -> bytes:
        """Return the bytes that a token adds to the answer: none or some, perhaps half a character.

        llama.cpp is asked once for each token, then the result is cached. A control token adds
        nothing.
        """
        known = self._pieces[token]
        if known is None:
            known = self._pieces[token] = self.written(token, special=False)
        return known

    def written(self, token: int, special: bool = True) -> bytes:
        """Return a token's bytes in a prompt; with `special` also those of control tokens."""
        room = _PIECE_BYTES
        while True:
            buffer = ctypes.create_string_buffer(room)
            size = lib.llama_token_to_piece(self.handle, token, buffer, room, 0, special)
            if size >= 0:
                return buffer.raw[:size]
            room = -size

    def text(self, token: int) -> str:
        """Return the token's text in the vocabulary; "" for no token (-1)."""
        if not 0 <= token < self.size:
            return ""
        written: bytes = lib.llama_vocab_get_text(self.handle, token)
        return written.decode("utf-8", "replace")

    def is_special(self, token: int) -> bool:
        """Return True if plain text never contains this token."""
        return bool(lib.llama_vocab_get_attr(self.handle, token) & _ATTRIBUTE_SPECIAL)

    def is_user_defined(self, token: int) -> bool:
        """Return True if this token is found in plain text before all merging."""
        return bool(lib.llama_vocab_get_attr(self.handle, token) & _ATTRIBUTE_USER_DEFINED)

    def ends_generation(self, token: int) -> bool:
        """Return True if the model ends its answer with this token."""
        return token in self._ends
