"""The check for a newer version: only with the user's consent, or when the button is pressed.

Nothing is downloaded or installed: a newer version is reported, and its page opened on request. The
report is `{"version", "notes": {"en", ...}, "page"}`, signed with the key that belongs to
`PUBLIC_KEY` (see `library/signed_file.py` and `packaging/sign_update.py`).
"""

import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from chatdesk import __version__
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.files import write_json
from chatdesk.core.i18n import current_language, tr
from chatdesk.library.hub.signed_file import fetch_signed

_log = logging.getLogger(__name__)

ADDRESS = ""  # https, where the signed file lies; while there is none, nothing is offered or asked
PUBLIC_KEY = bytes.fromhex("9e0eed851f27c6a64b787fc7fe303c00cfe975611c44be312242f51f05e601f3")
DAY_S = 24 * 3600.0
MAX_NOTES = 600  # characters


@dataclass(frozen=True, slots=True)
class Release:
    """A version, what is new in it by language, and the page to get it from."""

    version: str
    notes: dict[str, str]
    page: str

    @property
    def news(self) -> str:
        """The news, in the user's language or in English."""
        return self.notes.get(current_language(), self.notes["en"])


class UpdateService:
    """Looks for a newer version than this one. `state` is a file that remembers when it did."""

    def __init__(
        self,
        state: Path,
        address: str = ADDRESS,
        public_key: bytes = PUBLIC_KEY,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._state = state
        self._address = address
        self._key = public_key
        self._now = now
        self._looked = _read_time(state)

    @property
    def host(self) -> str:
        """The server of the check; "" without one."""
        return urlsplit(self._address).hostname or ""

    def look(self) -> Release | None:
        """The newest version if it is newer than this one. Raises `EnvironmentProblem`."""
        self._remember()
        release = read_release(fetch_signed(self._address, self._key))
        return release if _numbers(release.version) > _numbers(__version__) else None

    def look_if_due(self) -> Release | None:
        """The same, but once a day, and a problem is only logged."""
        if not self.host or 0 <= self._now() - self._looked < DAY_S:
            return None
        try:
            return self.look()
        except EnvironmentProblem as problem:
            _log.info("no news of versions: %s", problem.what)
            return None

    def _remember(self) -> None:
        """A request that fails counts too: the next is tomorrow's."""
        self._looked = self._now()
        try:
            write_json(self._state, {"looked": self._looked})
        except OSError as problem:
            _log.warning("the look for a newer version was not noted: %s", problem.strerror)


def read_release(body: bytes) -> Release:
    """A version from its JSON. Raises `EnvironmentProblem` where it makes no sense."""
    try:
        release = msgspec.json.decode(body, type=Release)
        _numbers(release.version)
        if not _is_sound(release):
            raise ValueError(release)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        raise EnvironmentProblem(
            tr("The answer of the update server cannot be read."), tr("Try again later.")
        ) from None
    return release


def _is_sound(release: Release) -> bool:
    page = urlsplit(release.page)
    texts = release.notes.values()
    return (
        page.scheme == "https"
        and bool(page.hostname)
        and "en" in release.notes
        and all(0 < len(text) <= MAX_NOTES and "<" not in text for text in texts)  # no markup
    )


def _numbers(version: str) -> tuple[int, ...]:
    """A version as what it is compared by. Raises `ValueError` for another form than 1.2.3."""
    if not re.fullmatch(r"\d{1,4}\.\d{1,4}\.\d{1,4}", version, re.ASCII):
        raise ValueError(version)
    return tuple(map(int, version.split(".")))


def _read_time(state: Path) -> float:
    """Seconds since 1970; 0 where it is not known."""
    try:
        looked = json.loads(state.read_bytes())["looked"]
    except (OSError, ValueError, RecursionError, TypeError, KeyError):
        return 0.0
    return looked if isinstance(looked, float) else 0.0
