"""Spikinghash: hierarchical spiking transformer with wavelet mixers and a spiking hash layer (arXiv 2501.06786).

Table I of the paper, completed by `SIZES`; "Nano" is ours, for two CPU cores. `VARIANTS` are the paper's ablations.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from torch import Tensor, nn

from spikinghash.errors import ConfigError
from spikinghash.layers import taped_conv, taped_ops
from spikinghash.layers.attention import SpikingSelfAttention
from spikinghash.layers.conv import ConvNorm, per_step
from spikinghash.layers.direct import entry, repeat_layer, repeat_step, scale
from spikinghash.layers.event_conv import stem_layer, stem_step
from spikinghash.layers.fused import is_fixed
from spikinghash.layers.hash_layer import HashOutput, SpikingHashLayer, global_average
from spikinghash.layers.mlp import SpikingMLP
from spikinghash.layers.neuron import LIF
from spikinghash.layers.pool import compiled_pool
from spikinghash.layers.program import Step, chain, compiled, frames_through
from spikinghash.layers.tape import Gradients, Taped, in_sequence, is_taped, layer_of, trained, undo
from spikinghash.layers.wavemixer import MixerThresholds, WaveMixer
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


class Downsample(nn.Module):
    """SN, 3x3 conv, BN, optional 3x3 stride-2 max pool. [T, B, C, H, W] -> [T, B, C', H', W']."""

    def __init__(self, inputs: int, outputs: int, *, pool: bool, surrogate: str) -> None:
        super().__init__()
        self.entry = LIF(1.0, surrogate_name=surrogate)
        self.conv = ConvNorm(inputs, outputs, 3)
        self.pool: nn.Module | None = nn.MaxPool2d(3, 2, 1) if pool else None

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C', H', W']."""
        y = self.conv(self.entry(x))
        return y if self.pool is None else per_step(self.pool, y)

    def forward_back(self, x: np.ndarray, grads: Gradients) -> Taped:
        """Training on arrays [T, B, H, W, C]."""
        if taped_conv.serves(x, self.conv.conv, self.pool):
            layers = self.conv.conv, self.conv.norm, self.pool
            return taped_conv.fire_and_convolve(x, self.entry.constants, *layers, grads)
        x, entry_back = taped_ops.lif(x, self.entry.constants)
        x, conv_back = taped_ops.convolution(x, self.conv.conv, grads)
        x, pool_back = taped_ops.normed_and_pooled(x, self.conv.norm, self.pool, grads)
        return x, undo([entry_back, conv_back, pool_back])

    def compiled(self) -> Step:
        """Inference on arrays [T, B, H, W, C]."""
        steps = self.entry.compiled(), self.conv.compiled_for_spikes()
        return chain(*steps) if self.pool is None else chain(*steps, compiled_pool(self.pool))


class Block(nn.Module):
    """Residual mixer and MLP: X + mixer(X), X + MLP(X) (eqs. 4-6 and 15-16)."""

    def __init__(self, mixer: nn.Module, channels: int, ratio: int, surrogate: str) -> None:
        super().__init__()
        self.mixer = mixer
        self.mlp = SpikingMLP(channels, ratio, surrogate)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C, H, W]."""
        x = _plus(x, self.mixer(x))
        return _plus(x, self.mlp(x))

    def forward_back(self, x: np.ndarray, grads: Gradients) -> Taped:
        """Training on arrays [T, B, H, W, C]."""
        y, mixer_back = layer_of(self.mixer)(x, grads)
        y += x
        z, mlp_back = self.mlp.forward_back(y, grads)
        z += y

        def back(g: np.ndarray) -> np.ndarray:
            by_mlp = mlp_back(g)
            by_mlp += g
            by_mixer = mixer_back(by_mlp)
            by_mixer += by_mlp
            return by_mixer

        return z, back

    def compiled(self) -> Step:
        """Inference on arrays [T, B, H, W, C]."""
        mixer, mlp = compiled(self.mixer), self.mlp.compiled(residual=True)

        def run(x: np.ndarray) -> np.ndarray:
            branch = mixer(x)
            branch += x
            return mlp(branch)

        return run


def _plus(x: Tensor, branch: Tensor) -> Tensor:
    """x + branch; without gradients into the memory of `branch`, which nobody else holds."""
    return x + branch if branch.requires_grad else branch.add_(x)


class Spikinghash(nn.Module):
    """Frames [T, B, P, H, W] -> `HashOutput` and class logits; with `bits` 0 the classification head, logits alone.

    Frames of one step are repeated `steps` times; three `channels` are a picture's pixels (`layers/direct.py`).

    Neuron state starts at rest in every call, so results never depend on earlier batches.
    """

    def __init__(
        self,
        size: Size,
        *,
        bits: int,
        classes: int,
        steps: int,
        height: int,
        width: int,
        channels: int = POLARITIES,
        surrogate: str = "sigmoid",
        variant: Variant = VARIANTS["full"],
    ) -> None:
        super().__init__()
        grids = stage_grids(size, steps, height, width, variant)
        self.steps = steps
        self.stem = ConvNorm(channels, size.stem, 3)
        self.stem_pool: nn.Module | None = nn.MaxPool2d(3, 2, 1) if size.stem_pool else None
        inputs = (size.stem, *size.widths[:3])
        self.stages = nn.ModuleList(
            _stage(size, i, inputs[i], (steps, *grids[i]), surrogate, variant) for i in range(4)
        )
        self.hash: SpikingHashLayer | None = None
        if bits:
            self.hash = SpikingHashLayer(size.widths[3], bits, surrogate, variant.readout)
        self.classifier = nn.Linear(bits or size.widths[3], classes)

    def features(self, x: Tensor) -> Tensor:
        """x [T or 1, B, P, H, W] -> pooled features [T, B, D4]."""
        x = scale(x)
        if is_taped(self, x):
            return trained(self, x)
        return global_average(
            frames_through(self, x) if is_fixed(self, x) else self._stages(x), exact=not self.training
        )

    def _stages(self, x: Tensor) -> Tensor:
        x = entry(self.stem, self.stem_pool, x, self.steps)
        for stage in self.stages:
            x = stage(x)
        return x

    def forward_back(self, x: np.ndarray, grads: Gradients) -> Taped:
        """All before the pooled features, in training on arrays: counts [T, B, P, H, W] -> [T, B, H', W', D4]."""
        blocks = (layer_of(part) for stage in self.stages for part in stage.children())
        return in_sequence([stem_layer(self.stem, self.stem_pool), repeat_layer(self.steps), *blocks], x, grads)

    def compiled(self) -> Step:
        """All before the pooled features, in inference on arrays: counts [T, B, P, H, W] -> [T, B, H', W', D4]."""
        return chain(
            stem_step(self.stem, self.stem_pool), repeat_step(self.steps), *(compiled(stage) for stage in self.stages)
        )

    def forward(self, x: Tensor) -> tuple[HashOutput, Tensor]:
        """x [T, B, P, H, W] float counts -> hash output of [B, K], logits [B, classes] from the firing rates."""
        if self.hash is None:
            raise ConfigError("this network has a classification head and no hash layer; call `classify`")
        out: HashOutput = self.hash(self.features(x))
        return out, self.classifier(out.rate)

    def classify(self, x: Tensor) -> Tensor:
        """x [T, B, P, H, W] -> logits [B, classes]; without a hash layer from the time mean of the features."""
        return self.classifier(self.features(x).mean(0)) if self.hash is None else self.forward(x)[1]


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
    if spec.size not in SIZES:
        raise ConfigError(f"unknown size {spec.size!r}; one of: {', '.join(SIZES)}")
    return Spikinghash(
        SIZES[spec.size], bits=spec.bits, classes=len(spec.classes), steps=spec.steps, height=spec.height,
        width=spec.width, channels=spec.channels, surrogate=spec.surrogate, variant=VARIANTS[spec.variant],
    )  # fmt: skip


def parameter_count(model: nn.Module) -> int:
    """Number of trainable values."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
