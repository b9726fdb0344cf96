"""The formats of conversations: a new one is a module of this room and a line here."""

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.exchange.conversations.anythingllm import AnythingLlm
from chatdesk.exchange.conversations.chat_lines import ChatLines
from chatdesk.exchange.conversations.chatgpt import ChatGpt
from chatdesk.exchange.conversations.cherry_studio import CherryStudio
from chatdesk.exchange.conversations.claude import Claude
from chatdesk.exchange.conversations.files import Files
from chatdesk.exchange.conversations.format import ConversationFormat
from chatdesk.exchange.conversations.grok import Grok
from chatdesk.exchange.conversations.jan import Jan
from chatdesk.exchange.conversations.llama_page import LlamaPage
from chatdesk.exchange.conversations.lm_studio import LmStudio
from chatdesk.exchange.conversations.open_webui import OpenWebUi
from chatdesk.exchange.conversations.own import Own

FORMATS: tuple[ConversationFormat, ...] = (
    Own(),
    ChatGpt(),
    Claude(),
    LmStudio(),
    Jan(),
    LlamaPage(),
    Grok(),
    CherryStudio(),
    OpenWebUi(),
    AnythingLlm(),
    ChatLines(),  # last: others have lists of messages too
)


def format_of(files: Files) -> ConversationFormat:
    """Find the format by content. Raises `EnvironmentProblem` when no one knows it."""
    found = next((each for each in FORMATS if each.recognizes(files)), None)
    if found is None:
        raise EnvironmentProblem(
            tr("{file} holds no chats that ChatDesk can read.", file=files.name),
            tr("It reads exports of {apps}.", apps=", ".join(each.app for each in FORMATS)),
        )
    return found
