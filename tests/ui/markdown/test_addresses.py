"""Where links lead, as it is shown before they are opened."""

import pytest
from PySide6.QtCore import QUrl

from chatdesk.ui.markdown.addresses import safe_link, shown_address

_APPLE = "аррӏе"  # Cyrillic


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ("HTTPS://EXAMPLE.org", "https://example.org"),
        (f"https://{_APPLE}.com/a", f"https://xn--80ak6aa92e.com/a ({_APPLE}.com)"),
        ("https://xn--80ak6aa92e.com/a", f"https://xn--80ak6aa92e.com/a ({_APPLE}.com)"),
        ("https://münchen.de/ü", "https://xn--mnchen-3ya.de/ü (münchen.de)"),
        ("https://例え.jp/维基百科", "https://xn--r8jz45g.jp/维基百科 (例え.jp)"),
        ("https://bank.com@evil.example/x", "https://evil.example/x"),
        ("https://bank.com:pw@evil.example/x", "https://evil.example/x"),
        ("https://evil.example/%E2%80%AEgpj.exe", "https://evil.example/%E2%80%AEgpj.exe"),
        ("https://evil.example/\u202egpj.exe", "https://evil.example/%E2%80%AEgpj.exe"),
        (
            "https://evil.example/%20(https://bank.com)",
            "https://evil.example/%20(https://bank.com)",
        ),
        ("https://evil.example／bank.com", ""),  # no host has that sign
        ("https://evil.example/／bank", "https://evil.example/%EF%BC%8Fbank"),
        ("https://evil.example/<b>&lt;b&gt;", "https://evil.example/%3Cb%3E&lt;b&gt;"),
        ("https://example.org/%ff%fe", "https://example.org/%EF%BF%BD%EF%BF%BD"),
        ("https://0x7f.1/", "https://127.0.0.1/"),
        (f"mailto:info@{_APPLE}.com", f"mailto:info@xn--80ak6aa92e.com ({_APPLE}.com)"),
        ("mailto:info@xn--80ak6aa92e.com", f"mailto:info@xn--80ak6aa92e.com ({_APPLE}.com)"),
        ("mailto:me@example.org?subject=a%20b", "mailto:me@example.org?subject=a%20b"),
        ("mailto:me@exa\u202emple.org", "mailto:me@exa%E2%80%AEmple.org"),
    ],
)
def test_what_is_shown_of_an_address(address: str, shown: str) -> None:
    found = shown_address(QUrl(address))
    assert found == shown
    assert "<" not in found  # or Qt would take it for markup


def test_what_is_shown_of_a_long_address_begins_with_its_host() -> None:
    shown = shown_address(QUrl("https://example.org/" + "a" * 10_000))
    assert shown.startswith("https://example.org/aaa")
    assert len(shown) < 300


@pytest.mark.parametrize(
    "target",
    ["https://example.org", "HTTP://Example.org/x", "mailto:me@example.org", "https://münchen.de/ü",
     "https://[::1]:8089/", "https://a_b.example/"],
)  # fmt: skip
def test_what_may_be_opened(target: str) -> None:
    assert safe_link(target) == target


@pytest.mark.parametrize(
    "target",
    ["", "example.org", "javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "ftp://a",
     "https:", "https:///x", "https:/\u200b/x", "https://exa\u200dmple.org/", "mailto:", "#top",
     "https://evil.example／bank.com/"],
)  # fmt: skip
def test_what_may_not(target: str) -> None:
    assert safe_link(target) == ""
