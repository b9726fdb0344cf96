"""Finding and judging models, over a stand-in of the hub with real GGUF files."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keyring
import msgspec
import pytest
from keyring.backends import null

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.loading import Device
from chatdesk.core.models import Fit
from chatdesk.core.paths import AppPaths, assets_dir
from chatdesk.core.settings import DownloadSettings, Settings
from chatdesk.library.hub.catalog import CATALOG_FILE, CATALOG_REPO, read_catalog
from chatdesk.library.hub.problems import HubProblem
from chatdesk.library.hub.variants import ENOUGH_TOKENS_PER_S
from chatdesk.services.hub.service import HubService
from tests.gguf_files import raw, write_model
from tests.stand_in_hub import TOKEN, Fault, StandInHub
from tests.tiny_models import tiny_model

REPO = "owner/tiny-GGUF"
GPU = Device("CUDA0", "a GPU", "gpu", 80 * 10**9, 80 * 10**9)


class Finding:
    """The service over a stand-in hub; `devices` are what the engine is to have."""

    def __init__(self, hub: StandInHub, home: Path) -> None:
        self.hub = hub
        self.paths = AppPaths.under(home)
        self.devices: list[Device] = []
        self.bandwidth = 40e9  # bytes per second: a laptop's
        settings = Settings(downloads=DownloadSettings(mirror=hub.endpoint))
        self.service = HubService(
            self.paths, lambda: self.devices, lambda: settings, lambda: self.bandwidth
        )


@pytest.fixture
def finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Finding]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(null.Keyring())
    model = write_model(tmp_path / "tiny.gguf")
    with StandInHub() as hub:
        padded = model.read_bytes() + bytes(100_000)
        hub.add(REPO, {"tiny-Q8_0.gguf": padded, "tiny-Q4_K_M.gguf": model}, card="# Tiny")
        yield Finding(hub, tmp_path / "home")
    keyring.set_keyring(before)


def test_a_model_is_found_opened_and_judged_before_its_download(finding: Finding) -> None:
    service = finding.service
    (found,) = service.search("tiny")
    repository = service.open(f"{finding.hub.endpoint}/{found.repo}/blob/main/tiny-Q8_0.gguf")
    assert repository == service.open(REPO)
    judged = service.judge(repository)
    assert judged.problem == ""
    assert judged.header
    assert (judged.header.architecture, judged.header.quantization) == ("llama", "Q8_0")
    small, large = judged.estimates
    assert small
    assert large
    assert large.memory_bytes - small.memory_bytes == 100_000
    assert small.fit is Fit.CPU
    assert small.tokens_per_s > large.tokens_per_s > 0
    assert judged.recommended == 1


def test_the_devices_of_the_engine_count(finding: Finding) -> None:
    finding.devices.append(GPU)
    judged = finding.service.judge(finding.service.open(REPO))
    assert [each.fit for each in judged.estimates if each] == [Fit.GPU, Fit.GPU]


def test_only_the_header_of_a_large_model_is_fetched(finding: Finding, tmp_path: Path) -> None:
    large = tmp_path / "large.gguf"
    with large.open("wb") as file:
        file.write((tmp_path / "tiny.gguf").read_bytes())
        file.truncate(20_000_000)
    finding.hub.add("a/b", {"m-Q4_0.gguf": large})
    assert finding.service.judge(finding.service.open("a/b")).header
    assert finding.hub.bytes_sent("m-Q4_0.gguf") < 4_000_000


def test_an_architecture_that_llama_cpp_does_not_know_is_told(finding: Finding) -> None:
    finding.hub.add("a/b", {"m-Q4_0.gguf": raw_of("novel9")})
    judged = finding.service.judge(finding.service.open("a/b"))
    assert "“novel9”, which this version of llama.cpp cannot run" in judged.problem
    assert judged.estimates == (None,)
    assert judged.recommended is None


def test_what_is_not_for_chats_is_told_before_a_download(finding: Finding) -> None:
    finding.hub.add("a/nomic-GGUF", {"m-Q4_0.gguf": raw_of("nomic-bert")})
    judged = finding.service.judge(finding.service.open("a/nomic-GGUF"))
    assert judged.problem == "nomic-GGUF is for embeddings, not for chats."
    assert (judged.estimates, judged.recommended) == ((None,), None)


def test_a_base_model_is_judged_as_any_other(finding: Finding, tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base.gguf", template=None)
    finding.hub.add("a/base-GGUF", {"m-F32.gguf": base})
    judged = finding.service.judge(finding.service.open("a/base-GGUF"))
    assert (judged.problem, judged.recommended) == ("", 0)
    assert judged.header and not judged.header.has_chat_template


def raw_of(architecture: str) -> bytes:
    """A sound header of another architecture."""
    keys = {"block_count": 2, "context_length": 64, "embedding_length": 32}
    keys |= {"attention.head_count": 2}
    named = {f"{architecture}.{key}": value for key, value in keys.items()}
    return raw({"general.architecture": architecture, "general.name": "Novel", **named})


@pytest.mark.parametrize(
    ("content", "fault", "problem"),
    [
        (b"<html>", Fault(), "is not a GGUF file"),
        (b"GGUF" + b"\xff" * 40, Fault(), "GGUF version"),
        (raw({}), Fault(status=500), "has a problem"),
        (raw({}), Fault(status=429, retry_after="9"), "Try again in 9 seconds"),
        (raw({}), Fault(cut_every=10), "was cut"),
    ],
    ids=str,
)
def test_why_nothing_can_be_told(
    finding: Finding, content: bytes, fault: Fault, problem: str
) -> None:
    finding.hub.add("a/b", {"m-Q4_0.gguf": content})
    repository = finding.service.open("a/b")
    finding.hub.fault(fault, "m-Q4_0.gguf")
    judged = finding.service.judge(repository)
    assert problem in judged.problem
    assert (judged.header, judged.estimates, judged.recommended) == (None, (None,), None)


def test_a_gated_model_says_what_to_do_until_the_token_is_set(finding: Finding) -> None:
    model = (finding.paths.data.parent.parent / "tiny.gguf").read_bytes()
    finding.hub.add("a/gated", {"m-Q4_0.gguf": model}, gated=True)
    service = finding.service
    repository = service.open("a/gated")
    assert repository.model.gated
    assert "agree to its terms" in service.judge(repository).problem
    had_token = service.has_token
    with pytest.raises(EnvironmentProblem, match="no keyring"):
        service.set_token(TOKEN)
    assert (had_token, service.has_token) == (False, True)
    assert service.judge(repository).header


def test_a_repository_without_models(finding: Finding) -> None:
    finding.hub.add("a/b", {"mmproj-F16.gguf": b"x"})
    assert "no model files" in finding.service.judge(finding.service.open("a/b")).problem


def test_nothing_is_asked_for_the_list_of_recommended_models(finding: Finding) -> None:
    service = finding.service
    finding.bandwidth = 0.0
    found = service.recommended()
    assert found
    best, unmeasured = found
    assert "chat" in best.purposes
    assert unmeasured.tokens_per_s == 0.0
    finding.bandwidth = 40e9
    estimates = {entry.name: estimate for entry, estimate in service.catalog()}
    assert estimates[best.name].fit is Fit.CPU
    found = service.recommended()
    assert found
    assert found[1].tokens_per_s == estimates[found[0].name].tokens_per_s > 0
    finding.devices.append(GPU)
    on_gpu = service.recommended()
    assert on_gpu
    assert on_gpu[0].parameters == max(entry.parameters for entry, _ in service.catalog())
    assert not finding.hub.requests


@pytest.mark.parametrize("bandwidth", [12e9, 20e9])
def test_in_chinese_a_model_that_speaks_it_is_recommended(
    finding: Finding, bandwidth: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding.bandwidth = bandwidth  # where the best in English is good in English only
    in_english = finding.service.recommended()
    assert in_english and "chinese" not in in_english[0].purposes
    monkeypatch.setattr("chatdesk.services.hub.service.current_language", lambda: "zh_CN")
    in_chinese = finding.service.recommended()
    assert in_chinese and "chinese" in in_chinese[0].purposes


def test_where_nothing_runs_well_the_quickest_is_recommended(finding: Finding) -> None:
    finding.bandwidth = 1e9
    found = finding.service.recommended()
    assert found
    quickest = max(
        estimate.tokens_per_s
        for entry, estimate in finding.service.catalog()
        if "chat" in entry.purposes
    )
    assert 0 < found[1].tokens_per_s == quickest < ENOUGH_TOKENS_PER_S


def newer(finding: Finding, version: int) -> bytes:
    built_in = read_catalog((assets_dir() / CATALOG_FILE).read_bytes())
    new = replace(built_in.entries[0], repo="owner/new-GGUF")
    made = replace(built_in, version=version, entries=(*built_in.entries[:3], new))
    return msgspec.json.encode(made)


def test_a_newer_list_is_fetched_on_request(finding: Finding) -> None:
    finding.hub.add(CATALOG_REPO, {CATALOG_FILE: newer(finding, 1000)})
    before = finding.service.catalog()
    assert finding.service.update_catalog() == 1
    assert [entry for entry, _ in finding.service.catalog()][:3] == [e for e, _ in before[:3]]
    assert len(finding.service.catalog()) == 4
    assert finding.service.update_catalog() == 0


@pytest.mark.parametrize("fault", [Fault(status=404), Fault(status=500), Fault(cut_every=50)])
def test_a_list_that_cannot_be_fetched_changes_nothing(finding: Finding, fault: Fault) -> None:
    finding.hub.add(CATALOG_REPO, {CATALOG_FILE: newer(finding, 1000)})
    finding.hub.fault(fault, CATALOG_FILE)
    before = finding.service.catalog()
    with pytest.raises(HubProblem):
        finding.service.update_catalog()
    assert finding.service.catalog()[0][0] == before[0][0]
    assert not finding.paths.catalog.exists()


def test_a_damaged_or_older_list_changes_nothing(finding: Finding) -> None:
    finding.hub.add(CATALOG_REPO, {CATALOG_FILE: b"{}"})
    with pytest.raises(EnvironmentProblem, match="is damaged"):
        finding.service.update_catalog()
    finding.hub.add(CATALOG_REPO, {CATALOG_FILE: newer(finding, 1)})
    assert finding.service.update_catalog() == 0
    assert not finding.paths.catalog.exists()
