"""Emphasis beside Chinese, Japanese and Korean, and addresses that nobody marked as links."""

from collections.abc import Iterator

import pytest

from chatdesk.ui.markdown.parser import parse
from chatdesk.ui.markdown.splitter import Prose

CLOSED = {"strong": "b", "em": "i", "s": "s"}


def marked(text: str) -> str:
    """The text with <b>, <i> and <s> where it is emphasized; links as {their text}."""

    def parts() -> Iterator[str]:
        for token in parse(Prose(text), {})[1].children or []:
            name, _, side = token.type.rpartition("_")
            if name in CLOSED:
                yield f"<{'/' * (side == 'close')}{CLOSED[name]}>"
            elif name == "link":
                yield "{" if side == "open" else "}"
            else:
                yield f"`{token.content}`" if token.type == "code_inline" else token.content

    return "".join(parts())


@pytest.mark.parametrize(
    "shown",
    [
        "今天的重点是**“三件小事”**，先看第一件。",
        "**温馨提示（下雨天）：**记得带伞。",
        "**先关火。**再揭锅盖。",
        "**抹茶（まっちゃ）**は苦い。",
        "~~先关火。~~再揭锅盖。",
        "**이 용어(This term)**를 강조",
        "请用*`git pull`*更新",
        "这是**“a”\ufe01**吗",
    ],
)
def test_emphasis_beside_letters_without_spaces(shown: str) -> None:
    for mark, name in (("**", "b"), ("~~", "s"), ("*", "i")):
        if mark in shown:
            before, inside, after = shown.split(mark)
            assert marked(shown) == f"{before}<{name}>{inside}</{name}>{after}"
            return


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("snake_case_name and __init__", "snake_case_name and <b>init</b>"),
        ("a * b * c", "a * b * c"),
        ("2*3*4", "2<i>3</i>4"),
        ("**a:**b", "**a:**b"),
        ('a**"b"**c', 'a**"b"**c'),
        ("🙂**(a)**🙂", "🙂<b>(a)</b>🙂"),
        ("变量_名字_和", "变量_名字_和"),
        ("*a **b** c*", "<i>a <b>b</b> c</i>"),
    ],
)
def test_other_emphasis_is_as_in_commonmark(text: str, shown: str) -> None:
    assert marked(text) == shown


@pytest.mark.parametrize(
    "shown",
    [
        "资料在 {https://example.org/a/b}（第二版）里，请先看。",
        "见 {https://example.org/a/b}第二页",
        "见{https://example.org}。谢谢",
        "“{https://example.org/a}”",
        "{https://zh.wikipedia.org/wiki/维基百科}，看",
        "(see {https://en.wikipedia.org/wiki/Tea_(drink)}).",
        "({https://example.org})是",
        "{https://example.org/Straße?a=1&b=2#c}!",
        "{http://localhost:8089/v1}, then",
        "{www.example.org/a}. Then",
        "{www.example.org}第二页",
        "mail to {ann.b+c@example.org}.",
        "{ann@example.org}谢谢",
        "{https://münchen.de/ü}, {www.münchen.de}; {info@münchen.de}.",
        "{https://пример.рф/путь}, {www.пример.рф}",
        "{https://例え.jp/a}（见）",
    ],
)
def test_an_address_is_a_link_and_ends_where_the_sentence_goes_on(shown: str) -> None:
    assert marked(shown.replace("{", "").replace("}", "")) == shown


def test_links_lead_where_they_say() -> None:
    text = "www.example.org ann@example.org **https://example.org**中文"
    tokens = parse(Prose(text), {})[1].children or []
    targets = [token.attrs["href"] for token in tokens if token.type == "link_open"]
    assert targets == ["http://www.example.org", "mailto:ann@example.org", "https://example.org"]
    (opened, *_) = parse(Prose("https://münchen.de/ü"), {})[1].children or []
    assert opened.attrs["href"] == "https://xn--mnchen-3ya.de/%C3%BC"
    assert marked(text).endswith("<b>{https://example.org}</b>中文")


@pytest.mark.parametrize(
    "text",
    [
        "Open main.py and NOTES.md, run go.sh, read mod.rs; call os.sh, net.io, a.to(b).",
        "script.pl and user.name, README.md, example.com",
        "npm install lodash@4.17.21 and user@host",
        "ftp://example.org //example.org file:///etc",
        "https:// and http://。 www.a www.",
        "@app.get and a@b.c-",
    ],
)
def test_names_of_files_and_methods_are_no_links(text: str) -> None:
    assert marked(text) == text
