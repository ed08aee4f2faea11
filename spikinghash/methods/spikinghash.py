"""Spikinghash: hierarchical spiking transformer with wavelet mixers and a spiking hash layer (arXiv 2501.06786).

Table I of the paper, completed by `SIZES`; "Nano" is ours, for two CPU cores. `VARIANTS` are the paper's ablations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from torch import nn

from spikinghash.errors import ConfigError
from spikinghash.layers.attention import SpikingSelfAttention
from spikinghash.layers.block import Block, Downsample
from spikinghash.layers.conv import ConvNorm
from spikinghash.layers.hash_layer import SpikingHashLayer
from spikinghash.layers.hashing_network import HashingNetwork
from spikinghash.layers.sequential import Part
from spikinghash.layers.wavemixer import MixerThresholds, WaveMixer
from spikinghash.methods.frame_options import frame_options, network_arguments
from spikinghash.methods.spec import ModelSpec
from spikinghash.schema import POLARITIES


@dataclass(frozen=True)
class Size:
    """One column of Table I. `widths` D1..D4, `blocks` per stage, `groups` of the channel mixers in stages 1 and 2,
    `pool` per stage; `stem_pool` is the paper's "added maxpooling".
    """

    stem: int
    widths: tuple[int, int, int, int]
    blocks: tuple[int, int, int, int] = (1, 1, 1, 1)
    groups: tuple[int, int] = (8, 8)
    pool: tuple[bool, bool, bool, bool] = (True, True, True, True)
    ratio: int = 4
    heads: int = 16
    stem_pool: bool = False
    thresholds: MixerThresholds = field(default_factory=MixerThresholds)


_LATE = (False, False, True, True)

SIZES: dict[str, Size] = {
    "Nano": Size(16, (32, 48, 64, 96), groups=(1, 1), pool=(False, True, True, True), ratio=2, heads=8, stem_pool=True),
    "Ti": Size(32, (64, 128, 256, 256), blocks=(0, 1, 0, 1)),
    "S": Size(48, (96, 192, 192, 384), pool=_LATE),
    "M": Size(48, (96, 192, 384, 384), groups=(4, 8), pool=_LATE),
    "M-DVS": Size(48, (96, 192, 384, 384), groups=(4, 8)),
    "L": Size(64, (128, 256, 384, 512), groups=(16, 32)),
    "XL": Size(64, (128, 256, 512, 512), groups=(16, 32)),
    # "with an added maxpooling layer": Tiny-ImageNet and HARDVS
    "M-pool": Size(48, (96, 192, 384, 384), groups=(4, 8), pool=_LATE, stem_pool=True),
    "XL-pool": Size(64, (128, 256, 512, 512), groups=(16, 32), stem_pool=True),
}
# at the released 0.75 four of seven high bands can never fire: the difference of two spikes, 0.707 at most, charges a
# neuron to no more than that
SIZES["Nano-bands"] = replace(SIZES["Nano"], thresholds=MixerThresholds(high=0.38))


@dataclass(frozen=True)
class Variant:
    """What an ablation changes: the `mixer` of stages 1 and 2 ("swm", "swm2d" or "ssa"), its wavelet `levels`, and how
    the hash layer reads a bit (`layers/hash_layer.py`).
    """

    mixer: str = "swm"
    levels: int = 2
    readout: str = "and"

    @property
    def step_unit(self) -> int:
        """T must be a multiple of this."""
        return int(2**self.levels) if self.mixer == "swm" else 1

    @property
    def side_unit(self) -> int:
        """H and W of the first two stages must be multiples of this."""
        return int(2**self.levels) if self.mixer != "ssa" else 1


VARIANTS: dict[str, Variant] = {
    "full": Variant(),
    "2d-swm": Variant(mixer="swm2d"),  # table XI
    "all-ssa": Variant(mixer="ssa"),  # table XII
    "one-level": Variant(levels=1),
    "rate": Variant(readout="rate"),
}


class Spikinghash(HashingNetwork):
    """Frames [T, B, P, H, W] -> `HashOutput` and class logits; with `bits` 0 the classification head, logits alone."""

    def __init__(
        self, size: Size, *, bits: int, classes: int, steps: int, height: int, width: int, channels: int = POLARITIES,
        surrogate: str = "sigmoid", variant: Variant = VARIANTS["full"],
    ) -> None:  # fmt: skip
        super().__init__()
        grids = stage_grids(size, steps, height, width, variant)
        self.steps = steps
        self.stem = ConvNorm(channels, size.stem, 3, pool=size.stem_pool)
        inputs = (size.stem, *size.widths[:3])
        self.stages = nn.ModuleList(
            _stage(size, i, inputs[i], (steps, *grids[i]), surrogate, variant) for i in range(4)
        )
        self.hash = SpikingHashLayer(size.widths[3], bits, surrogate, variant.readout) if bits else None
        self.classifier = nn.Linear(bits or size.widths[3], classes)

    def body(self) -> Iterator[Part]:
        """The four stages."""
        yield from self.stages


def stage_grids(
    size: Size, steps: int, height: int, width: int, variant: Variant = VARIANTS["full"]
) -> list[tuple[int, int]]:
    """(H, W) after each stage; raises ConfigError where the wavelet levels do not divide T, H or W."""
    if steps % variant.step_unit:
        raise ConfigError(
            f"steps is {steps}: {_levels(variant)} a multiple of {variant.step_unit}; set frames.steps to 4, 8 or 16 "
            "(for pictures model.steps)"
        )
    h, w = height, width
    if size.stem_pool:
        h, w = _pooled(h), _pooled(w)
    grids = []
    for stage in range(4):
        if size.pool[stage]:
            h, w = _pooled(h), _pooled(w)
        unit = variant.side_unit
        if stage < 2 and size.blocks[stage] and (h % unit or w % unit):
            last = max(i for i in range(2) if size.blocks[i])
            whole = unit * 2 ** (sum(size.pool[: last + 1]) + size.stem_pool)
            raise ConfigError(
                f"input {height}x{width} gives a {h}x{w} grid in stage {stage + 1}, not a multiple of {unit}; "
                f"choose a model input that is a multiple of {whole}"
            )
        grids.append((h, w))
    return grids


def _levels(variant: Variant) -> str:
    return "two wavelet levels need" if variant.levels == 2 else f"{variant.levels} wavelet level needs"


def _pooled(n: int) -> int:
    return (n + 1) // 2


def _stage(size: Size, i: int, inputs: int, grid: tuple[int, int, int], surrogate: str, variant: Variant) -> nn.Module:
    channels = size.widths[i]
    layers: list[nn.Module] = [Downsample(inputs, channels, pool=size.pool[i], surrogate=surrogate)]
    for _ in range(size.blocks[i]):
        mixer: nn.Module
        if i < 2 and variant.mixer != "ssa":
            mixer = WaveMixer(
                channels, grid, size.groups[i], temporal=variant.mixer == "swm", levels=variant.levels,
                thresholds=size.thresholds, surrogate=surrogate,
            )  # fmt: skip
        else:
            mixer = SpikingSelfAttention(channels, size.heads, surrogate)
        layers.append(Block(mixer, channels, size.ratio, surrogate))
    return nn.Sequential(*layers)


def spikinghash(spec: ModelSpec) -> Spikinghash:
    """The network of `spec`; `ConfigError` for an unknown size or variant, or a geometry it cannot take."""
    arguments, options = network_arguments(spec, SIZES), frame_options(spec)
    return Spikinghash(
        SIZES[options.network_size], height=spec.input.height, width=spec.input.width, surrogate=options.surrogate,
        variant=VARIANTS[spec.variant], **arguments,
    )  # fmt: skip
