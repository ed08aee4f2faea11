"""Patches and blocks of a picture, from its side in pixels."""

from __future__ import annotations

from dataclasses import dataclass

from spikinghash.errors import ConfigError

#: From this side on patches have 4 pixels, below it 2.
_LARGE_PX = 128


@dataclass(frozen=True)
class Geometry:
    """Square `patch` in pixels and square block of `edge` x `edge` places; both are the same in all three levels."""

    patch: int
    edge: int

    @property
    def blocks(self) -> tuple[int, int, int]:
        """Blocks by level: each level has half the resolution of the one before."""
        return 16, 4, 1


def geometry_of(height: int, width: int) -> Geometry:
    """224 pixels are patches of 4 and blocks of 14, 32 pixels patches of 2 and blocks of 4.

    `ConfigError` for pictures that are not square, or not 4 x 4 blocks of at least 2 x 2 patches.
    """
    patch = 4 if height >= _LARGE_PX else 2
    unit = 4 * patch
    if height != width or height % unit or height < 2 * unit:
        raise ConfigError(
            f"hybridhash: input {height}x{width} is not 4x4 square blocks of patches of {patch} pixels; choose a "
            f"square whose side is a multiple of {unit}, {2 * unit} or more"
        )
    return Geometry(patch, height // unit)
