"""GBNF, llama.cpp's grammar format, rewritten as a Lark grammar for llguidance.

`grammars/README.md` of llama.cpp describes the format. Everything that its parser accepts is
accepted, left recursion too, except tokens in angle brackets. llguidance cuts text into the longest
lexemes, which GBNF does not do, so every character becomes its own lexeme.
"""

import json
import re

_MOST_RULES = 5000  # groups are rules as well; llguidance follows chains of them recursively
_HEADER = re.compile(r"([A-Za-z0-9-]+)[ \t]*::=")
_ITEM = re.compile(
    r"""(?P<space> [ \t]+ | \#[^\r\n]* ) | (?P<newline> [\r\n]+ )
    | (?P<literal> "(?:[^"\\]|\\.)*" ) | (?P<choice> \[(?:[^\]\\]|\\.)*\] ) | (?P<any> \. )
    | (?P<repeat> [*+?] | \{[ \t]*\d{1,9}[ \t]*(?:,[ \t]*(?:\d{1,9}[ \t]*)?)?\} )
    | (?P<name> [A-Za-z0-9-]+ ) | (?P<or> \| ) | (?P<open> \( ) | (?P<close> \) )""",
    re.VERBOSE | re.DOTALL,
)
_CHARACTER = re.compile(
    r"""\\x([0-9a-fA-F]{2}) | \\u([0-9a-fA-F]{4}) | \\U([0-9a-fA-F]{8})
    | \\([trn\\"\[\]-]) | ([^\\])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}
_NOTHING = '""'
_ANY = r"/[\x{0}-\x{10FFFF}]/"


class GbnfError(ValueError):
    """A text that is not GBNF; the message gives the place and the reason."""


def gbnf_to_lark(text: str) -> str:
    """Return the same grammar in Lark's format. Raises `GbnfError`."""
    return _Rewriter(text).rewrite()


class _Rewriter:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._names: dict[str, str] = {}  # from GBNF's to Lark's, which must be lower case
        self._rules: dict[str, str] = {}  # by Lark's names

    def rewrite(self) -> str:
        self._skip_empty_lines()
        while self._at < len(self._text):
            header = _HEADER.match(self._text, self._at)
            if not header:
                raise self._error("expected a rule like: root ::= ...")
            self._at = header.end()
            self._define(self._lark_name(header[1]), self._read_rule())
            self._skip_empty_lines()
        for name, lark_name in self._names.items():
            if lark_name not in self._rules:
                raise GbnfError(f"the rule {name} is missing")
        if "root" not in self._names:
            raise GbnfError("the rule root is missing")
        body = "\n".join(f"{name}: {rule}" for name, rule in self._rules.items())
        return f"start: {self._names['root']}\n{body}\n"

    def _read_rule(self) -> str:
        """Read a rule's right side, to the end of its line, or further inside parentheses."""
        levels: list[list[list[str]]] = [[[]]]  # alternatives of items, for each parenthesis
        goes_on = True  # after ::= and | the rule continues on the next line
        while self._at < len(self._text):
            item = _ITEM.match(self._text, self._at)
            if not item:
                raise self._error("unexpected character")
            kind, text = item.lastgroup, item[0]
            if kind == "newline" and not goes_on and len(levels) == 1:
                break
            self._read_item(kind, text, levels)
            self._at = item.end()
            goes_on = kind == "or" or (goes_on and kind in ("space", "newline"))
        if len(levels) > 1:
            raise self._error("a parenthesis is not closed")
        return _alternatives(levels[0])

    def _read_item(self, kind: str | None, text: str, levels: list[list[list[str]]]) -> None:
        items = levels[-1][-1]
        match kind:
            case "or":
                levels[-1].append([])
            case "open":
                levels.append([[]])
            case "close":
                if len(levels) == 1:
                    raise self._error("a parenthesis was not opened")
                group = self._group(_alternatives(levels.pop()))
                levels[-1][-1].append(group)
            case "repeat":
                if not items:
                    raise self._error("there is nothing to repeat")
                items[-1] = self._repeated(items[-1], text)
            case "name":
                items.append(self._lark_name(text))
            case "literal":
                characters = (chr(code) for code, _ in self._characters(text[1:-1]))
                quoted = (json.dumps(each, ensure_ascii=False) for each in characters)
                items.append(" ".join(quoted) or _NOTHING)
            case "choice":
                items.append(self._choice(text[1:-1]))
            case "any":
                items.append(_ANY)

    def _repeated(self, item: str, how: str) -> str:
        if how[0] == "{":
            least, comma, most = how[1:-1].replace(" ", "").replace("\t", "").partition(",")
            if most and int(most) < int(least):
                raise self._error("the most is less than the least")
            if int(most or (1 if comma else least)) == 0:
                return _NOTHING
            how = f"{{{least},{most}}}" if comma else f"{{{least}}}"
        if " " in item or item[-1] in "*+?}":
            item = self._group(item)
        return item + how

    def _choice(self, text: str) -> str:
        """Return a character class, whose ends are all written in hexadecimal."""
        negated = text.startswith("^")
        characters = self._characters(text[negated:])
        ranges = ""
        at = 0
        while at < len(characters):
            is_range = at + 2 < len(characters) and characters[at + 1][1] == "-"
            length = 3 if is_range else 1
            first, last = characters[at][0], characters[at + length - 1][0]
            if last < first:
                raise self._error("a range of characters ends before it begins")
            ranges += rf"\x{{{first:X}}}-\x{{{last:X}}}"
            at += length
        if not ranges:
            raise self._error("there is no character to choose")
        return f"/[{'^' if negated else ''}{ranges}]/"

    def _characters(self, text: str) -> list[tuple[int, str]]:
        """Return the code point of each character, and its spelling."""
        found: list[tuple[int, str]] = []
        at = 0
        while at < len(text):
            match = _CHARACTER.match(text, at)
            if not match:
                raise self._error("unknown escape sequence")
            hexadecimal = match[1] or match[2] or match[3]
            plain = _ESCAPED.get(match[4], match[4]) if match[4] else match[5]
            code = int(hexadecimal, 16) if hexadecimal else ord(plain)
            if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
                raise self._error("not a Unicode character")
            found.append((code, match[0]))
            at = match.end()
        return found

    def _group(self, body: str) -> str:
        name = f"g{len(self._rules)}"
        self._define(name, body)
        return name

    def _lark_name(self, name: str) -> str:
        return self._names.setdefault(name, f"r{len(self._names)}")

    def _define(self, name: str, body: str) -> None:
        self._rules[name] = body
        if len(self._rules) > _MOST_RULES:
            raise GbnfError(f"more than {_MOST_RULES} rules and groups")

    def _skip_empty_lines(self) -> None:
        while (item := _ITEM.match(self._text, self._at)) and item.lastgroup in (
            "space",
            "newline",
        ):
            self._at = item.end()

    def _error(self, message: str) -> GbnfError:
        line = self._text.count("\n", 0, self._at) + 1
        return GbnfError(f"line {line}: {message}")


def _alternatives(sequences: list[list[str]]) -> str:
    return " | ".join(" ".join(items) or _NOTHING for items in sequences)
