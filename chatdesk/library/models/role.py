"""What a model is for, from its header: before it is downloaded, and without loading it."""

from chatdesk.core.errors import NotForChats
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelHeader, Role
from chatdesk.library.models.architectures import CHAT, EMBED, OTHER, PROJECT

_RANKS = 4  # the pooling of models that judge how well a text answers another


def role_of(header: ModelHeader) -> Role:
    """Return what the model is for."""
    if not header.architecture:  # of the catalog, where all are for chats
        return Role.CHAT
    role = role_of_architecture(header.architecture)
    if header.pooling == _RANKS:
        return Role.OTHER
    if role is Role.CHAT and header.pooling:
        return Role.EMBEDDER
    return Role.BASE if role is Role.CHAT and not header.has_chat_template else role


def role_of_architecture(architecture: str) -> Role:
    """Return what most models of an architecture are for."""
    for role, names in (
        (Role.CHAT, CHAT),
        (Role.EMBEDDER, EMBED),
        (Role.PROJECTOR, PROJECT),
        (Role.OTHER, OTHER),
    ):
        if architecture in names:
            return role
    return Role.UNSUPPORTED


def check_answers(header: ModelHeader) -> None:
    """Raise `NotForChats` if the model cannot be asked in a chat."""
    role = role_of(header)
    if not role.answers:
        raise not_for_chats(header.full_name, header.architecture, role)


def not_for_chats(model: str, architecture: str, role: Role) -> NotForChats:
    """Return why a model that is not for chats cannot be used for one."""
    what = {
        Role.EMBEDDER: tr("{model} is for embeddings, not for chats.", model=model),
        Role.PROJECTOR: tr(
            "{model} is a projector: it lets another model see or hear, and cannot answer alone.",
            model=model,
        ),
        Role.OTHER: tr(
            "{model} is not for chats: the architecture “{architecture}” is for something else.",
            model=model,
            architecture=architecture,
        ),
    }.get(
        role,
        tr(
            "{model} is of the architecture “{architecture}”, which this version of "
            "llama.cpp cannot run.",
            model=model,
            architecture=architecture,
        ),
    )
    return NotForChats(what, tr("Choose another model."))
