"""Numbers, moments and spans of time in words. Bytes in words: `chatdesk.core.units`."""

SLOW_TOKENS_PER_S = 3.0  # people read about twice as fast


def speed_number(tokens_per_s: float) -> str:
    """Tokens per second, with a digit after the point where it matters."""
    slow = tokens_per_s < SLOW_TOKENS_PER_S
    return f"{tokens_per_s:.1f}" if slow else f"{tokens_per_s:.0f}"
