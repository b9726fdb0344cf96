"""Saves a picture of a conversation with everything in it, to look at.

`python -m benchmarks.gallery [light|dark] FILE.png [--width N] [--height N]`; run it with
`QT_SCALE_FACTOR=2` for a screen of twice the density. Set `QT_QPA_PLATFORM=offscreen` where there
is no screen.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

from chatdesk.core.chat import AnswerRecord, Message, MessageState, Role
from chatdesk.core.parts import plain
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.theme import THEMES, apply_theme, load_fonts, load_theme

PRUNING = """\
Prune in **late winter**, while the tree sleeps. Take out dead and crossing wood first, then \
shorten about a third of the oldest branches, always just above an outward bud.

| Winter | Height | Fruit to expect |
|---|---|---|
| 1 | 3.00 m | a little less |
| 2 | 2.00 m | about half |
| 3 | 1.33 m | recovers on new wood |

```python
def height(h0: float, winters: int) -> float:
    \"\"\"Height in metres after `winters` prunings by a third.\"\"\"
    return h0 * (2 / 3) ** winters
```

Keep the cuts clean and feed the tree with compost in March.
"""

EVERYTHING = """\
<think>They want to see everything. Start with headings.

Then lists.</think>
# Heading one

It calls `lookup()` once per element, and each call walks the whole list, so the work grows with \
*the square* of its ~~size~~ **length**. See <https://example.org> or [the manual](https://example.org/m).

## Heading two

1. First, install it
2. Then run it:
   - with a flag `--fast`
   - or without
     1. deeper
3. Done

- [ ] a task
- [x] a done task

> A quote of two lines,
> with *emphasis*.
>
> > And one inside.

### Heading three

---

A footnote[^1], raw <b>HTML</b>, an image: ![a cat](https://example.org/cat.png)

1. In a list:
   ```sh
   pip install chatdesk
   chatdesk
   ```

```
a very long line of code without a language, on and on and on, until it is wider than the card is
```

[^1]: What a footnote says.
"""

CHINESE = """\
量子纠缠是指两个粒子的状态**彼此关联**：测量其中一个，另一个的结果也随之确定。

- 它不能用来传递信息；
- 它是 `量子计算` 的基础。
"""


def message(
    number: int, role: Role, text: str, state: MessageState = MessageState.COMPLETE
) -> Message:
    """A message of the gallery."""
    answer = AnswerRecord(model_name="SmolLM2 135M", completion_tokens=318, duration_s=7.7)
    if state is MessageState.FAILED:
        answer = AnswerRecord(error="The engine ended: not enough memory. Choose a smaller model.")
    created = datetime(2026, 1, 1, tzinfo=UTC)
    shown = answer if role is Role.ASSISTANT else None
    return Message(str(number), "c", None, role, plain(text), state, created, shown)


def conversation() -> list[Message]:
    """Every kind of message."""
    user, assistant = Role.USER, Role.ASSISTANT
    return [
        message(
            1,
            user,
            "How do I prune an old fig tree, and could you compute how much shorter it gets if I "
            "take a third each winter for three years?",
        ),
        message(2, assistant, PRUNING),
        message(3, user, "Show me everything\nin two lines"),
        message(4, assistant, EVERYTHING),
        message(5, user, "量子纠缠的通俗解释"),
        message(6, assistant, CHINESE, MessageState.STOPPED),
        message(7, user, "And now?"),
        message(8, assistant, "It began well, and", MessageState.INTERRUPTED),
        message(9, user, "Again"),
        message(10, assistant, "", MessageState.FAILED),
    ]


def main() -> None:
    """Draw the conversation and save it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("theme", choices=THEMES)
    parser.add_argument("file", type=Path)
    parser.add_argument("--width", type=int, default=1016)
    parser.add_argument("--height", type=int, default=2600)
    options = parser.parse_args()
    app = QApplication([])
    load_fonts(app)
    theme = load_theme(options.theme)
    apply_theme(app, theme)
    window = QMainWindow()
    view = ChatView(theme)
    window.setCentralWidget(view)
    window.resize(options.width, options.height)
    view.show_path(conversation(), {"2": ["0", "2", "9"]})
    window.show()
    view.setFocus()
    wait = QEventLoop()
    QTimer.singleShot(400, wait.quit)
    wait.exec()
    window.grab().save(str(options.file))


if __name__ == "__main__":
    main()
