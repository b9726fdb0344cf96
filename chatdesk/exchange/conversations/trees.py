"""Trees as exports promise them, and as they are: with gaps, two roots, or in a circle."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from chatdesk.core.chat import Role
from chatdesk.core.i18n import tr
from chatdesk.core.imported import ImportedMessage, Unreadable
from chatdesk.core.parts import Thinking


@dataclass(slots=True)
class Node:
    """A node of an export's tree.

    Without a `message` its children are joined to what is above it; its `thinking` is then that of
    the next answer below.
    """

    id: str
    parent: str | None
    children: Sequence[str] = ()
    message: ImportedMessage | None = None
    thinking: str = ""


@dataclass(frozen=True, slots=True)
class Tree:
    """The messages, parents first, the leaf that is shown, and why some of them are missing."""

    messages: tuple[ImportedMessage, ...]
    shown: str | None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Growing:
    messages: list[ImportedMessage] = field(default_factory=list)
    kept: dict[str, str | None] = field(default_factory=dict)  # by node: the message shown for it


def tree_of(nodes: Iterable[Node], current: str | None) -> Tree:
    """Return the tree of nodes in any order, shown at `current` or else at the newest leaf.

    What hangs in a circle is left out with a note; raises `Unreadable` when nothing else is there.
    """
    by_id: dict[str, Node] = {}
    for node in nodes:
        by_id.setdefault(node.id, node)
    parents = _parents(by_id)
    below = _below(by_id, parents)
    grown = _Growing()
    _grow(by_id, below, grown)
    notes: tuple[str, ...] = ()
    circling = [node for node in by_id.values() if node.id not in grown.kept and node.message]
    if circling:
        reason = tr("The chat points at itself: a message is its own ancestor.")
        if not grown.messages:
            raise Unreadable(reason)
        notes = (reason,)
    start = grown.kept.get(current) if current else None
    return Tree(tuple(grown.messages), _leaf(grown.messages, start), notes)


def line_of(messages: Iterable[ImportedMessage]) -> tuple[ImportedMessage, ...]:
    """Return messages below each other in their order."""
    line: list[ImportedMessage] = []
    seen: set[str] = set()
    for message in messages:
        if message.id not in seen:
            seen.add(message.id)
            line.append(replace(message, parent=line[-1].id if line else None))
    return tuple(line)


def _parents(by_id: dict[str, Node]) -> dict[str, str | None]:
    """The parent of each node: what it says itself, else who lists it as a child."""
    listed: dict[str, str] = {}
    for node in by_id.values():
        for child in node.children:
            listed.setdefault(child, node.id)
    return {
        node.id: node.parent if node.parent in by_id else listed.get(node.id)
        for node in by_id.values()
    }


def _below(by_id: dict[str, Node], parents: dict[str, str | None]) -> dict[str | None, list[str]]:
    """The children of each node: in the order in which it lists them, then in the file's."""
    below: dict[str | None, list[str]] = {}
    for node_id, parent in parents.items():
        below.setdefault(parent, []).append(node_id)
    for parent, children in below.items():
        if parent is not None and by_id[parent].children and len(children) > 1:
            places = {child: place for place, child in enumerate(by_id[parent].children)}
            children.sort(key=lambda child: places.get(child, len(places)))
    return below


def _grow(by_id: dict[str, Node], below: dict[str | None, list[str]], grown: _Growing) -> None:
    """Walk down from the roots, depth first; a parent comes before its children."""
    waiting: list[tuple[str, str | None, Node | None, str]] = [
        (root, None, None, "") for root in reversed(below.get(None, []))
    ]
    while waiting:
        node_id, above, thinker, thought = waiting.pop()
        node = by_id[node_id]
        children = below.get(node_id, [])
        if node.message is None and node.thinking:
            thinker, thought = node, f"{thought}\n\n{node.thinking}" if thought else node.thinking
        answers = node.message is not None and node.message.role is Role.ASSISTANT
        grown.kept[node_id] = above
        if thinker and not answers and (node.message or not children):  # nothing came of it
            if grown.kept[thinker.id] != thinker.id:
                thinking = (Thinking(thought),)
                alone = ImportedMessage(thinker.id, above, Role.ASSISTANT, thinking)
                grown.messages.append(alone)
                grown.kept[alone.id] = alone.id
            above, thinker, thought = thinker.id, None, ""
        if node.message:
            parts = (Thinking(thought), *node.message.parts) if thinker else node.message.parts
            grown.messages.append(replace(node.message, parent=above, parts=parts))
            above, thinker, thought = node.message.id, None, ""
            grown.kept[node_id] = above
        waiting += [(child, above, thinker, thought) for child in reversed(children)]


def _leaf(messages: Sequence[ImportedMessage], start: str | None) -> str | None:
    """The leaf below a message, always by its last child; without one the newest leaf."""
    if not messages:
        return None
    last = {message.parent: message.id for message in messages}
    if start is None:
        leaves = [
            (message.created, place)
            for place, message in enumerate(messages)
            if message.created and message.id not in last
        ]
        start = messages[max(leaves)[1] if leaves else -1].id
    while start in last:
        start = last[start]
    return start
