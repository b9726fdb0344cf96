"""ChatDesk's requests to the hub, against a stand-in: real HTTP, real faults."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from huggingface_hub import close_session

from chatdesk import __version__
from chatdesk.core.models import ModelRole
from chatdesk.library.hub.client import CARD, MAX_ANSWER, Hub
from chatdesk.library.hub.problems import HubProblem
from tests.stand_in_hub import STRANGER, TOKEN, Fault, StandInHub

REPO = "owner/Some-Model-GGUF"
FILE = "some-model-Q4_K_M.gguf"
CONTENT = bytes(range(256)) * 1000
API = f"/api/models/{REPO}"


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with StandInHub() as hub:
        hub.add(REPO, {FILE: CONTENT}, card="---\nlicense: mit\n---\n# Some model\n", license="mit")
        yield hub


def asked(hub: StandInHub, token: str | None = None, answer_s: float = 10) -> Hub:
    return Hub(hub.endpoint, token, answer_s)


def test_a_search_finds_gguf_repositories_in_order(hub: StandInHub) -> None:
    hub.add("a/other-GGUF", {"m.gguf": b"x"}, downloads=5, gated=True, license="llama3.1", likes=2)
    hub.add("a/no-model", {"m.safetensors": b"x"}, downloads=9)
    found = asked(hub).search("")
    assert [each.repo for each in found] == ["a/other-GGUF", REPO]
    assert (found[0].downloads, found[0].likes) == (5, 2)
    assert (found[0].gated, found[0].license) == (True, "llama3.1")
    assert found[1].updated == datetime(2026, 1, 1, tzinfo=UTC)
    assert [each.repo for each in asked(hub).search("some model")] == [REPO]


def test_a_search_says_what_models_are_for(hub: StandInHub) -> None:
    for number, (purpose, architecture, role) in enumerate(
        (
            ("text-generation", "qwen3", ModelRole.CHAT),
            ("text-generation", "gptj", ModelRole.UNSUPPORTED),
            ("sentence-similarity", "bert", ModelRole.EMBEDDER),
            ("feature-extraction", "qwen3", ModelRole.EMBEDDER),
            ("feature-extraction", "", ModelRole.EMBEDDER),
            ("text-generation", "", None),
        )
    ):
        name = f"roles/m{number}"
        hub.add(name, {"m.gguf": b"x"}, purpose=purpose, architecture=architecture)
        (found,) = asked(hub).search(name)
        assert found.role is role, (purpose, architecture)


def test_a_repository_has_variants_a_revision_and_a_card(hub: StandInHub) -> None:
    files = {"m-Q8_0.gguf": b"y" * 20, "m-Q4_0.gguf": b"x" * 10, "mmproj-m.gguf": b"z"}
    revision = hub.add("a/b", files, card="# Hello")
    repository = asked(hub).repository("a/b")
    assert [each.quantization for each in repository.variants] == ["Q4_0", "Q8_0"]
    (file,) = repository.variants[0].files
    assert (file.path, file.bytes) == ("m-Q4_0.gguf", 10)
    assert file.sha256 == hashlib.sha256(b"x" * 10).hexdigest()
    assert (repository.revision, repository.card) == (revision, "Hello")


def test_nothing_is_fetched_for_a_card_but_the_card(hub: StandInHub) -> None:
    hub.add("a/b", {"m.gguf": b"x"}, card=f"![picture]({hub.other_host}/p.png) <img src='x'> words")
    assert asked(hub).repository("a/b").card == "words"
    assert [each.path.partition("?")[0] for each in hub.requests][1:] == [
        f"/a/b/resolve/{hub.revision_of('a/b')}/{CARD}"
    ]
    assert not hub.elsewhere


def test_a_card_that_fails_does_not_keep_the_repository_shut(hub: StandInHub) -> None:
    hub.fault(Fault(status=500), CARD)
    assert asked(hub).repository(REPO).variants
    assert asked(hub).repository(REPO).card == ""


@pytest.mark.parametrize("redirect", [False, True])
def test_a_range_is_read_and_no_more(hub: StandInHub, redirect: bool) -> None:
    hub.fault(Fault(redirect=redirect), FILE)
    assert asked(hub).read_range(REPO, "main", FILE, 300, 700) == CONTENT[300:700]
    assert hub.bytes_sent(FILE) == 400
    last = len(CONTENT) - 5
    assert asked(hub).read_range(REPO, "main", FILE, last, last + 100) == CONTENT[-5:]


def test_a_server_without_ranges_is_not_read_to_the_end(hub: StandInHub) -> None:
    big = b"x" * 30_000_000
    hub.add("a/b", {"m.gguf": big})
    hub.fault(Fault(no_ranges=True))
    assert asked(hub).read_range("a/b", "main", "m.gguf", 10, 20) == b"x" * 10
    assert hub.bytes_sent("m.gguf") < len(big) / 2
    with pytest.raises(HubProblem, match="cannot be understood"):
        asked(hub).read_range("a/b", "main", "m.gguf", 100_000_000, 100_000_010)


def test_the_token_goes_to_the_hub_alone(hub: StandInHub) -> None:
    hub.fault(Fault(redirect=True))
    asked(hub, TOKEN).read_range(REPO, "main", FILE, 0, 10)
    assert hub.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert "authorization" not in hub.elsewhere[0].headers
    assert "Authorization" not in Hub("http://mirror.example", TOKEN).headers()
    assert "Authorization" in Hub("https://mirror.example", TOKEN).headers()


@pytest.fixture
def fresh_session() -> Iterator[None]:
    close_session()  # the proxy is read when it is opened
    yield
    close_session()


def test_the_proxy_of_the_system_is_used(
    hub: StandInHub, monkeypatch: pytest.MonkeyPatch, fresh_session: None
) -> None:
    monkeypatch.setenv("http_proxy", hub.endpoint)
    (found,) = Hub("http://hub.example", None).search("some")
    assert found.repo == REPO
    assert hub.requests[0].path.startswith("http://hub.example/api/models?")


def test_nothing_is_disclosed_of_this_machine(hub: StandInHub) -> None:
    asked(hub).search("some")
    (request,) = hub.requests
    expected = {"host", "accept", "accept-encoding", "connection", "user-agent", "x-amzn-trace-id"}
    assert set(request.headers) == expected
    assert request.headers["user-agent"] == f"chatdesk/{__version__}"


@pytest.mark.parametrize(
    ("fault", "sentence", "is_temporary"),
    [
        (Fault(status=401), "There is no “owner/Some-Model-GGUF”", False),
        (Fault(status=403), "does not let you have", False),
        (Fault(status=404), "There is no", False),
        (Fault(status=418), r"refused to give .* \(error 418\)", False),
        (Fault(status=429, retry_after="7"), "Try again in 7 seconds", True),
        (Fault(status=429), "in a few minutes", True),
        (Fault(status=500), r"has a problem \(error 500\)", True),
        (Fault(status=503), r"error 503", True),
        (Fault(delay_s=5), "did not answer in time", True),
    ],
    ids=str,
)
def test_a_fault_of_the_hub_is_a_sentence(
    hub: StandInHub, fault: Fault, sentence: str, is_temporary: bool
) -> None:
    hub.fault(fault)
    for ask in (lambda each: each.search(REPO), lambda each: each.repository(REPO)):
        with pytest.raises(HubProblem, match=sentence) as caught:
            ask(asked(hub, answer_s=0.5))
        assert caught.value.is_temporary is is_temporary
        assert caught.value.todo or "418" in str(caught.value)
        assert caught.value.retry_after_s == (7 if fault.retry_after else None)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault(cut_every=100), "connection to the hub was cut"),
        (Fault(bytes_per_s=100), "did not answer in time"),
        (Fault(status=416), "was changed on the hub"),
        (Fault(status=429, retry_after="3"), "Try again in 3 seconds"),
    ],
    ids=str,
)
def test_a_fault_in_a_file_is_a_sentence(hub: StandInHub, fault: Fault, sentence: str) -> None:
    hub.fault(fault, FILE)
    with pytest.raises(HubProblem, match=sentence):
        asked(hub, answer_s=0.5).read_range(REPO, "main", FILE, 0, 1000)


@pytest.mark.parametrize(
    ("token", "sentence"),
    [(None, "agree to its terms"), (STRANGER, "agree to its terms"), ("hf_old", "your token")],
)
def test_a_gated_file_says_what_to_do(hub: StandInHub, token: str | None, sentence: str) -> None:
    hub.add("a/gated", {"m.gguf": b"model"}, gated=True)
    with pytest.raises(HubProblem, match=sentence):
        asked(hub, token).read_range("a/gated", "main", "m.gguf", 0, 5)
    assert asked(hub, TOKEN).read_range("a/gated", "main", "m.gguf", 0, 5) == b"model"


def test_a_hub_that_is_not_there(hub: StandInHub) -> None:
    hub.__exit__(None, None, None)
    with pytest.raises(HubProblem, match="cannot be reached") as caught:
        asked(hub).search("x")
    assert caught.value.is_temporary


@pytest.mark.parametrize("address", ["hub", "ftp://hub.example", "http://", "file:///etc/passwd"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(HubProblem, match="is not the address of a hub"):
        Hub(address, None).search("x")


@pytest.mark.parametrize(
    "repo", ["", "name", "a/b/c", "../b", "a/..", "a/b?x=1", "a /b", "a/" * 99]
)
def test_a_name_that_is_none_is_not_asked_for(hub: StandInHub, repo: str) -> None:
    with pytest.raises(HubProblem, match="is not the name of a repository"):
        asked(hub).repository(repo)
    assert not hub.requests


SOUND = {"id": REPO, "sha": "a" * 40}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Sign in to this network</html>",
        b"[" * 100_000,
        b'{"id": 5, "sha": "a"}',
        json.dumps(SOUND | {"sha": "../main"}).encode(),
        json.dumps(SOUND | {"id": "../../etc"}).encode(),
        json.dumps(SOUND | {"siblings": [{"rfilename": "m.gguf", "size": 1.5}]}).encode(),
        b" " * (MAX_ANSWER + 100),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_an_answer_that_no_hub_gives_is_refused(hub: StandInHub, body: bytes) -> None:
    hub.answer(API, body)
    with pytest.raises(HubProblem, match="cannot be understood"):
        asked(hub).repository(REPO)


@pytest.mark.parametrize(
    "file",
    [
        {"rfilename": "../m-Q4_0.gguf", "size": 5},
        {"rfilename": "/etc/m-Q4_0.gguf", "size": 5},
        {"rfilename": "C:\\m-Q4_0.gguf", "size": 5},
        {"rfilename": "a/./m-Q4_0.gguf", "size": 5},
        {"rfilename": "a\nb-Q4_0.gguf", "size": 5},
        {"rfilename": "x" * 1000 + ".gguf", "size": 5},
        {"rfilename": "m-Q4_0.gguf", "size": -5},
        {"rfilename": "m-Q4_0.gguf", "size": 0},
        {"rfilename": "m-Q4_0.gguf", "size": 1 << 70},
        {"rfilename": "m-Q4_0.gguf"},
        {"rfilename": "m-Q4_0.gguf", "size": 5, "lfs": {"sha256": "no hash", "size": 5}},
    ],
    ids=lambda file: str(file)[:60],
)
def test_a_file_that_cannot_be_is_left_out(hub: StandInHub, file: dict[str, object]) -> None:
    good = {"rfilename": "good-Q8_0.gguf", "size": 7}
    hub.answer(API, json.dumps(SOUND | {"siblings": [file, good]}).encode())
    (variant,) = asked(hub).repository(REPO).variants
    assert variant.quantization == "Q8_0"


def test_names_in_a_search_that_lead_elsewhere_are_left_out(hub: StandInHub) -> None:
    hub.answer(
        "/api/models", json.dumps([{"id": "../../x"}, {"id": REPO, "downloads": -1}]).encode()
    )
    (found,) = asked(hub).search("x")
    assert (found.repo, found.downloads) == (REPO, 0)


def test_the_text_of_an_error_is_not_read(hub: StandInHub) -> None:
    hub.fault(Fault(status=500))
    with pytest.raises(HubProblem) as caught:
        asked(hub).repository(REPO)
    assert "a fault" not in str(caught.value)
