"""Targets to class numbers, for methods that classify."""

from __future__ import annotations

from torch import Tensor

from spikinghash.errors import ConfigError


def class_numbers(targets: Tensor | None) -> Tensor:
    """Targets [B, C] of 0 and 1 -> the class of each sample, int64 [B].

    Raises `ConfigError` where a sample has no class or several.
    """
    if targets is None:
        raise ConfigError("this method takes one label a sample; the samples have none")
    counts = targets.sum(1)
    if not bool((counts == 1).all()):
        raise ConfigError(f"this method takes one label a sample; one has {int(counts[counts != 1][0])}")
    return targets.argmax(1)
