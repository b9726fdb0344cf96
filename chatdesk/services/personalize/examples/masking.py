"""Secrets and personal data in a text, found by their form, and by their checksum if they have one.

Google's libphonenumber checks phone numbers; python-stdnum checks IBANs, cards and national ids.
Keys and passwords are found here, because the existing detectors are made for source code: Yelp's
detect-secrets has had no release since 2024 and misses many; MongoDB's Kingfisher takes 36 MB and
seconds to start, and skips what it takes for an example.
"""

import re
from collections.abc import Callable, Iterable

from chatdesk.core.personalization import FindingKind

Found = tuple[FindingKind, str]
_Spans = Iterable[tuple[int, int]]

# As documented by their makers, or known from gitleaks and others. In ASCII, so that a word ends
# where Chinese begins.
_KEYS = re.compile(
    r"""
    -----BEGIN\ [A-Z ]*PRIVATE\ KEY(?:\ BLOCK)?-----  # RFC 7468, OpenPGP; perhaps without its end
        (?:(?s:.{0,9000}?)-----END\ [A-Z ]*PRIVATE\ KEY(?:\ BLOCK)?-----|[\sA-Za-z0-9+/=]*)
    | \b(?: (?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}  # AWS
        | gh[opusr]_[A-Za-z0-9]{36,} | github_pat_\w{40,} | glpat-[\w-]{20,}  # GitHub, GitLab
        | sk-[\w-]{20,} | hf_[A-Za-z0-9]{30,} | gsk_[A-Za-z0-9]{40,}  # OpenAI and others
        | AIza[\w-]{35} | ya29\.[\w-]{20,} | GOCSPX-[\w-]{20,}  # Google
        | [rs]k_(?:live|test)_[A-Za-z0-9]{16,} | whsec_[\w+/=]{20,}  # Stripe
        | xox[abeoprs]-[\w-]{10,} | xapp-[\w-]{20,}  # Slack
        | SG\.[\w-]{16,}\.[\w-]{16,} | key-[0-9a-f]{32} | [0-9a-f]{32}-us\d{1,2}  # mail
        | npm_[A-Za-z0-9]{36} | pypi-[\w-]{50,} | dop_v1_[0-9a-f]{64} | shpat_[0-9a-f]{32}
        | \d{8,10}:AA[\w-]{33}  # Telegram
        | AGE-SECRET-KEY-1[A-Z0-9]{58}
        | eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+  # JWT, RFC 7519
    )(?![\w-])
    """,
    re.VERBOSE | re.ASCII,
)
_IN_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s/:@]*:(?P<value>[^\s/@]{3,})@", re.IGNORECASE)
_IS = r"""\d?["'`]?\s*(?:=>|:=|[:=：＝是为為]|\b(?:is|ist|es|est|è|é)\b)\s*["'`“„「]?"""
_PASSWORD = re.compile(
    r"(?:password|passwd|passphrase|passwort|kennwort|mot de passe|contraseña|senha|пароль|密码|"
    rf"密碼|口令|パスワード|비밀번호|\bpwd|\bpw){_IS}(?P<value>[^\s\"'`”“」，。；！？、]{{6,128}})",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"(?:(?:(?:api|access|secret|private|account|encryption)[ _-]?key|client[ _-]?secret|secret|"
    rf"token|密钥|密鑰|令牌){_IS}|\bbearer\s+)(?P<value>[\w+/=.~-]{{16,512}})",
    re.IGNORECASE | re.ASCII,
)
_PLACEHOLDER = re.compile(r"[<$%{\[(*&/\\~.]|x{3}|pass(?:word|wd)?$|pwd$|secret$", re.IGNORECASE)
_IS_CODE = re.compile(r"[()\[\]{}<>$]")
_LETTER, _DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")

