"""A method's own options: plain values by name to a checked dataclass."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import ConfigDict, ValidationError

from spikinghash.errors import ConfigError

Options = TypeVar("Options")
#: For `@dataclass(frozen=True, config=STRICT)` of `pydantic.dataclasses`: no other keys, no other types.
STRICT = ConfigDict(extra="forbid", strict=True)


def options_of(kind: type[Options], given: Mapping[str, Any], method: str) -> Options:
    """`given` as a `kind`, whose defaults stand for what is left out.

    `kind` is a pydantic dataclass with `STRICT`. Raises `ConfigError` with one line that names key and rule.
    """
    try:
        return kind(**given)
    except ValidationError as error:
        raise ConfigError(_told(error, kind, method)) from None


def _told(error: ValidationError, kind: Any, method: str) -> str:
    problem = error.errors()[0]
    key = ".".join(map(str, problem["loc"]))
    if problem["type"] == "unexpected_keyword_argument":
        near = difflib.get_close_matches(key, [one.name for one in fields(kind)], n=1, cutoff=0.0)
        return f"{method} has no option {key}" + (f"; did you mean {near[0]}?" if near else "")
    return f"option {key} of {method}: {problem['msg'].removeprefix('Value error, ')} (given: {problem['input']!r})"
