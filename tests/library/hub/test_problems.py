"""Problems as sentences: those that the tests of the hub do not reach."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest

from chatdesk.library.hub.problems import LONGEST_WAIT_S, HubProblem, hub_problems, retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        (" 5 ", 5.0),
        ("9" * 5000, LONGEST_WAIT_S),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_how_long_to_wait(value: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": value}) == seconds


def test_a_time_to_wait_until() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    assert retry_after({"Retry-After": until}) == pytest.approx(300, abs=30)
    theirs = format_datetime(datetime.now(UTC) + timedelta(days=365), usegmt=True)
    until = format_datetime(datetime.now(UTC) + timedelta(days=365, minutes=5), usegmt=True)
    assert retry_after({"Retry-After": until, "Date": theirs}) == 300  # whatever our clock says
    assert retry_after({}) is None


@pytest.mark.parametrize(
    ("error", "sentence", "is_temporary"),
    [
        (httpx2.ConnectTimeout(""), "in time", True),
        (httpx2.PoolTimeout(""), "in time", True),
        (httpx2.ProxyError(""), "The proxy does not let", True),
        (httpx2.ConnectError(""), "cannot be reached", True),
        (httpx2.WriteError(""), "was cut", True),
        (httpx2.UnsupportedProtocol(""), "not the address", False),
        (httpx2.InvalidURL(""), "not the address", False),
        (httpx2.TooManyRedirects(""), "cannot be read", True),
        (httpx2.DecodingError(""), "cannot be read", True),
    ],
    ids=lambda each: type(each).__name__,
)
def test_an_error_of_the_network_is_a_sentence(
    error: Exception, sentence: str, is_temporary: bool
) -> None:
    with pytest.raises(HubProblem, match=sentence) as caught, hub_problems():
        raise error
    assert caught.value.is_temporary is is_temporary


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(KeyError), hub_problems():
        raise KeyError("x")
