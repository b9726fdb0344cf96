"""Problems of the engine and this installation, in sentences for the user."""

from dataclasses import replace

from chatdesk.core.errors import (
    DeviceMissing,
    EngineProblem,
    EnvironmentProblem,
    ModelProblem,
    PromptTooLong,
    RequestProblem,
)
from chatdesk.core.generation import Failed, FailureCode
from chatdesk.core.i18n import tr
from chatdesk.core.loading import KV_TYPES, LoadOptions
from chatdesk.library.models.role import not_for_chats, role_of_architecture

SMALLEST_OFFERED = 2048  # tokens; a conversation wants some room


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


def out_of_memory(options: LoadOptions, window: int | None) -> EngineProblem:
    """The engine was killed while it ran a model with these options.

    `window` is the context window it had reached, in tokens, if it got as far as that.
    """
    return EngineProblem(
        tr("The system ended the engine, most likely because memory ran out."),
        tr("Close other programs, choose a smaller context window or a smaller model."),
        _smaller(options, window or options.context_window),
    )


def _smaller(options: LoadOptions, window: int) -> LoadOptions | None:
    """Options that need less memory: half the window, and a quantized KV cache at the end."""
    half = min(options.context_window, window) // 2
    if half >= SMALLEST_OFFERED:
        return replace(options, context_window=half)
    if options.kv_type != KV_TYPES[-1]:
        return replace(options, kv_type=KV_TYPES[-1])
    return None


def engine_problem(failed: Failed, model: str) -> EnvironmentProblem:
    """The problem behind a `Failed` event of the engine with the model of that name."""
    return _model_problem(failed, model) or _request_problem(failed, model)


def _model_problem(failed: Failed, model: str) -> ModelProblem | None:
    """Return the problem of the model or its file; None when the request is at fault."""
    another = tr("Choose another model.")
    match failed.code:
        case FailureCode.NOT_FOUND:
            what, todo = tr("The file of {model} is not there any more.", model=model), another
        case FailureCode.NOT_GGUF:
            what, todo = tr("{model} is not a GGUF file.", model=model), another
        case FailureCode.TRUNCATED:
            what = tr("The file of {model} is cut short.", model=model)
            todo = tr("Download it again, or choose another model.")
        case FailureCode.UNSUPPORTED_ARCHITECTURE:
            role = role_of_architecture(failed.detail)
            found = not_for_chats(model, failed.detail, role)
            what, todo = found.what, found.todo
        case FailureCode.OUT_OF_MEMORY:
            what = tr("There is not enough memory for {model}.", model=model)
            todo = tr("Close other programs, choose a smaller context window or a smaller model.")
        case FailureCode.DEVICE:
            what = tr(
                "A device for {model} is missing: {reason}.", model=model, reason=failed.detail
            )
            todo = tr("Check it, or choose the devices again in the settings.")
            return DeviceMissing(what, todo)
        case FailureCode.NOT_QUANTIZED:
            what = tr("{model} cannot be made smaller: {reason}", model=model, reason=failed.detail)
            todo = another
        case FailureCode.NOT_WRITTEN:
            what = tr("The smaller {model} could not be written to the disk.", model=model)
            todo = tr("Make room on the disk, then try again.")
        case FailureCode.LOAD_FAILED:
            what = tr("{model} could not be loaded: {reason}", model=model, reason=failed.detail)
            todo = another
        case _:
            return None
    return ModelProblem(what, todo)


def _request_problem(failed: Failed, model: str) -> EnvironmentProblem:
    reason = failed.detail
    match failed.code:
        case FailureCode.PROMPT_TOO_LONG:
            return prompt_too_long(failed.tokens or 0, failed.limit or 0)
        case FailureCode.TEMPLATE:
            what = tr(
                "The chat template of {model} cannot show this chat: {reason}",
                model=model,
                reason=reason,
            )
            todo = tr("Edit the message, or choose another model.")
        case FailureCode.PARAMETER:
            what = tr("A setting cannot be used: {reason}.", reason=reason)
            todo = tr("Change it and try again.")
        case FailureCode.GRAMMAR:
            what = tr("The grammar cannot be used: {reason}.", reason=reason)
            todo = tr("Correct it and try again.")
        case FailureCode.SCHEMA:
            what = tr("The JSON Schema cannot be used: {reason}.", reason=reason)
            todo = tr("Correct or simplify it and try again.")
        case FailureCode.ADAPTER:
            what = tr("The adapter cannot be used: {reason}.", reason=reason)
            todo = tr("Ask without it, or choose one that was made for this model.")
        case _:
            what = tr("The engine could not do that: {reason}", reason=reason)
            return EngineProblem(what, tr("Try again."))
    return RequestProblem(what, todo)
