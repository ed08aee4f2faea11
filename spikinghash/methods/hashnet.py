"""HashNet-style convolutional baseline: time folded into channels, eq. 17's hash layer with continuation.

After Cao, Long, Wang and Yu, "HashNet: deep learning to hash by continuation" (ICCV 2017), with a small network in the
place of AlexNet.
"""

from __future__ import annotations

from torch import Tensor, nn

from spikinghash.errors import ConfigError
from spikinghash.layers.accounts import Composed
from spikinghash.layers.input_encoding import repeat, scale
from spikinghash.layers.tanh_hash import TanhHashLayer, TanhOutput
from spikinghash.methods.frame_options import frame_options, network_arguments
from spikinghash.methods.spec import ModelSpec
from spikinghash.schema import POLARITIES

#: Output channels of the four convolutions; "Nano" has about as many weights as Spikinghash-Nano.
SIZES: dict[str, tuple[int, ...]] = {"Nano": (32, 64, 112, 160), "M": (96, 192, 384, 384)}


class HashNet(Composed, nn.Module):
    """Frames [T, B, P, H, W] -> `TanhOutput` and class logits. Four times conv 3x3, BN, ReLU, pool 2; mean; hash."""

    def __init__(
        self, widths: tuple[int, ...], *, bits: int, classes: int, steps: int, channels: int = POLARITIES
    ) -> None:
        super().__init__()
        self.steps = steps
        layers: list[nn.Module] = []
        for before, width in zip((steps * channels, *widths), widths, strict=False):
            layers += [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            layers.append(nn.MaxPool2d(2))
        self.body = nn.Sequential(*layers)
        self.hash = TanhHashLayer(widths[-1], bits)
        self.classifier = nn.Linear(bits, classes)

    def forward(self, x: Tensor) -> tuple[TanhOutput, Tensor]:
        """x [T, B, P, H, W] float counts -> hash output of [B, K], logits [B, classes]."""
        folded = repeat(scale(x), self.steps).transpose(0, 1).flatten(1, 2)
        out: TanhOutput = self.hash(self.body(folded).mean(dim=(2, 3)))
        return out, self.classifier(out.codes)

    def classify(self, x: Tensor) -> Tensor:
        """x [T, B, P, H, W] -> logits [B, classes]."""
        return self.forward(x)[1]


def hashnet(spec: ModelSpec) -> HashNet:
    """The network of `spec`; `ConfigError` for an unknown size or an input under 16 pixels."""
    arguments = network_arguments(spec, SIZES)
    height, width = spec.input.height, spec.input.width
    if min(height, width) < 16:
        raise ConfigError(f"input {height}x{width} is too small for four poolings; use at least 16x16")
    return HashNet(SIZES[frame_options(spec).network_size], **arguments)
