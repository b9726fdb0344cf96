"""Text that is valid Unicode."""


def sound_text(text: str) -> str:
    """Return `text` as valid Unicode: lone surrogates (from a paste or terminal) become U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
