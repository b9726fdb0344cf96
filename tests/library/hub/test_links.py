"""Pasted names and links."""

import pytest
from huggingface_hub.constants import ENDPOINT

from chatdesk.library.hub.links import repository_named
from chatdesk.library.hub.problems import HubProblem

MIRROR = "http://127.0.0.1:9000"
HOST = ENDPOINT.partition("://")[2]


@pytest.mark.parametrize(
    "text",
    [
        "owner/name",
        "  owner/name\n",
        f"{ENDPOINT}/owner/name",
        f"{ENDPOINT}/owner/name/",
        f"{HOST}/owner/name",
        f"{ENDPOINT}/owner/name/tree/main",
        f"{ENDPOINT}/owner/name/blob/main/m-Q4_K_M.gguf",
        f"{ENDPOINT}/owner/name/resolve/main/m.gguf?download=true",
        f"{ENDPOINT}/owner/name?show_file_info=m.gguf#top",
        f"{MIRROR}/owner/name",
        "127.0.0.1:9000/owner/name",
    ],
)
def test_the_repository_is_found(text: str) -> None:
    assert repository_named(text, MIRROR) == "owner/name"


@pytest.mark.parametrize(
    "text",
    [
        "https://elsewhere.example/owner/name",
        f"https://elsewhere.example/{HOST}/owner/name",
        f"https://{HOST}@elsewhere.example/owner/name",
        f"{ENDPOINT}/datasets/owner/name",
        f"{ENDPOINT}/spaces/owner/name",
        f"{ENDPOINT}/owner",
        ENDPOINT,
        "https://[broken/owner/name",
    ],
)
def test_a_link_that_leads_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(HubProblem, match="not a link to a model"):
        repository_named(text, MIRROR)
