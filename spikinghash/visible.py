"""Text from files and file names as it may be shown: on one line, without anything that a terminal or a page obeys."""

from __future__ import annotations

import re

_MARKDOWN = re.compile(r"([\\`*_\[\]!|#~])")


def visible(text: str) -> str:
    r"""`text` with everything that does not print as an escape: line breaks, colours, marks that turn text around."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def markdown(text: str) -> str:
    """`text` so that Markdown shows it as it is: no links, pictures, tables or HTML of its own."""
    safe = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(r"\\\1", safe)
