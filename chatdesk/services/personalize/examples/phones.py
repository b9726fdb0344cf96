"""Phone numbers in a text, checked by libphonenumber."""

import re
from collections.abc import Iterator

# Numbers without a country's code are recognized for these countries; more countries find more
# numbers, and more false ones.
_REGIONS = (
    *("US", "GB", "DE", "FR", "ES", "IT", "NL", "BE", "CH", "AT", "PL", "BR", "MX"),
    *("CN", "IN", "JP", "KR", "RU"),
)
_MAYBE = re.compile(
    r"(?<![\w.,/-])(?!\d+\.\d+(?![\d.])|\d+(?:\.\d+){3}(?![\d.]))"  # no fraction, no IP address
    r"(?:\+|\(\+?)?\d[\d ()./\u2011-]{5,20}\d(?![\w/-]|[.,]\d)",
    re.ASCII,
)
_SEPARATED = re.compile(r"\d[ ()./\u2011-]+\d")
_CHINESE_MOBILE = re.compile(r"1[3-9]\d{9}")
_SAID = re.compile(
    r"(?:tel|phone|mobil|cell|call|fax|handy|ruf|numero|número|appel|telefon|whatsapp|"
    r"电话|電話|手机|手機|号码|微信|전화|тел)\w{0,8}\W{0,4}$",
    re.IGNORECASE,
)
_GROUP = re.compile(r"\d+")
_MOST_GROUPS = 6  # as in +33 6 12 34 56 78; more are a row of numbers
_BEFORE = 24  # characters in which a word may announce a number


def phone_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of phone numbers.

    With a country's code they must be valid. Without one they must be written exactly as in their
    country, with separators, or after a word that announces them; Chinese mobile numbers are
    distinctive enough.
    """
    for found in _MAYBE.finditer(text):
        number = found[0]
        if len(_GROUP.findall(number)) > _MOST_GROUPS:
            continue
        is_said = bool(_SAID.search(text[max(0, found.start() - _BEFORE) : found.start()]))
        if number.lstrip("(").startswith("+"):
            span = _span(number, None)
        elif is_said or _CHINESE_MOBILE.fullmatch(number):
            span = _first_span(number)
        elif _SEPARATED.search(number):
            span = _first_span(number, exact=True)
        else:
            span = None
        if span:
            yield found.start() + span[0], found.start() + span[1]


def _first_span(number: str, *, exact: bool = False) -> tuple[int, int] | None:
    spans = (_span(number, region, exact=exact) for region in _REGIONS)
    return next((span for span in spans if span), None)


def _span(number: str, region: str | None, *, exact: bool = False) -> tuple[int, int] | None:
    from phonenumbers import Leniency, PhoneNumberMatcher  # only for what may be one: it takes 1 MB

    leniency = Leniency.EXACT_GROUPING if exact else Leniency.VALID
    match = next(iter(PhoneNumberMatcher(number, region, leniency)), None)
    return (match.start, match.end) if match else None
