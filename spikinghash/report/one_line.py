"""Text from files, made fit for pictures."""

from __future__ import annotations


def one_line(text: str, most: int = 24, *, keep_end: bool = False) -> str:
    """`text` on one line of at most `most` characters; what cannot be printed becomes a question mark.

    `keep_end` cuts the beginning instead of the end: the end of a layer's name says more.
    """
    # control characters would break the SVG that the text ends up in
    clean = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    if len(clean) <= most:
        return clean
    return "…" + clean[1 - most :] if keep_end else clean[: most - 1] + "…"
