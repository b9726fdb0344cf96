"""Chats of a made home: one for each kind of message, and many to fill the list."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from chatdesk.core.chat import (
    AnswerRecord,
    Conversation,
    MessageState,
    Rating,
    Role,
    TitleSource,
    new_conversation,
    new_message,
    now,
)
from chatdesk.core.parts import plain
from chatdesk.core.sampling import SamplingParams
from chatdesk.store.conversations import ConversationStore

USER, ASSISTANT = Role.USER, Role.ASSISTANT


@dataclass(frozen=True, slots=True)
class Line:
    """A message; `again` are other versions of it, of which the line itself is shown."""

    role: Role
    text: str
    state: MessageState = MessageState.COMPLETE
    thinking: str = ""
    error: str = ""
    pinned: bool = False
    rating: Rating | None = None
    again: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat of the made home; `days` is its age."""

    title: str
    lines: Sequence[Line] = field(default_factory=tuple)
    days: float = 0.0


def add_chat(store: ConversationStore, chat: Chat) -> str:
    """Store a chat; return its id."""
    moment = now() - timedelta(days=chat.days)
    empty = new_conversation(chat.title, TitleSource.USER, "", None)
    begins: Conversation | None = replace(empty, created=moment, updated=moment)
    parent = None
    for line in chat.lines:
        for text in (*line.again, line.text):
            message = new_message(
                empty.id,
                parent,
                line.role,
                plain(text, line.thinking),
                line.state,
                _record(line) if line.role is ASSISTANT else None,
            )
            message = replace(message, created=moment, pinned=line.pinned, rating=line.rating)
            store.add(message, begins=begins)
            begins = None
        parent = message.id
    return empty.id


def _record(line: Line) -> AnswerRecord:
    return AnswerRecord(
        model_name="Qwen3-4B-Instruct-2507",
        sampling=SamplingParams(),
        prompt_tokens=412,
        cached_tokens=380,
        completion_tokens=318,
        ttft_s=0.31,
        tokens_per_s=41.3,
        duration_s=7.7,
        error=line.error or None,
        thinking_s=4.2 if line.thinking else None,
    )


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
#### Heading four
##### Heading five
###### Heading six
Text right below it.

---

