"""Pasted repository names and links to a repository's page or one of its files."""

from urllib.parse import unquote, urlsplit

from chatdesk.core.i18n import tr
from chatdesk.library.hub.problems import HubProblem

OTHER_KINDS = ("datasets", "spaces", "api", "collections", "docs", "models", "papers")


def repository_named(text: str, endpoint: str) -> str:
    """Return the "owner/name" in a name or link. Raises `HubProblem` for a link to another site.

    Links are to the hub at `endpoint`, or to the hub itself where that is a mirror.
    """
    from huggingface_hub.constants import HF_URL_HOSTS

    text = text.strip()
    hosts = {*HF_URL_HOSTS, urlsplit(endpoint).netloc.lower()}
    if text.partition("/")[0].lower() in hosts:
        text = f"https://{text}"
    if "://" not in text:
        return text
    try:
        link = urlsplit(text)
    except ValueError:
        raise _no_link() from None
    owner, name, *_ = [*unquote(link.path).strip("/").split("/"), "", ""]
    if link.netloc.lower() not in hosts or owner in OTHER_KINDS or not name:
        raise _no_link()
    return f"{owner}/{name}"


def _no_link() -> HubProblem:
    return HubProblem(
        tr("That is not a link to a model on the hub."),
        tr("Paste the link to its page, or its name: owner/model."),
    )
