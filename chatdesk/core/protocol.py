"""The base of every child's protocol: requests, and the events that answer them.

The messages of a child derive from these classes and are listed once, as the unions `EngineRequest`
and `EngineEvent` in `core.generation`, `TrainerRequest` and `TrainerEvent` in `core.training`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a child; it ends in exactly one `Terminal` event with its id.

    The end of the stream without one is a crash.
    """

    request_id: str


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a child about one request."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Terminal(Event):
    """The last event of a request."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop the request with this id, at any time. It has no answer of its own."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Shutdown:
    """End the process in good order: what is worth it is saved on disk first."""
