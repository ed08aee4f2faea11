"""TimeSformer with divided space-time attention, the paper's ANN video transformer, and eq. 17's hash layer.

Bertasius, Wang and Torresani, "Is space-time attention all you need for video understanding?" (ICML 2021): each block
attends over time at one place, then over places at one time.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from spikinghash.errors import ConfigError
from spikinghash.layers.accounts import Composed
from spikinghash.layers.input_encoding import repeat, scale
from spikinghash.layers.self_attention import SelfAttention
from spikinghash.layers.tanh_hash import TanhHashLayer, TanhOutput
from spikinghash.methods.frame_options import frame_options, network_arguments
from spikinghash.methods.spec import ModelSpec
from spikinghash.schema import POLARITIES


@dataclass(frozen=True)
class VideoSize:
    """`width` of the tokens, `depth` blocks, square patches of `patch` pixels."""

    width: int
    depth: int
    heads: int
    patch: int
    ratio: int = 4


#: "Base" is the published one (12 blocks of 768, patches of 16); "Nano" is near Spikinghash-Nano in weights.
SIZES: dict[str, VideoSize] = {
    "Nano": VideoSize(64, 4, 4, 4),
    "Base": VideoSize(768, 12, 12, 16),
}


class DividedBlock(Composed, nn.Module):
    """Temporal attention, spatial attention, MLP, each pre-normed and residual. [B, T, N, C] -> the same shape."""

    def __init__(self, size: VideoSize) -> None:
        super().__init__()
        C = size.width
        self.norms = nn.ModuleList(nn.LayerNorm(C) for _ in range(3))
        self.time, self.space = SelfAttention(C, size.heads), SelfAttention(C, size.heads)
        self.time_out = nn.Linear(C, C)
        self.mlp = nn.Sequential(nn.Linear(C, size.ratio * C), nn.GELU(), nn.Linear(size.ratio * C, C))

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, N, C] -> [B, T, N, C]."""
        B, T, N, C = x.shape
        along = self.norms[0](x).transpose(1, 2).reshape(B * N, T, C)
        x = x + self.time_out(self.time(along)).reshape(B, N, T, C).transpose(1, 2)
        x = x + self.space(self.norms[1](x).reshape(B * T, N, C)).reshape(B, T, N, C)
        return x + self.mlp(self.norms[2](x))


class TimeSformer(Composed, nn.Module):
    """Frames [T, B, P, H, W] -> `TanhOutput` and class logits."""

    def __init__(
        self,
        size: VideoSize,
        *,
        bits: int,
        classes: int,
        steps: int,
        height: int,
        width: int,
        channels: int = POLARITIES,
    ) -> None:
        super().__init__()
        if height % size.patch or width % size.patch:
            raise ConfigError(
                f"input {height}x{width} is not a whole number of patches; choose a model input that is a multiple of "
                f"{size.patch}"
            )
        C = size.width
        self.steps = steps
        self.patch = nn.Conv2d(channels, C, size.patch, size.patch)
        self.place = nn.Parameter(0.02 * torch.randn(1, 1, (height // size.patch) * (width // size.patch), C))
        self.moment = nn.Parameter(0.02 * torch.randn(1, steps, 1, C))
        self.blocks = nn.Sequential(*(DividedBlock(size) for _ in range(size.depth)))
        self.norm = nn.LayerNorm(C)
        self.hash = TanhHashLayer(C, bits)
        self.classifier = nn.Linear(bits, classes)

    def forward(self, x: Tensor) -> tuple[TanhOutput, Tensor]:
        """x [T, B, P, H, W] float counts -> hash output of [B, K], logits [B, classes]."""
        x = repeat(scale(x), self.steps)
        T, B = x.shape[:2]
        tokens = self.patch(x.transpose(0, 1).flatten(0, 1)).flatten(2).transpose(1, 2)
        y = tokens.reshape(B, T, *tokens.shape[1:]) + self.place + self.moment
        # a mean over tokens instead of a class token: one vector a clip, as global pooling in the paper
        out: TanhOutput = self.hash(self.norm(self.blocks(y)).mean(dim=(1, 2)))
        return out, self.classifier(out.codes)

    def classify(self, x: Tensor) -> Tensor:
        """x [T, B, P, H, W] -> logits [B, classes]."""
        return self.forward(x)[1]


def timesformer(spec: ModelSpec) -> TimeSformer:
    """The network of `spec`; `ConfigError` for an unknown size or an input that patches do not tile."""
    arguments = network_arguments(spec, SIZES)
    size = SIZES[frame_options(spec).network_size]
    return TimeSformer(size, height=spec.input.height, width=spec.input.width, **arguments)
