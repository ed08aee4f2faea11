"""What may be chosen of HybridHash."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from spikinghash.errors import ConfigError
from spikinghash.methods.options import STRICT

#: "no-interaction" leaves out the 3x3 convolutions between levels, and all attention over blocks.
VARIANTS = ("full", "no-interaction")
#: Of the three levels; those of NesT-B (Zhang et al., AAAI 2022), each 32 channels at the published width.
HEADS = (4, 8, 16)
#: Over the tokens of blocks, in every interaction.
TOKEN_HEADS = 8

_Depth = Annotated[int, Field(ge=1, le=256)]


@dataclass(frozen=True, config=STRICT)
class HybridHashOptions:
    """`width` channels in the first level, doubled in each of the next two; `depths` are blocks of attention and MLP.

    `drop_path` is the share of samples that skip the last block while training, less for those before it. `alpha`
    scales inner products in the likelihood; `classification` weighs a classifier of codes, which is not in the paper.
    `backbone` is a file of safetensors with the weights of a NesT of these sizes, read before the first step. Defaults
    are the authors' training script; 0.5 of `drop_path` asks for such a file, from scratch take at most 0.1.
    """

    width: Annotated[int, Field(ge=4, le=4096)] = 128
    depths: Annotated[tuple[_Depth, _Depth, _Depth], Field(strict=False)] = (2, 2, 15)
    drop_path: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.5
    alpha: Annotated[float, Field(gt=0.0)] = 0.5
    classification: Annotated[float, Field(ge=0.0)] = 0.0
    backbone: str | None = None

    def __post_init__(self) -> None:
        if self.width % HEADS[0]:
            raise ConfigError(f"hybridhash: width is a multiple of {HEADS[0]}, the heads of its first level")

    @property
    def widths(self) -> tuple[int, int, int]:
        """Channels by level."""
        return self.width, 2 * self.width, 4 * self.width
