"""The front end `given`: features that came with the pairs, as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.front_ends.front_end import Raw, Reads, described


class Given:
    """Features [D] of any float type; nobody here can make them from a picture or a text."""

    name: ClassVar[str] = "given"
    reads: ClassVar[Reads] = "feature"

    def __init__(self, width: int | None = None) -> None:
        self.width = width

    def fit(self, raw: Iterable[Raw]) -> Self:
        """One for features of the width that the first has."""
        first = next(iter(raw), None)
        if not isinstance(first, np.ndarray):
            raise ConfigError("no training pair has a given feature; import one, or choose another front end")
        return type(self)(len(first))

    def __call__(self, raw: Sequence[Raw]) -> NDArray[np.float32]:
        """Features -> float32 [N, D]; raises `ConfigError` for anything else."""
        out = np.zeros((len(raw), self.width or 0), np.float32)
        for row, one in enumerate(raw):
            if not isinstance(one, np.ndarray):
                raise ConfigError("these features were given with the pairs: no picture or text can be turned into one")
            if one.shape != (self.width,):
                raise ConfigError(f"a feature has {one.shape} values, not ({self.width},)")
            out[row] = one
        return out

    def describe(self) -> dict[str, Any]:
        """See `FrontEnd`."""
        return described(self.name, 1, {"width": self.width})

    @classmethod
    def rebuild(cls, description: dict[str, Any], folder: Path) -> Self:
        """Undo `describe`."""
        return cls(description["width"])
