"""The stand-in hub speaks the hub's API: huggingface_hub's own client is content with it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_download, hf_hub_url
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, RepositoryNotFoundError

from tests.stand_in_hub import STRANGER, TOKEN, Fault, StandInHub

CONTENT = bytes(range(256)) * 4000
FILE = "sub/m-Q4_K_M.gguf"


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with StandInHub() as hub:
        hub.add("a/b-GGUF", {FILE: CONTENT, "config.json": b"{}"}, card="# Card", downloads=3)
        yield hub


def test_models_are_listed_and_opened(hub: StandInHub) -> None:
    api = HfApi(endpoint=hub.endpoint, token=False)
    (listed,) = api.list_models(filter="gguf", search="b", sort="downloads", limit=5, full=True)
    assert (listed.id, listed.downloads, listed.gated) == ("a/b-GGUF", 3, False)
    info = api.model_info("a/b-GGUF", files_metadata=True)
    assert info.sha == hub.revision_of("a/b-GGUF")
    assert info.siblings
    lfs = info.siblings[0].lfs
    assert lfs
    assert (lfs.size, lfs.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    tree = {each.path for each in api.list_repo_tree("a/b-GGUF", recursive=True)}
    assert tree == {FILE, "config.json", "README.md"}


@pytest.mark.parametrize("redirect", [False, True])
def test_a_file_is_fetched_whole(hub: StandInHub, tmp_path: Path, redirect: bool) -> None:
    hub.fault(Fault(redirect=redirect), FILE)
    url = hf_hub_url("a/b-GGUF", FILE, endpoint=hub.endpoint)
    metadata = get_hf_file_metadata(url, token=TOKEN)
    assert metadata.etag == hashlib.sha256(CONTENT).hexdigest()
    assert metadata.size == len(CONTENT)
    assert metadata.commit_hash == hub.revision_of("a/b-GGUF")
    fetched = hf_hub_download(
        "a/b-GGUF", FILE, endpoint=hub.endpoint, token=TOKEN, cache_dir=tmp_path
    )
    assert Path(fetched).read_bytes() == CONTENT
    assert bool(hub.elsewhere) is redirect


def test_errors_are_those_of_the_hub(hub: StandInHub) -> None:
    hub.add("a/gated", {"m.gguf": b"x"}, gated=True)
    url = hf_hub_url("a/gated", "m.gguf", endpoint=hub.endpoint)
    for token in (False, STRANGER):
        with pytest.raises(GatedRepoError):
            get_hf_file_metadata(url, token=token)
    assert get_hf_file_metadata(url, token=TOKEN).size == 1
    with pytest.raises(RepositoryNotFoundError):
        HfApi(endpoint=hub.endpoint, token=False).model_info("a/none")
    with pytest.raises(EntryNotFoundError):
        get_hf_file_metadata(hf_hub_url("a/b-GGUF", "n.gguf", endpoint=hub.endpoint), token=False)
