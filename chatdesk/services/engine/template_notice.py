"""What a person should know of a model that has no chat template of its own."""

from chatdesk.core.i18n import tr
from chatdesk.core.loading import ModelLoaded


def template_notice(loaded: ModelLoaded) -> tuple[str, str] | None:
    """Return what is so and what it means, in sentences; None for a model with a template."""
    if loaded.template_notice is None:
        return None
    if loaded.template_notice == "missing":
        return (
            tr("{model} is a base model: it continues a text.", model=loaded.name),
            tr(
                "Begin one, and it goes on with it. For questions and answers, choose a chat model."
            ),
        )
    todo = tr("A common one (ChatML) is used instead; its answers may be odd.")
    refused = tr("Its own was refused: {reason}", reason=loaded.template_problem)
    return tr("{model} has no usable chat template.", model=loaded.name), f"{todo}\n{refused}"
