"""What the engine reports, in sentences for the person."""

from chatdesk.core.errors import (
    EngineProblem,
    EnvironmentProblem,
    ModelProblem,
    PromptTooLong,
)
from chatdesk.core.generation import Failed, FailureCode
from chatdesk.core.i18n import tr


def prompt_too_long(tokens: int, limit: int) -> PromptTooLong:
    """A prompt of `tokens` against a context window with room for `limit` of them."""
    return PromptTooLong(
        tr(
            "This prompt is {tokens} tokens long, and the model can read {limit}.",
            tokens=f"{tokens:,}",
            limit=f"{limit:,}",
        ),
        tr(
            "Shorten it by about {excess} tokens, start a new chat, "
            "or choose a larger context window.",
            excess=f"{tokens - limit:,}",
        ),
        tokens,
        limit,
    )


def engine_problem(failed: Failed, model: str) -> EnvironmentProblem:
    """The problem behind a `Failed` event of the engine with the model of that name."""
    another = tr("Choose another model.")
    match failed.code:
        case FailureCode.PROMPT_TOO_LONG:
            return prompt_too_long(failed.tokens or 0, failed.limit or 0)
        case FailureCode.NOT_FOUND:
            return ModelProblem(
                tr("The file of {model} is not there any more.", model=model), another
            )
        case FailureCode.NOT_GGUF:
            return ModelProblem(tr("{model} is not a GGUF file.", model=model), another)
        case FailureCode.TRUNCATED:
            return ModelProblem(
                tr("The file of {model} is cut short.", model=model),
                tr("Download it again, or choose another model."),
            )
        case FailureCode.UNSUPPORTED_ARCHITECTURE:
            return ModelProblem(
                tr(
                    "{model} is of the architecture “{architecture}”, which this version of "
                    "llama.cpp cannot run.",
                    model=model,
                    architecture=failed.detail,
                ),
                another,
            )
        case FailureCode.OUT_OF_MEMORY:
            return ModelProblem(
                tr("There is not enough memory for {model}.", model=model),
                tr("Close other programs, choose a smaller context window or a smaller model."),
            )
        case FailureCode.LOAD_FAILED:
            return ModelProblem(
                tr("{model} could not be loaded: {reason}", model=model, reason=failed.detail),
                another,
            )
        case FailureCode.TEMPLATE:
            return ModelProblem(
                tr(
                    "The chat template of {model} cannot show this conversation: {reason}",
                    model=model,
                    reason=failed.detail,
                ),
                tr("Edit the message, or choose another model."),
            )
        case FailureCode.NOT_LOADED | FailureCode.PROTOCOL | FailureCode.INTERNAL:
            return EngineProblem(
                tr("The engine could not do that: {reason}", reason=failed.detail),
                tr("Try again."),
            )