A footnote[^1], raw <b>HTML</b>, an image: ![a cat](https://example.org/cat.png)

1. In a list:
   ```sh
   pip install chatdesk
   sudo rm -rf / # do not
   ```

```
a very long line of code without a language, on and on and on, until it is wider than the card is
```

[^1]: What a footnote says.
"""

WIDE_TABLE = (
    "Every month in one table:\n\n"
    + "| Name | "
    + " | ".join(f"Column number {n}" for n in range(1, 14))
    + " |\n"
    + "|---" * 14
    + "|\n"
    + "\n".join(
        f"| Row {row} | " + " | ".join(f"words {row * n}" for n in range(1, 14)) + " |"
        for row in range(1, 31)
    )
    + "\n\nThat is all there is."
)

LONG_CODE = "```python\n" + "\n".join(f"value_{n} = compute({n})" for n in range(120)) + "\n```\n"

CHINESE = """\
量子纠缠是指两个粒子的状态**彼此关联**：测量其中一个，另一个的结果也随之确定。

- 它不能用来传递信息；
- 它是 `量子计算` 的基础。

| 概念 | 说明 |
|---|---|
| 叠加 | 同时处于多个状态 |
| 纠缠 | 状态不能分开描述 |
"""

ARABIC = """\
اللغة العربية تُكتب من **اليمين إلى اليسار**، وهذا نص تجريبي.

> اقتباس قصير من سطر واحد.

1. أولاً
2. ثانياً

| الاسم | العدد |
|---|---|
| تفاح | ٣ |
| برتقال | ٥ |
"""

ESSAY = "\n\n".join(
    f"Paragraph {n} of an essay that somebody pasted whole into the field, to ask about it. "
    "It goes on for a while, so that the card is higher than the window is."
    for n in range(1, 16)
)

QUESTION = (
    "How do I prune an old fig tree, and could you compute how much shorter it gets if I take a "
    "third each winter for three years?"
)

MARKDOWN_CHAT = Chat(
    "How to prune an old fig tree in three winters without losing its fruit",
    (
        Line(USER, QUESTION),
        Line(ASSISTANT, PRUNING, rating=Rating.UP),
        Line(USER, "Show me everything\nin two lines", pinned=True),
        Line(ASSISTANT, EVERYTHING, rating=Rating.DOWN),
    ),
)
WIDE_CHAT = Chat(
    "A wide table and long code",
    (Line(USER, "All months, please"), Line(ASSISTANT, WIDE_TABLE + "\n\n" + LONG_CODE)),
)
SCRIPTS_CHAT = Chat(
    "量子纠缠的通俗解释，以及其他语言",
    (
        Line(USER, "量子纠缠的通俗解释"),
        Line(ASSISTANT, CHINESE),
        Line(USER, "اكتب بالعربية"),
        Line(ASSISTANT, ARABIC),
    ),
)
THINKING_CHAT = Chat(
    "A riddle",
    (
        Line(USER, "What has keys but opens no lock?"),
        Line(
            ASSISTANT,
            "A **piano**.",
            thinking="Keys that open nothing.\n\nA piano has keys. So has a map.",
        ),
    ),
)
VERSIONS_CHAT = Chat(
    "Three versions",
    (
        Line(USER, "A name for a boat, please", again=("A name for a cat", "A name for a dog")),
        Line(ASSISTANT, "Call it *Patience*.", again=("Aurora.", "The Second Wind.")),
    ),
)
LONG_QUESTION_CHAT = Chat(
    "An essay", (Line(USER, ESSAY), Line(ASSISTANT, "It repeats itself fifteen times."))
)
STOPPED_CHAT = Chat(
    "A story that was stopped",
    (
        Line(USER, "Tell me a story"),
        Line(ASSISTANT, "Once there was a fox who", MessageState.STOPPED),
    ),
)
INTERRUPTED_CHAT = Chat(
    "An answer that was interrupted",
    (Line(USER, "And now?"), Line(ASSISTANT, "It began well, and", MessageState.INTERRUPTED)),
)
FAILED_CHAT = Chat(
    "An answer that failed",
    (
        Line(USER, "Again"),
        Line(
            ASSISTANT,
            "",
            MessageState.FAILED,
            error="The engine ended: not enough memory. Choose a smaller model.",
        ),
    ),
)

KINDS = (
    MARKDOWN_CHAT,
    WIDE_CHAT,
    SCRIPTS_CHAT,
    THINKING_CHAT,
    VERSIONS_CHAT,
    LONG_QUESTION_CHAT,
    STOPPED_CHAT,
    INTERRUPTED_CHAT,
    FAILED_CHAT,
)

RATED = tuple(
    Chat(
        f"Rated {n}",
        (
            Line(USER, f"How long does egg number {n} take? Write to anna{n}@example.org."),
            Line(ASSISTANT, f"Egg number {n} takes {n + 4} minutes, then cold water.", rating=good),
        ),
        days=12,
    )
    for n, good in ((1, Rating.UP), (2, Rating.UP), (3, Rating.DOWN))
)


def fillers(count: int) -> list[Chat]:
    """Chats that only fill the list, of all ages."""
    titles = (
        "Plans for the garden",
        "Trip to Lisbon: trains, hostels, and what to see when it rains all week",
        "A letter to the landlord",
        "Regular expressions",
        "给妈妈的生日祝福",
        "Soup",
        "Notes on <b>markup</b> & ampersands",
        "The-longest-word-without-a-space-that-anybody-ever-typed-into-a-title",
    )
    return [
        Chat(
            titles[n % len(titles)], (Line(USER, "Hello"), Line(ASSISTANT, "Hello!")), days=0.7 * n
        )
        for n in range(count)
    ]
