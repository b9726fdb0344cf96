import re
import sys
import tomllib
from dataclasses import asdict, fields
from string import Template

import pytest
from PySide6.QtGui import QFontDatabase, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication, QLabel

from chatdesk.core.i18n import set_language
from chatdesk.core.paths import assets_dir
from chatdesk.core.settings import TEXT_PERCENTS
from chatdesk.ui.icons import icon
from chatdesk.ui.theme import THEMES, Theme, apply_theme, code_font, load_theme, set_class

TEXT_ON = {
    "text": ("background", "sidebar", "surface", "user_card", "hover", "selection", "code"),
    "muted": ("background", "sidebar", "surface", "user_card", "hover", "code"),
    "quiet": ("background", "sidebar", "surface"),
    "accent": ("background", "sidebar", "surface", "user_card", "accent_soft"),
    "danger": ("background", "sidebar", "surface", "hover"),
    "warn": ("background", "sidebar", "surface", "hover"),
    "on_accent": ("accent", "accent_hover"),
    "code_keyword": ("code",),
    "code_string": ("code",),
    "code_number": ("code",),
    "code_comment": ("code",),
    "background": ("text",),  # tooltips
}
SELECTED = ("text",)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""

    def linear(channel: str) -> float:
        value = int(channel, 16) / 255
        return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(colour[at : at + 2]) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("token", TEXT_ON)
def test_text_has_the_contrast_of_wcag_aa(name: str, token: str) -> None:
    colours = asdict(load_theme(name))
    for ground in TEXT_ON[token]:
        assert contrast(colours[token], colours[ground]) >= 4.5, ground


@pytest.mark.parametrize("name", THEMES)
def test_selected_text_and_the_focus_ring_can_be_seen(name: str) -> None:
    theme = load_theme(name)
    assert contrast(theme.text, theme.text_selection) >= 4.5
    for ground in (theme.background, theme.sidebar, theme.surface):
        assert contrast(theme.accent, ground) >= 3


def test_themes_define_the_same_tokens() -> None:
    wanted = {field.name for field in fields(Theme)} - {"name"}
    for name in THEMES:
        text = (assets_dir() / "themes" / f"{name}.toml").read_text(encoding="utf-8")
        tokens = tomllib.loads(text)
        assert set(tokens) == wanted
        assert all(re.fullmatch("#[0-9A-F]{6}", value) for value in tokens.values())


def test_colours_come_from_tokens_only() -> None:
    for path in (assets_dir() / "themes").glob("*.qss"):
        sheet = path.read_text(encoding="utf-8")
        assert re.search(r"#[0-9a-fA-F]{3,8}\b|rgb", sheet) is None, path
        Template(sheet).substitute(asdict(load_theme("light")), themes="a folder", strong=600)
    package = assets_dir().parent / "chatdesk" / "ui"
    for path in package.glob("*.py"):
        assert re.search(r"\"#[0-9a-fA-F]{3,8}\"", path.read_text(encoding="utf-8")) is None, path


def test_a_theme_reaches_palette_and_style(qapp: QApplication, theme: Theme) -> None:
    dark = load_theme("dark")
    apply_theme(qapp, dark)
    try:
        assert qapp.palette().color(QPalette.ColorRole.Window).name().upper() == dark.background
        assert dark.accent in qapp.styleSheet()
    finally:
        apply_theme(qapp, theme)


def test_a_class_changes_the_look_of_a_label(qapp: QApplication, theme: Theme) -> None:
    label = QLabel("words")
    label.ensurePolished()
    set_class(label, "danger")
    colour = label.palette().color(QPalette.ColorRole.WindowText).name().upper()
    assert colour == theme.danger


@pytest.mark.parametrize(("language", "weight"), [("en", 600), ("zh_CN", 700)])
def test_headings_are_bold_in_fonts_of_two_weights_as_those_of_chinese(
    qapp: QApplication, theme: Theme, language: str, weight: int
) -> None:
    set_language(language, assets_dir() / "locale")
    try:
        apply_theme(qapp, theme)
        title = QLabel("晚上好。")
        set_class(title, "title")
        title.ensurePolished()
        assert title.font().weight() == weight
    finally:
        set_language("en", assets_dir() / "locale")
        apply_theme(qapp, theme)


@pytest.mark.usefixtures("theme")
def test_bundled_fonts_are_there() -> None:
    assert QFontInfo(code_font()).family() == "JetBrains Mono"
    if sys.platform.startswith("linux"):
        assert "Inter" in QFontDatabase.families()
    assert "SIL OPEN FONT LICENSE" in (assets_dir() / "fonts" / "OFL.txt").read_text()


@pytest.mark.parametrize(
    "path", sorted((assets_dir() / "icons").glob("*.svg")), ids=lambda p: p.stem
)
def test_every_icon_draws_in_its_colour_only(qapp: QApplication, path: object) -> None:
    name = str(getattr(path, "stem", ""))
    image = (
        icon(name, "#FF0000")
        .pixmap(
            16,
            16,
        )
        .toImage()
    )
    seen = [image.pixelColor(x, y) for x in range(16) for y in range(16)]
    drawn = [colour for colour in seen if colour.alpha() > 40]
    assert drawn
    assert all(colour.red() > 240 and colour.green() < 15 for colour in drawn)


def test_round_buttons_are_round_with_text_of_any_size() -> None:
    """Qt draws a corner that is rounder than its button is high as none at all."""
    sheets = [each.read_text("utf-8") for each in (assets_dir() / "themes").glob("*.qss")]
    rule = re.compile(r"^(Q(?:Push|Tool)Button[^{]*)\{([^}]*border-radius: [\d.]+sp[^}]*)\}", re.M)
    rules = [found.groups() for sheet in sheets for found in rule.finditer(sheet)]
    rules = [each for each in rules if "jump" not in each[0]]  # it has a size of its own
    assert len(rules) == 3
    for name, look in rules:
        radius, least, pad = (
            float(re.search(words, look)[1])  # type: ignore[index]
            for words in (
                r"border-radius: ([\d.]+)sp",
                r"min-height: ([\d.]+)sp",
                r"padding: (\d+)",
            )
        )
        for scale in (percent / 100 for percent in TEXT_PERCENTS):
            assert 2 * radius * scale <= least * scale + 2 * (pad + 1), name
