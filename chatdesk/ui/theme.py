"""The look of the app: colour tokens from TOML, one style sheet, fonts.

Colours are named by their use (`text`, `muted`, `accent`, ...) and are only in
`assets/themes/*.toml`; `widgets.qss` and the widgets that paint themselves take them from a
`Theme`. The style sheets know a unit of their own: `sp` are pixels that grow with the text, and
`$strong` is the weight of headings.
"""

import re
import sys
import tomllib
from dataclasses import asdict, dataclass
from string import Template

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette, QResizeEvent
from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.core.i18n import current_language
from chatdesk.core.paths import assets_dir

TEXT_PX = 14.0
SMALL_PX = 12.5
TINY_PX = 11.5
CODE_PX = 12.8
LINE_HEIGHT = 1.55

THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Theme:
    """The colour tokens of one theme, each a `#RRGGBB` string.

    Words are in one of three: `text`, `muted`, and `quiet` for headings, figures and hints.
    `faint` is for decoration only: it has too little contrast for text that matters.
    """

    name: str
    background: str
    sidebar: str
    surface: str
    user_card: str
    hover: str
    line: str
    text: str
    muted: str
    quiet: str
    faint: str
    accent: str
    accent_hover: str
    accent_soft: str
    on_accent: str
    danger: str
    warn: str
    blue: str
    code: str
    selection: str
    text_selection: str
    match: str
    code_keyword: str
    code_string: str
    code_number: str
    code_comment: str


def load_theme(name: str) -> Theme:
    """Load the theme `name` (one of `THEMES`). A missing or unknown token raises `TypeError`."""
    text = (assets_dir() / "themes" / f"{name}.toml").read_text(encoding="utf-8")
    return Theme(name=name, **tomllib.loads(text))


def system_theme_name(app: QApplication) -> str:
    """Return `dark` when the system asks for it, else `light`."""
    dark = app.styleHints().colorScheme() is Qt.ColorScheme.Dark
    return "dark" if dark else "light"


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Apply a theme to the whole application; may be called again while it runs."""
    if not app.styleSheet():
        app.setStyle("Fusion")
    app.setPalette(_palette(theme))
    themes = assets_dir() / "themes"
    sheets = sorted(themes.glob("*.qss"))
    sheet = "\n".join(path.read_text(encoding="utf-8") for path in sheets)
    scale = text_scale()
    sheet = _SCALED.sub(lambda size: f"{float(size[1]) * scale:.4g}px", sheet)
    strong = strong_weight().value
    values = {**asdict(theme), "themes": themes.as_posix(), "strong": strong}
    app.setStyleSheet(Template(sheet).substitute(values))


def set_class(widget: QWidget, name: str) -> None:
    """Choose one of the style sheet's variants for `widget`, also after it was shown."""
    if widget.property("class") == name:
        return  # polishing once more costs as much as writing the figures that asked for it
    widget.setProperty("class", name)
    if widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        QApplication.sendEvent(widget, QEvent(QEvent.Type.StyleChange))


def load_fonts(app: QApplication) -> None:
    """Register the bundled fonts and make the text font the application's.

    Inter only on Linux, where there is no one system font; the code font everywhere. Scripts they
    lack (Chinese, Japanese, Korean, ...) come from the system's fonts.
    """
    folder = assets_dir() / "fonts"
    linux = sys.platform.startswith("linux")
    for path in sorted(folder.glob("*.[ot]tf")):
        if linux or path.name.startswith("JetBrainsMono"):
            QFontDatabase.addApplicationFont(str(path))
    font = QFont("Inter") if linux else app.font()
    font.setPixelSize(int(TEXT_PX))
    app.setFont(font)


def set_text_size(app: QApplication, percent: int) -> None:
    """Make all text of the app larger or smaller; the theme is to be applied again after it."""
    app.setProperty(_PERCENT, percent)
    app.setFont(text_font())


def arrange_again(app: QApplication) -> None:
    """Let all that arranges itself by its width do so again: larger text needs more of it.

    What is not shown does so when it is.
    """
    for window in app.topLevelWidgets():
        if window.isVisible():
            for widget in (window, *window.findChildren(QWidget)):
                app.sendEvent(widget, QResizeEvent(widget.size(), widget.size()))


def text_scale() -> float:
    """How large the text is, 1 as it was designed."""
    app = QApplication.instance()
    percent = app.property(_PERCENT) if app else None
    return (percent or 100) / 100


def scaled(pixels: float) -> int:
    """The room for text that needs so many pixels as it was designed; never less than that."""
    return round(pixels * max(1.0, text_scale()))


def code_font() -> QFont:
    """Return the monospaced font of code, in which every character is its own glyph."""
    font = QFont(["JetBrains Mono", QFontDatabase.systemFont(_FIXED).family()])
    font.setStyleHint(QFont.StyleHint.Monospace)
    for ligatures in ("calt", "liga"):  # they would show `-->` as one arrow
        font.setFeature(QFont.Tag(ligatures), 0)
    return _with_pixels(font, CODE_PX)


def text_font(pixels: float = TEXT_PX, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return the text font in another size or weight."""
    font = QFont(QApplication.font())
    font.setWeight(weight)
    return _with_pixels(font, pixels)


def strong_weight() -> QFont.Weight:
    """The weight of headings and names; fonts of Chinese have none between regular and bold."""
    return QFont.Weight.Bold if current_language() == "zh_CN" else QFont.Weight.DemiBold


_FIXED = QFontDatabase.SystemFont.FixedFont
_PERCENT = "text_percent"  # a property of the application
_SCALED = re.compile(r"\b([\d.]+)sp\b")


def _with_pixels(font: QFont, pixels: float) -> QFont:
    # setPixelSize takes whole pixels only; points may be fractions.
    dpi = QApplication.primaryScreen().logicalDotsPerInch() if QApplication.primaryScreen() else 96
    font.setPointSizeF(pixels * text_scale() * 72.0 / dpi)
    return font


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for which, colour in {
        role.Window: theme.background,
        role.Base: theme.surface,
        role.AlternateBase: theme.sidebar,
        role.Button: theme.surface,
        role.WindowText: theme.text,
        role.Text: theme.text,
        role.ButtonText: theme.text,
        role.PlaceholderText: theme.muted,
        role.Highlight: theme.text_selection,
        role.HighlightedText: theme.text,
        role.Accent: theme.accent,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.ToolTipBase: theme.text,
        role.ToolTipText: theme.background,
        role.Light: theme.surface,
        role.Midlight: theme.hover,
        role.Mid: theme.line,
        role.Dark: theme.line,
        role.Shadow: theme.line,
    }.items():
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(theme.faint))
    return palette
