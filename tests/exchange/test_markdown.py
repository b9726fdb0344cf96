from dataclasses import replace

from chatdesk.core.chat import AnswerRecord, MessageState, Role, TitleSource, new_conversation
from chatdesk.core.chat import new_message as message
from chatdesk.core.parts import plain
from chatdesk.exchange.markdown import as_markdown


def test_the_branch_that_is_shown_becomes_markdown() -> None:
    chat = new_conversation("About tea", TitleSource.USER, "", None)
    asked = message(chat.id, None, Role.USER, plain("Why tea?"))
    record = AnswerRecord(model_name="Small 1B")
    done = MessageState.COMPLETE
    first = message(chat.id, asked.id, Role.ASSISTANT, plain("No."), done, record)
    second = message(chat.id, asked.id, Role.ASSISTANT, plain("- warm\n", "hm"), done, record)
    own = message(chat.id, second.id, Role.USER, plain("And?"))
    mine = replace(message(chat.id, own.id, Role.ASSISTANT, plain("It is so.")), corrects="x")
    chat = replace(chat, messages=(asked, first, second, own, mine), active_leaf_id=mine.id)
    assert as_markdown(chat) == (
        "# About tea\n\n**You**\n\nWhy tea?\n\n**Small 1B**\n\n- warm\n\n"
        "**You**\n\nAnd?\n\n**You**\n\nIt is so.\n"
    )
