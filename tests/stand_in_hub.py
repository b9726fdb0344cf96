"""A stand-in for the Hugging Face hub on loopback: its real API over real HTTP, and its faults."""

from types import TracebackType
from typing import Self

from tests.hub_content import Fault, HubContent
from tests.hub_server import STRANGER, TOKEN, Asked, HubServer

__all__ = ["STRANGER", "TOKEN", "Asked", "Fault", "StandInHub"]


class StandInHub(HubContent):
    """The hub while it is entered. `endpoint` is what HF_ENDPOINT would be.

    `requests` are those that reached it, `elsewhere` those that reached the other host, which files
    are redirected to.
    """

    def __init__(self) -> None:
        super().__init__()
        self._hub = HubServer(self, is_hub=True)
        self._other = HubServer(self, is_hub=False)
        self._hub.other_host = self.other_host = self._other.address
        self.endpoint = self._hub.address
        self.requests = self._hub.asked
        self.elsewhere = self._other.asked

    def __enter__(self) -> Self:
        self._hub.start()
        self._other.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._hub.stop()
        self._other.stop()
