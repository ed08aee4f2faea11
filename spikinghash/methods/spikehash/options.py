"""What may be chosen of SpikeHash."""

from __future__ import annotations

from pydantic.dataclasses import dataclass

from spikinghash.errors import ConfigError
from spikinghash.methods.linear_hash import Scale
from spikinghash.methods.options import STRICT

#: Ablations: without a part of the network, or without a term of the loss.
VARIANTS = ("full", "no-sshse", "no-cmsgi", "tanh-head", "no-contrastive", "no-bar", "no-sral", "no-teacher")


@dataclass(frozen=True, config=STRICT)
class SpikeHashOptions:
    """`bar` and `sral` weigh bit activity and rate alignment as published; `sral` is per 512 channels.

    `modality_dropout` is the share of steps in which each modality is coded alone, `input_dropout` that of features set
    to 0, `margin` the drive that a bit is asked for. `mid` weighs a second contrastive loss on the shared states,
    `teacher` the distance to similarities that canonical correlation finds between training pairs: not in the paper;
    with 0, or as the variant "no-teacher", the loss is the paper's. `teacher_scale` is its `CcaOptions.scale`.
    """

    steps: int = 4
    width: int = 512
    state: int = 512
    v_th: float = 0.5
    surrogate: str = "atan"
    temperature: float = 0.5
    bar: float = 0.2
    sral: float = 0.01
    mid: float = 0.0
    margin: float = 0.5
    modality_dropout: float = 0.5
    input_dropout: float = 0.2
    teacher: float = 10.0
    teacher_scale: Scale = "unit"

    def __post_init__(self) -> None:
        if min(self.steps, self.width, self.state) < 1:
            raise ConfigError("spikehash: steps, width and state are at least 1")
        if min(self.v_th, self.temperature) <= 0:
            raise ConfigError("spikehash: v_th and temperature are above 0")
        if not (0 <= self.modality_dropout <= 1 and 0 <= self.input_dropout < 1):
            raise ConfigError("spikehash: modality_dropout is from 0 to 1, input_dropout from 0 to below 1")
        if min(self.bar, self.sral, self.mid, self.margin, self.teacher) < 0:
            raise ConfigError("spikehash: weights and margin are at least 0")
