"""Sentences in the database: what they are made of, so that they are read in today's language.

An object is a sentence that can be said again: its message, its values, which may be sentences
too, and its second message where it counts. A string holds words that are shown as they are:
those of older versions, and of other programs.
"""

import json
from typing import Any

from sqlalchemy import Dialect, Text, TypeDecorator

from chatdesk.core.i18n import Sentence


class SaidAgain(TypeDecorator[str]):
    """A sentence for the person, or "" for none."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What the sentence is made of, as JSON; the words where they cannot be made of that."""
        if not value:
            return value
        parts = _parts(value)
        try:
            kept = parts if _words(parts) == value else str(value)
        except (LookupError, ValueError):  # a format that only the value itself knows
            kept = str(value)
        return json.dumps(kept, ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """The sentence, in today's language."""
        return _words(json.loads(value)) if value else value


def _parts(value: object) -> Any:
    if not isinstance(value, Sentence):
        return value if isinstance(value, (bool, int, float, str)) else str(value)
    values = {name: _parts(each) for name, each in value.values.items()}
    parts = {"message": value.message, "many": value.many, "values": values}
    return {name: part for name, part in parts.items() if part}


def _words(parts: Any) -> Any:
    if not isinstance(parts, dict):
        return parts
    values = {name: _words(each) for name, each in parts.get("values", {}).items()}
    return Sentence.of(parts["message"], values, parts.get("many", ""))
