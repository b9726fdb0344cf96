"""What every child's protocol is made of: requests, and the events that answer them.

The messages of a child derive from these classes and are listed once, as the unions `EngineRequest`
and `EngineEvent` in `core.generation`, `TrainerRequest` and `TrainerEvent` in `core.training`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """What a child is to do; it ends in exactly one `Terminal` event with its id.

    The end of the stream without one is a crash.
    """

    request_id: str


@dataclass(frozen=True, slots=True)
class Event:
    """What a child says about one request."""

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
    """End the process in good order: what is worth it is kept on disk first."""
