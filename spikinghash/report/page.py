"""A page from a template beside this file: everything that is put in is escaped, and nothing is left undefined."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from spikinghash.files import write_atomically
from spikinghash.report import units


def render_page(template: str, context: Mapping[str, Any]) -> str:
    """The page as text."""
    # autoescape is on for everything: labels and file names come from strangers
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("change", "count", "figure", "score", "share", "energy", "operations"):
        environment.filters[name] = getattr(units, name)
    return environment.get_template(template).render(context)


def write_page(out: Path, page: str) -> None:
    """Write the page, whole or not at all; errors of `write_atomically`."""
    # a lone surrogate from a JSON escape has no place in UTF-8
    write_atomically(out, page.encode("utf-8", "replace"))
