"""The token for the hub: in the system's keyring, never in our files or logs."""

import logging
import os
import re
import threading

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr

_log = logging.getLogger(__name__)

SERVICE = "chatdesk"
ACCOUNT = "hub token"
VARIABLE = "HF_TOKEN"


class HubToken:
    """The user's token, else the one of `HF_TOKEN`. The keyring is asked once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._token: str | None = None  # not read yet; "" means none

    def get(self) -> str | None:
        """Return the token, if there is one. A keyring may ask the user to unlock it."""
        with self._lock:
            if self._token is None:
                self._token = _read()
            given = self._token or os.environ.get(VARIABLE, "").strip()
        return given if _is_token(given) else None

    def set(self, token: str) -> None:
        """Use a token from now on, "" for none.

        Raises `EnvironmentProblem` for an invalid token; also where no keyring saves it, so that it
        is used only until ChatDesk ends.
        """
        token = token.strip()
        if token and not _is_token(token):
            raise EnvironmentProblem(
                tr("That is not an access token of the hub."),
                tr("Copy it from the hub's page again."),
            )
        with self._lock:
            self._token = token
            _write(token)


def keyring_name() -> str:
    """Return the name of this system's keyring; "" where none would save a token."""
    import keyring
    from keyring.backends.fail import Keyring as Fail
    from keyring.backends.null import Keyring as Null

    found = keyring.get_keyring()
    return "" if isinstance(found, Fail | Null) else found.name


def _is_token(text: str) -> bool:
    """Return True if it can be in the header of a request."""
    return re.fullmatch(r"[!-~]{1,1000}", text) is not None


def _read() -> str:
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(SERVICE, ACCOUNT) or ""
    except KeyringError as problem:
        _log.warning("the keyring was not read: %s", type(problem).__name__)
        return ""


def _write(token: str) -> None:
    import keyring
    from keyring.errors import KeyringError

    try:
        if token:
            keyring.set_password(SERVICE, ACCOUNT, token)
        elif keyring.get_password(SERVICE, ACCOUNT):
            keyring.delete_password(SERVICE, ACCOUNT)
        is_kept = (keyring.get_password(SERVICE, ACCOUNT) or "") == token  # some save nothing
    except KeyringError as problem:
        _log.warning("the keyring was not written: %s", type(problem).__name__)
        is_kept = not token
    if not is_kept:
        raise EnvironmentProblem(
            tr("This system has no keyring that keeps the token: it is used until ChatDesk ends."),
            tr("Set up a keyring, or start ChatDesk with {variable} set.", variable=VARIABLE),
        )
