"""The reasons of the gate, in plain words."""

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import Reason, ReasonCode


def sentence(reason: Reason) -> str:
    """Return a reason as a whole sentence for the user."""
    values = reason.values
    match reason.code:
        case ReasonCode.BETTER:
            return tr(
                "Your own answers that it had not seen became clearly likelier: their loss changed "
                "by {change} (between {low} and {high} with a certainty of 95 %).",
                **_shares(reason, "change", "low", "high"),
            )
        case ReasonCode.NOT_BETTER:
            return tr(
                "It is no better at your own answers that it had not seen: their loss changed by "
                "{change}.",
                **_shares(reason, "change"),
            )
        case ReasonCode.NOT_SURE:
            return tr(
                "It seems better at your own answers, but that may be chance: their loss changed "
                "by {change} (between {low} and {high} with a certainty of 95 %). More examples "
                "would tell.",
                **_shares(reason, "change", "low", "high"),
            )
        case ReasonCode.TOO_LITTLE:
            return tr(
                "There are too few answers to measure it with: {count} are kept aside, and it "
                "takes at least {least}.",
                **_counts(reason, "count", "least"),
            )
        case ReasonCode.GENERAL_KEPT | ReasonCode.GENERAL_WORSE:
            return _general(reason)
        case ReasonCode.WEAKER_SCALE:
            return tr(
                "At full strength it did harm; at {scale} it does not, so it is used at "
                "that strength.",
                scale=tr("{n} %", n=f"{100 * values['scale']:.0f}"),
            )
        case _:
            return _harm(reason)


def _general(reason: Reason) -> str:
    shares = _shares(reason, "change")
    if reason.code is ReasonCode.GENERAL_KEPT:
        return tr(
            "What it could do before is kept: the loss on general questions changed by {change}.",
            **shares,
        )
    return tr(
        "It got worse at general questions: their loss changed by {change}. Fewer epochs or "
        "more varied examples help.",
        **shares,
    )


def _harm(reason: Reason) -> str:
    values = reason.values
    match reason.code:
        case ReasonCode.DIVERGED:
            return tr(
                "It also answers differently where it should not: it differs from the "
                "model by {divergence} nats per token; {limit} are allowed.",
                divergence=f"{values['divergence']:.2f}",
                limit=f"{values['limit']:.2f}",
            )
        case ReasonCode.DEGENERATE:
            return tr(
                "{count} of {of} answers went wrong: empty, noise, loops, or the same for "
                "different questions.",
                **_counts(reason, "count", "of"),
            )
        case ReasonCode.RECALLED:
            return tr(
                "It memorized {count} of {of} secrets that it must not know.",
                **_counts(reason, "count", "of"),
            )
        case ReasonCode.FORGOTTEN:
            return tr(
                "It tells {told} of the answers it was taught; before it was finished it told "
                "{proven}.",
                **_counts(reason, "told", "proven"),
            )
        case ReasonCode.MEANINGLESS:
            return tr(
                "{count} of {of} answers it was measured with are noise or repetition; being "
                "better at those is no gain.",
                **_counts(reason, "count", "of"),
            )
        case ReasonCode.UNRELATED:
            return tr(
                "The answers have nothing to do with their questions: they fit other questions as "
                "well, so there is nothing in them to learn."
            )
        case _:
            return tr("Its answers cannot be computed: the numbers in it are damaged.")


def _shares(reason: Reason, *names: str) -> dict[str, str]:
    """Return the values as percentages, with their sign."""
    return {name: f"{100 * reason.values[name]:+.1f} %".replace("-", "−") for name in names}


def _counts(reason: Reason, *names: str) -> dict[str, str]:
    return {name: f"{reason.values[name]:.0f}" for name in names}
