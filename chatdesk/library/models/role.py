"""What a model is for, from its header: before it is downloaded, and without loading it."""

from chatdesk.core.errors import NotForChats
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelHeader, ModelRole
from chatdesk.library.models.architectures import CHAT, EMBED, OTHER, PROJECT

_RANKS = 4  # the pooling of models that judge how well a text answers another


def role_of(header: ModelHeader) -> ModelRole:
    """Return what the model is for."""
    if not header.architecture:  # of the catalog, where all are for chats
        return ModelRole.CHAT
    role = role_of_architecture(header.architecture)
    if header.pooling == _RANKS:
        return ModelRole.OTHER
    if role is ModelRole.CHAT and header.pooling:
        return ModelRole.EMBEDDER
    return ModelRole.BASE if role is ModelRole.CHAT and not header.has_chat_template else role


def role_of_architecture(architecture: str) -> ModelRole:
    """Return what most models of an architecture are for."""
    for role, names in (
        (ModelRole.CHAT, CHAT),
        (ModelRole.EMBEDDER, EMBED),
        (ModelRole.PROJECTOR, PROJECT),
        (ModelRole.OTHER, OTHER),
    ):
        if architecture in names:
            return role
    return ModelRole.UNSUPPORTED


def check_answers(header: ModelHeader) -> None:
    """Raise `NotForChats` if the model cannot be asked in a chat."""
    role = role_of(header)
    if not role.answers:
        raise not_for_chats(header.full_name, header.architecture, role)


def not_for_chats(model: str, architecture: str, role: ModelRole) -> NotForChats:
    """Return why a model that is not for chats cannot be used for one."""
    what = {
        ModelRole.EMBEDDER: tr("{model} is for embeddings, not for chats.", model=model),
        ModelRole.PROJECTOR: tr(
            "{model} is a projector: it lets another model see or hear, and cannot answer alone.",
            model=model,
        ),
        ModelRole.OTHER: tr(
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
