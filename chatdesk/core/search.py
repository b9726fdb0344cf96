"""What is searched for, and what was found."""

import re
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import cached_property

from chatdesk.core.chat import Role
from chatdesk.core.folding import JOINED, ONE_WORD, folded, tokens
from chatdesk.core.unicode import sound_text

MATCH_BEGINS, MATCH_ENDS = "\u0002", "\u0003"  # around what matches in a snippet

_BETWEEN = re.compile(r"\s+")


@dataclass(frozen=True)
class Term:
    """Folded words that must stand in a text as they are; with `is_prefix` the last may go on."""

    text: str
    is_prefix: bool = False

    @cached_property
    def tokens(self) -> list[str]:
        """Its words, signs, and runs of scripts without blanks."""
        return tokens(self.text)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What it is in a folded text. Blanks stand for all that is between words."""
        parts = map(re.escape, _BETWEEN.split(self.text))
        begins = f"(?<!{ONE_WORD})" if re.match(ONE_WORD, self.text) else ""
        goes_on = self.is_prefix or not re.search(f"{ONE_WORD}\\Z", self.text)
        return re.compile(f"{begins}{_SEPARATORS.join(parts)}{'' if goes_on else _NO_MORE}")

    @cached_property
    def whole(self) -> re.Pattern[str]:
        """What it is as whole words, also where it is a prefix."""
        return Term(self.text).pattern


_SEPARATORS = f"(?:(?![{JOINED}])[\\W_])+"
_NO_MORE = f"(?!{ONE_WORD})"


@dataclass(frozen=True)
class Filters:
    """Where to search. `project` and `model` are parts of names; moments are as `Message`'s."""

    project: str | None = None
    model: str | None = None
    role: Role | None = None
    before: datetime | None = None
    after: datetime | None = None
    has_code: bool = False
    has_attachment: bool = False

    @property
    def of_place(self) -> "Filters":
        """Those that titles have as well, and every row."""
        return Filters(project=self.project, before=self.before, after=self.after)


@dataclass(frozen=True)
class Query:
    """What is searched for: every term, none of the excluded ones, within the filters."""

    terms: tuple[Term, ...] = ()
    excluded: tuple[Term, ...] = ()
    filters: Filters = field(default_factory=Filters)

    def within(self, given: Filters) -> "Query":
        """Return the query with these filters beside its own, which count more."""
        merged = {
            each.name: getattr(self.filters, each.name) or getattr(given, each.name)
            for each in fields(Filters)
        }
        return replace(self, filters=Filters(**merged))

    @property
    def is_empty(self) -> bool:
        """True where nothing is asked."""
        return not self.terms and not self.excluded and self.filters == Filters()

    @property
    def names_titles(self) -> bool:
        """True where a title can match: it has no writer, and is no answer to filters alone."""
        return bool(self.terms) and self.filters == self.filters.of_place


@dataclass(frozen=True, slots=True)
class Hit:
    """A message, or with `message_id` None a title, in which everything was found.

    In `snippet`, and in a title's `title`, what matches is between `MATCH_BEGINS` and `MATCH_ENDS`.
    """

    conversation_id: str
    title: str
    created: datetime
    snippet: str
    message_id: str | None = None
    role: Role | None = None
    model: str = ""
    project_id: str | None = None
    is_archived: bool = False
    is_thinking: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The hits, the best first.

    `has_more`: there are others, older ones. `back_to` is where the search ended early, for it took
    too long. `waiting` conversations are not searched yet. No project is called `unknown_project`.
    """

    hits: tuple[Hit, ...] = ()
    has_more: bool = False
    back_to: datetime | None = None
    waiting: int = 0
    unknown_project: str = ""
    seconds: float = 0.0

    @property
    def conversations(self) -> int:
        """In how many conversations something was found."""
        return len({hit.conversation_id for hit in self.hits})


_CHUNK = re.compile(
    r"""(?P<minus>-(?=["\w\u0080-\U0010ffff]))?
    (?:(?P<key>in|model|role|before|after|has)[:\uff1a](?=\S))?
    (?:"(?P<phrase>[^"]*[^\s"][^"]*)(?P<end>"|\Z)|(?P<word>\S+))""",
    re.VERBOSE | re.IGNORECASE,
)
_QUOTES = str.maketrans("“”„", '"""')
_SENTENCE_ENDS = ".,;:!?…。，；：！？、"
_PREFIX = re.compile(f"{ONE_WORD}+\\*")
_DATE = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?")
_ROLES = {
    **dict.fromkeys(("user", "me", "you"), Role.USER),
    **dict.fromkeys(("assistant", "answer", "model", "ai"), Role.ASSISTANT),
    "system": Role.SYSTEM,
}


def parse(words: str, *, typing: bool = False) -> Query:
    """Return what was typed as a query. Nothing is wrong: what is no command is a word.

    While it is being `typing`, the last word may go on.
    """
    terms: list[Term] = []
    excluded: list[Term] = []
    filters: dict[str, object] = {}
    words = sound_text(words).translate(_QUOTES)
    for chunk in _CHUNK.finditer(words):
        is_last = typing and chunk.end() == len(words)
        value = chunk["phrase"] or chunk["word"]
        if chunk["key"] and not chunk["minus"]:
            filter_ = _filter(chunk["key"].lower(), value)
            if filter_:
                filters |= filter_
                continue
        if chunk["key"]:
            value = f"{chunk['key']}:{value}"
        term = _phrase(value, is_last and not chunk["end"]) if chunk["phrase"] else None
        (excluded if chunk["minus"] else terms).append(term or _word(value, is_last))
    kept = [each for each in dict.fromkeys(terms) if each.text]
    return Query(tuple(kept), tuple(each for each in excluded if each.text), Filters(**filters))  # type: ignore[arg-type]


def _phrase(words: str, may_go_on: bool) -> Term:
    return Term(folded(words).strip(), may_go_on)


def _word(word: str, may_go_on: bool) -> Term:
    text = folded(word).strip()
    if _PREFIX.fullmatch(text):
        return Term(text[:-1], is_prefix=True)
    bare = text.rstrip(_SENTENCE_ENDS)
    if tokens(bare):
        text = bare
    return Term(text, may_go_on)


def _filter(key: str, value: str) -> dict[str, object]:
    """Return what a `key:value` asks; nothing when it is none."""
    name = folded(value)
    if key == "in":
        return {"project": value}
    if key == "model":
        return {"model": value}
    if key == "role":
        return {"role": _ROLES[name]} if name in _ROLES else {}
    if key == "has":
        if name in ("code", "attachment"):
            return {f"has_{name}": True}
        return {}
    moment = beginning(value)
    return {key: moment} if moment else {}


def beginning(date: str) -> datetime | None:
    """Return when a year, month or day (2024, 2024-05, 2024-05-17) begins here; None for others."""
    found = _DATE.fullmatch(date)
    if not found:
        return None
    try:
        day = datetime(int(found[1]), int(found[2] or 1), int(found[3] or 1))
        return day.astimezone()
    except (ValueError, OverflowError, OSError):  # the 31st of June; a year without a time zone
        return None
