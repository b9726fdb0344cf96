"""Properties of text formats for what a text document cannot draw itself; `ProseView` paints it."""

from PySide6.QtGui import QTextFormat

_FIRST = QTextFormat.Property.UserProperty.value + 1

INLINE_CODE = _FIRST  # of characters: on a rounded ground
QUOTE_DEPTH = _FIRST + 1  # of a block: so many bars beside it
RULE = _FIRST + 2  # of a block: a line in its place
CODE_BLOCK = _FIRST + 3  # of a block: on a ground
TASK = _FIRST + 4  # of a block: with a box before it; True is done
MARKER = _FIRST + 5  # of a block: the words before an item of a list
