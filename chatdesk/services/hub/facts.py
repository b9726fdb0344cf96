"""Facts of downloads."""

from dataclasses import dataclass

from chatdesk.services.facts import Fact


@dataclass(frozen=True, slots=True)
class DownloadsChanged(Fact):
    """The list of downloads changed, or the state of one."""


@dataclass(frozen=True, slots=True)
class DownloadProgressed(Fact):
    """A download made progress; `seconds_left` is 0 where it is not known yet."""

    download_id: str
    received: int
    bytes_per_s: float
    seconds_left: float
