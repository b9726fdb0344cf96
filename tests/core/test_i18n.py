"""The sentences, and that every language has all of them."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from chatdesk.core import i18n
from chatdesk.core.i18n import LANGUAGES, set_language, system_language, tie_units, tr, trn
from chatdesk.core.paths import assets_dir

PACKAGE = Path(i18n.__file__).parent.parent
LOCALE = assets_dir() / "locale"
CATALOGS = sorted(LOCALE.glob("*/LC_MESSAGES/chatdesk.po"))
KEYWORDS: dict[str, Any] = {"tr": None, "trn": (1, 2)}  # as in dev.py


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    set_language("en", LOCALE)
    yield
    set_language("en", LOCALE)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of `tr` and `trn` in the package, with where it is."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in KEYWORDS
            ):
                yield f"{file.relative_to(PACKAGE)}:{node.lineno}", node


def forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """A sentence, or a counted thing's singular and plural."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def by_source(catalog: Catalog) -> dict[tuple[str, ...], Message]:
    return {forms(message.id): message for message in catalog if message.id}


def translations(catalog: Path) -> dict[tuple[str, ...], Message]:
    with catalog.open("rb") as file:
        return by_source(read_po(file, locale=catalog.parts[-3]))


each_catalog = pytest.mark.parametrize("catalog", CATALOGS, ids=lambda each: each.parts[-3])


def test_placeholders_are_filled() -> None:
    assert tr("{n} of {total}", n=1, total="2") == "1 of 2"
    assert tr("as {it} stands") == "as {it} stands"
    assert [trn("{n} chat of {who}", "{n} chats of {who}", n, who="me") for n in (1, 2)] == [
        "1 chat of me",
        "2 chats of me",
    ]


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("zh_CN.UTF-8", "zh_CN"),
        ("zh_TW", "zh_CN"),
        ("zh", "zh_CN"),
        ("Chinese (Simplified)_China.936", "zh_CN"),  # as Windows says it
        ("zha_XX", "en"),
        ("xx_YY.UTF-8", "en"),
        ("English_United States.1252", "en"),
        ("C", "en"),
    ],
)
def test_the_language_of_the_system(
    monkeypatch: pytest.MonkeyPatch, name: str, language: str
) -> None:
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", name)
    assert system_language() == language


def test_an_unknown_language_is_english() -> None:
    set_language("xx", LOCALE)
    assert tr("Cancel") == "Cancel"


def test_every_sentence_is_a_literal_whose_placeholders_are_given() -> None:
    """Otherwise it could not be collected for translation, or would fail when it is said."""
    for where, call in calls():
        texts = call.args[: 2 if getattr(call.func, "id", "") == "trn" else 1]
        given = {keyword.arg for keyword in call.keywords if keyword.arg}
        spread = any(keyword.arg is None for keyword in call.keywords)
        for text in texts:
            assert isinstance(text, ast.Constant), where
            assert isinstance(text.value, str), where
            if given and not spread:
                assert placeholders(text.value) - {"n"} == given - {"n"}, where


def test_no_sentence_is_inside_an_f_string() -> None:
    """It would not be collected for translation."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for text in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(text, ast.JoinedStr):
                called = [each for each in ast.walk(text) if isinstance(each, ast.Call)]
                names = {getattr(each.func, "id", "") for each in called}
                assert names.isdisjoint(KEYWORDS), f"{file}:{text.lineno}"


@each_catalog
def test_every_sentence_is_translated(catalog: Path) -> None:
    known = translations(catalog)
    entries = extract_from_dir(PACKAGE, [("**.py", "python")], {}, KEYWORDS)
    found = {forms(entry[2]) for entry in entries}
    assert len(found) > 100
    translated = {source for source, message in known.items() if all(forms(message.string))}
    assert sorted(found - translated) == []


@each_catalog
def test_no_translation_loses_a_placeholder(catalog: Path) -> None:
    for source, message in translations(catalog).items():
        for text in forms(message.string):
            if text:  # else it is missing, which is told above
                assert placeholders(text) == placeholders(source[-1]), source


@each_catalog
def test_no_translation_is_a_guess(catalog: Path) -> None:
    assert [source for source, message in translations(catalog).items() if message.fuzzy] == []


def test_chinese_says_you_in_one_way() -> None:
    (catalog,) = (each for each in CATALOGS if "zh_CN" in each.parts)
    polite = [s for s, message in translations(catalog).items() if "您" in str(message.string)]
    assert polite == []


@each_catalog
def test_the_compiled_catalog_is_in_step(catalog: Path) -> None:
    with catalog.with_suffix(".mo").open("rb") as file:
        compiled = by_source(read_mo(file))
    assert {source: forms(message.string) for source, message in compiled.items()} == {
        source: forms(message.string) for source, message in translations(catalog).items()
    }


def test_it_speaks_every_language_it_lists() -> None:
    said = set()
    for language in LANGUAGES:
        set_language(language, LOCALE)
        said.add(tr("Cancel"))
    assert len(said) == len(LANGUAGES)
    assert {"en", *(each.parts[-3] for each in CATALOGS)} == set(LANGUAGES)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["2\u00a0GB", "2\u00a0min 3\u00a0s", "2\u00a0tokens/s", "2\u00a0%"]),
        ("zh_CN", ["2\u00a0GB", "2\u00a0分 3\u00a0秒", "2\u00a0词元/秒", "2%"]),
    ],
)
def test_a_number_and_its_unit_stay_on_one_line_in_the_window(
    language: str, said: list[str]
) -> None:
    def words() -> list[str]:
        return [
            tr("{n} GB", n=2),
            tr("{minutes} min {seconds} s", minutes=2, seconds=3),
            tr("{n} tokens/s", n=2),
            tr("{n} %", n=2),
        ]

    set_language(language, LOCALE)
    tie_units(True)
    try:
        assert words() == said
    finally:
        tie_units(False)
    assert words() == [each.replace("\u00a0", " ") for each in said]  # as a terminal has them
