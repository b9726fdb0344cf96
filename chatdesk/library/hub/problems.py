"""Problems between this computer and the hub, as sentences."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr, trn

if TYPE_CHECKING:
    import httpx2

LONGEST_WAIT_S = 24 * 3600.0  # that a server may ask for


class HubProblem(EnvironmentProblem):
    """The hub could not be reached, or did not answer as expected.

    `is_temporary` is true if the same may succeed later; `retry_after_s` is the wait that the hub
    asked for.
    """

    def __init__(
        self,
        what: str,
        todo: str = "",
        *,
        is_temporary: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(what, todo)
        self.is_temporary = is_temporary
        self.retry_after_s = retry_after_s


@contextmanager
def hub_problems() -> Iterator[None]:
    """Raise `HubProblem` instead of the exceptions of httpx2 and huggingface_hub's session."""
    import httpx2
    from huggingface_hub.errors import OfflineModeIsEnabled

    try:
        yield
    except (httpx2.HTTPError, httpx2.InvalidURL, OfflineModeIsEnabled) as error:
        raise _unreachable(error) from error


def refused(response: "httpx2.Response", name: str) -> HubProblem:
    """Return the problem of an answer that is no success. The hub's X-Error-Code has more detail.

    `name` is the requested repository or file.
    """
    status, code = response.status_code, response.headers.get("X-Error-Code", "")
    if status == 429:
        return _too_many(retry_after(response.headers))
    if status >= 500:
        return HubProblem(
            tr("The hub has a problem (error {status}).", status=status),
            tr("Try again later."),
            is_temporary=True,
            retry_after_s=retry_after(response.headers),
        )
    if code == "GatedRepo":
        return HubProblem(
            tr("“{name}” is only for people who agreed to its terms.", name=name),
            tr("Open its page on the hub, agree to its terms, and set your token in the settings."),
        )
    if status == 401 and "Authorization" in response.request.headers:
        return HubProblem(
            tr("The hub does not accept your token."),
            tr("Make a new one on the hub's page, and set it in the settings."),
        )
    if status == 403:
        return HubProblem(
            tr("The hub does not let you have “{name}”.", name=name),
            tr("Check on its page what it asks for, and what your token may do."),
        )
    if status in (401, 404):  # 401 without a token: no such name, or it is private
        return HubProblem(
            tr("There is no “{name}” on the hub.", name=name),
            tr("Check the name. A private one needs your token, in the settings."),
        )
    if status == 416:
        return changed(name)
    return HubProblem(
        tr("The hub refused to give “{name}” (error {status}).", name=name, status=status)
    )


def changed(name: str) -> HubProblem:
    """Return the problem of a file that differs from the hub's description."""
    return HubProblem(
        tr("“{name}” was changed on the hub.", name=name), tr("Open its repository again.")
    )


def nonsense(name: str) -> HubProblem:
    """Return the problem of an answer that no hub would give."""
    return HubProblem(
        tr("The hub's answer about “{name}” cannot be understood.", name=name),
        tr("Check the address of the hub in the settings."),
    )


def too_slow() -> HubProblem:
    """Return the problem of no answer, or no complete one, within the time limit."""
    return HubProblem(
        tr("The hub did not answer in time."), tr("Try again later."), is_temporary=True
    )


def bad_address(address: str) -> HubProblem:
    """Return the problem of an invalid hub address in the settings."""
    return HubProblem(
        tr("“{address}” is not the address of a hub.", address=address),
        tr("Correct it in the settings; it begins with https://."),
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of Retry-After, a number or a date (RFC 9110, 10.2.3); None without."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:20]), LONGEST_WAIT_S)
    until = _date(value)
    if until is None:
        return None
    wait = until - (_date(headers.get("Date", "")) or datetime.now(UTC))  # by the hub's own clock
    return min(max(wait.total_seconds(), 0.0), LONGEST_WAIT_S)


def _date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def _too_many(wait_s: float | None) -> HubProblem:
    if wait_s is None:
        todo = tr("Try again in a few minutes.")
    else:
        todo = trn("Try again in {n} second.", "Try again in {n} seconds.", round(wait_s))
    return HubProblem(
        tr("The hub has been asked too often."), todo, is_temporary=True, retry_after_s=wait_s
    )


def _unreachable(error: Exception) -> HubProblem:
    import httpx2
    from huggingface_hub.errors import OfflineModeIsEnabled

    match error:
        case httpx2.TimeoutException():
            return too_slow()
        case httpx2.UnsupportedProtocol() | httpx2.InvalidURL():
            return bad_address(str(error))
        case httpx2.ProxyError():
            return HubProblem(
                tr("The proxy does not let ChatDesk reach the hub."),
                tr("Check the proxy in your system's settings."),
                is_temporary=True,
            )
        case httpx2.ReadError() | httpx2.WriteError() | httpx2.RemoteProtocolError():
            return HubProblem(
                tr("The connection to the hub was cut."), tr("Try again."), is_temporary=True
            )
        case httpx2.TransportError():
            return HubProblem(
                tr("The hub cannot be reached."),
                tr("Check your internet connection, and the address of the hub in the settings."),
                is_temporary=True,
            )
        case OfflineModeIsEnabled():
            return HubProblem(
                tr("The hub is not asked, because {variable} is set.", variable="HF_HUB_OFFLINE"),
                tr("Start ChatDesk without it."),
            )
        case _:
            return HubProblem(tr("The hub's answer cannot be read."), is_temporary=True)
