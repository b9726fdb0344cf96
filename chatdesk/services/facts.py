"""Facts that services publish. Each feature's facts are in the `facts.py` of its folder."""

from collections.abc import Callable
from typing import Any, TypeVar


class Fact:
    """An event. Facts are frozen dataclasses, published from any thread."""

    __slots__ = ()


_F = TypeVar("_F", bound=Fact)
Publish = Callable[[Fact], None]


class Subscribers:
    """Calls the subscribers of a type of fact, in the order in which they subscribed.

    A fact without subscribers is normal. Subscribers of `Fact` get all of them.
    """

    def __init__(self) -> None:
        self._handlers: list[tuple[type[Fact], Callable[[Any], object]]] = []

    def subscribe(self, kind: type[_F], handler: Callable[[_F], object]) -> None:
        """Call `handler` with every fact of this type from now on."""
        self._handlers.append((kind, handler))

    def publish(self, fact: Fact) -> None:
        """Call the handlers of a fact, on the thread of the caller."""
        for kind, handler in self._handlers:
            if isinstance(fact, kind):
                handler(fact)
