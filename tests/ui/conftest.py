"""Widgets are tested without a screen, in the app's own look."""

import os
from datetime import UTC, datetime

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtWidgets import QApplication

from chatdesk.core.chat import AnswerRecord, Message, MessageState, Role
from chatdesk.ui.theme import Theme, apply_theme, load_fonts, load_theme


@pytest.fixture(scope="session")
def theme(qapp: QApplication) -> Theme:
    """The light theme, applied to the application."""
    load_fonts(qapp)
    theme = load_theme("light")
    apply_theme(qapp, theme)
    return theme


def make_message(
    message_id: str,
    role: Role,
    text: str,
    state: MessageState = MessageState.COMPLETE,
    answer: AnswerRecord | None = None,
) -> Message:
    """A message of a conversation that is nowhere stored."""
    created = datetime(2026, 1, 1, tzinfo=UTC)
    record = answer or AnswerRecord()
    shown = record if role is Role.ASSISTANT else None
    return Message(message_id, "c", None, role, text, state, created, shown)
