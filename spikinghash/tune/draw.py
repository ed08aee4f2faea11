"""Points of a search space, drawn at random before the first trial starts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spikinghash.errors import ConfigError

#: Digits of a drawn number that count: what is printed is what was trained.
_DIGITS = 3


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, equally likely each, or with `log` each order of magnitude; whole ones if both
    ends are.
    """

    low: float
    high: float
    log: bool = False

    def draw(self, rng: np.random.Generator) -> float:
        """One number, of three digits."""
        a, b = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        value = float(rng.uniform(a, b))
        value = math.exp(value) if self.log else value
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        value = round(value) if whole else float(f"{value:.{_DIGITS}g}")
        return min(max(value, self.low), self.high)

    @property
    def ends(self) -> tuple[Any, ...]:
        """What has to be valid for all to be so."""
        return self.low, self.high


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]

    def draw(self, rng: np.random.Generator) -> Any:
        """One of them, equally likely."""
        return self.values[int(rng.integers(len(self.values)))]

    @property
    def ends(self) -> tuple[Any, ...]:
        """All values."""
        return self.values


Space = Mapping[str, Range | Choice]
Point = dict[str, Any]


def draw_points(space: Space, count: int, seed: int) -> list[Point]:
    """`count` different points {key: value}; the first ones stay the same when more are asked for.

    `ConfigError` for a space that has not as many.
    """
    rng = np.random.default_rng(seed)
    points: list[Point] = []
    for _ in range(100 * count):
        point = {key: domain.draw(rng) for key, domain in space.items()}
        if point not in points:
            points.append(point)
        if len(points) == count:
            return points
    raise ConfigError(f"tune.space has {len(points)} different points, tune.trials asks for {count}; lower it")


def changes(point: Point) -> dict[str, dict[str, Any]]:
    """A point {"train.lr": 1.0} as what is laid over `params.yaml`: {"train": {"lr": 1.0}}."""
    nested: dict[str, dict[str, Any]] = {}
    for key, value in point.items():
        *sections, last = key.split(".")
        place: dict[str, Any] = nested
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = value
    return nested
