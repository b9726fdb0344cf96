"""Sentences in the database, stored so that they can be read in the current language.

An object is a sentence with its parts: its message, its values, which may be sentences too, and its
second message if it is of a counted thing. A string is shown as it is: those of older versions, and
of other programs.
"""

import json
from typing import Any

from sqlalchemy import Dialect, Text, TypeDecorator

from chatdesk.core.i18n import Sentence
from chatdesk.store.column_types import Checked


class AsSentence(Checked, TypeDecorator[str]):
    """A sentence for the user, or "" for none."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the sentence's parts as JSON; its words if it has no parts."""
        if not value:
            return value
        parts = _parts(value)
        try:
            kept = parts if _words(parts) == value else str(value)
        except (LookupError, ValueError):  # a format that only the value itself knows
            kept = str(value)
        return json.dumps(kept, ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the sentence in the current language."""
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
