"""A conversation as one HTML file with its styles inside, that fetches nothing when it is opened.

Markup in messages is shown as text, pictures are links, and a policy in the head forbids the rest.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from chatdesk.core.chat import Conversation, Message, Role
from chatdesk.core.i18n import current_language, tr
from chatdesk.exchange.export.authors import author
from chatdesk.exchange.export.markdown_file import file_words

_HEAD = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 46rem; margin: 3rem auto; padding: 0 1.5rem; font: 16px/1.6 system-ui,
  sans-serif; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.5rem; }}
article {{ margin: 1.75rem 0; }}
article.user {{ padding: .75rem 1.1rem; border-radius: .75rem; background: #8882; }}
header {{ font-size: .85rem; opacity: .7; }}
pre {{ padding: .75rem 1rem; overflow-x: auto; border-radius: .5rem; background: #8882; }}
code {{ font-family: ui-monospace, monospace; font-size: .9em; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .3rem .7rem; border: 1px solid #8886; }}
blockquote {{ margin-left: 0; padding-left: 1rem; border-left: 3px solid #8886; }}
details {{ opacity: .8; }}
</style>
</head>
<body>
"""


class _Renderer(RendererHTML):
    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A picture on the web is named and linked, and not fetched."""
        token = tokens[idx]
        words = self.renderInlineAsText(token.children or [], options, env)
        address = str(token.attrGet("src") or "")
        return f'<a href="{escape(address)}">{escape(words or address)}</a>'


_markdown = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)
_markdown.enable(["table", "strikethrough"])


def html_file(conversation: Conversation) -> str:
    """Return the file, with the branch that is shown."""
    title = " ".join(conversation.title.split()) or tr("Chat without a title")
    language = current_language().replace("_", "-")
    body = [_HEAD.format(language=language, title=escape(title)), f"<h1>{escape(title)}</h1>\n"]
    if prompt := conversation.system_prompt.strip():
        body.append(_article("system", tr("System prompt"), "", _markdown.render(prompt)))
    body += map(_message, conversation.path())
    return "".join([*body, "</body>\n</html>\n"])


def _message(message: Message) -> str:
    inside = ""
    if thinking := message.thinking.strip():
        summary, shown = escape(tr("Thinking")), _markdown.render(thinking)
        inside += f"<details><summary>{summary}</summary>\n{shown}</details>\n"
    inside += _markdown.render(message.text.strip())
    for words in filter(None, map(file_words, message.parts)):
        inside += f"<p><em>[{escape(words)}]</em></p>\n"
    kind = "user" if message.role is Role.USER else "answer"
    moment = message.created.astimezone()
    return _article(kind, author(message), f"{moment:%Y-%m-%d %H:%M}", inside)


def _article(kind: str, name: str, moment: str, inside: str) -> str:
    head = f"<header>{escape(name)} <time>{moment}</time></header>"
    return f'<article class="{kind}">\n{head}\n{inside}</article>\n'