# https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address, with a top-level domain
# and letters such as ü; not the similar addresses of git, ssh and scp (git@host:path).
_EMAIL = re.compile(
    r"(?<![\w.+/-])[a-z0-9à-ɏ.!#$%&'*+=?^_`{|}~-]{1,64}@(?:[a-z0-9à-ɏ](?:[a-z0-9à-ɏ-]{0,61}[a-z0-9à-ɏ])?"
    r"\.)+[a-z]{2,24}(?![\w-]|\.\w|:[\w~/])",
    re.IGNORECASE | re.ASCII,
)
_IBAN = re.compile(r"(?<![\w-])[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?", re.ASCII)
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){13,18}(?![\w-]|\.\d)", re.ASCII)
# The issuers' ranges (ISO/IEC 7812): Visa, Mastercard, American Express, Diners, JCB, Discover and
# UnionPay. So most product codes (EAN) do not match.
_ISSUED = re.compile(
    r"4(?:\d{15}|\d{18})|(?:5[1-5]\d\d|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720))\d{12}|"
    r"3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|"
    r"6(?:011|4[4-9]\d|5\d\d)\d{12}|62\d{14,17}"
)


def find_personal_data(text: str) -> tuple[Found, ...]:
    """Return the secret or personal values in a text, in the order of their places, each once."""
    places: dict[str, tuple[int, FindingKind]] = {}
    for kind, spans_in in _DETECTORS:
        left = list(text)
        for start, end in spans_in(text):
            places.setdefault(text[start:end], (start, kind))
            left[start:end] = "\0" * (end - start)  # no other detector takes it
        text = "".join(left)
    return tuple((kind, value) for value, (_, kind) in sorted(places.items(), key=_place))


def _place(item: tuple[str, tuple[int, FindingKind]]) -> int:
    return item[1][0]


def _keys(text: str) -> _Spans:
    yield from (found.span() for found in _KEYS.finditer(text))
    for found in _TOKEN.finditer(text):
        if _LETTER.search(found["value"]) and _DIGIT.search(found["value"]):
            yield found.span("value")


def _passwords(text: str) -> _Spans:
    for found in _IN_URL.finditer(text):
        if not _PLACEHOLDER.match(found["value"]):
            yield found.span("value")
    for found in _PASSWORD.finditer(text):
        value = found["value"].rstrip(".,;)]}>）")
        is_quoted = text[found.start("value") - 1] in "\"'`“„「"
        is_plain = is_quoted or not _IS_CODE.search(value)
        if len(value) >= 6 and is_plain and _DIGIT.search(value) and not _PLACEHOLDER.match(value):
            yield found.start("value"), found.start("value") + len(value)


def _ibans(text: str) -> _Spans:
    for found in _IBAN.finditer(text):
        from stdnum import iban  # only where something has its form: it takes 4 MB

        start, end = found.span()
        while end > start and not iban.is_valid(text[start:end]):
            end = start + len(text[start : end - 1].rstrip())  # without the word that follows
        if end > start:
            yield start, end


def _cards(text: str) -> _Spans:
    for found in _CARD.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if _ISSUED.fullmatch(digits):
            from stdnum import luhn

            if luhn.is_valid(digits):
                yield found.span()


def _emails(text: str) -> _Spans:
    return (found.span() for found in _EMAIL.finditer(text))


def _national_ids(text: str) -> _Spans:
    from chatdesk.services.personalize.examples.national_ids import national_id_spans

    return national_id_spans(text) if _DIGIT.search(text) else ()


def _phones(text: str) -> _Spans:
    from chatdesk.services.personalize.examples.phones import phone_spans

    return phone_spans(text)


# In this order: the most certain form first.
_DETECTORS: tuple[tuple[FindingKind, Callable[[str], _Spans]], ...] = (
    (FindingKind.KEY, _keys),
    (FindingKind.PASSWORD, _passwords),
    (FindingKind.IBAN, _ibans),
    (FindingKind.EMAIL, _emails),
    (FindingKind.CARD, _cards),
    (FindingKind.NATIONAL_ID, _national_ids),
    (FindingKind.PHONE, _phones),
)
