"""Parts of parameter files: frozen, strict about keys and types, and what is wrong told in one line."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from spikinghash.errors import ConfigError

Checked = TypeVar("Checked", bound=BaseModel)


class Section(BaseModel):
    """Part of a parameter file: frozen, and strict about keys and types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def check_as(kind: type[Checked], content: Any, path: Path) -> Checked:
    """Content of a parameter file, checked; `path` is what an error names."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_first_problem(error, kind)}") from None


def _first_problem(error: ValidationError, root: type[BaseModel]) -> str:
    """What to say of content that is no `root`: the key, the rule and, for a typo, the nearest key."""
    # an unknown key explains the missing one it was meant to be
    problem = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    place = ".".join(str(part) for part in problem["loc"]) or "the file"
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(problem["loc"][-1]), _keys(root, problem["loc"][:-1]), n=1, cutoff=0.0)
        hint = f"; did you mean {'.'.join([*map(str, problem['loc'][:-1]), near[0]])}?" if near else ""
        return f"unknown key {place}{hint}"
    if problem["type"] == "missing":
        return f"missing key {place}"
    given = problem["input"] if not isinstance(problem["input"], dict) else "a section"
    return f"{place}: {problem['msg'].removeprefix('Value error, ')} (given: {given})"


def _keys(section: type[BaseModel], place: tuple[Any, ...]) -> list[str]:
    for part in place:
        annotation = section.model_fields[str(part)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        section = annotation
    return list(section.model_fields)
