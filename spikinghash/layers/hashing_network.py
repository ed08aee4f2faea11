"""From frames to bits: a stem, whatever a method puts behind it, pooled features, hash layer, classifier."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from torch import Tensor, nn

from spikinghash.errors import ConfigError
from spikinghash.layers.accounts import Composed
from spikinghash.layers.hash_layer import HashOutput, SpikingHashLayer, global_average
from spikinghash.layers.input_encoding import repeat, scale
from spikinghash.layers.sequential import Part


class HashingNetwork(Composed, nn.Module, ABC):
    """Frames [T, B, P, H, W] -> `HashOutput` and class logits; without a hash layer logits alone, by `classify`.

    Subclasses set `stem`, `steps`, `hash` and `classifier`. Frames of one step are repeated `steps` times;
    three channels are a picture's pixels (`input_encoding.py`).
    """

    stem: nn.Module
    steps: int
    hash: SpikingHashLayer | None
    classifier: nn.Linear

    @abstractmethod
    def body(self) -> Iterator[Part]:
        """What lies between stem and pooled features, in order: maps of [T, B, C, H, W]."""

    def feature_maps(self, x: Tensor) -> Tensor:
        """x [T or 1, B, P, H, W] -> [T, B, C, H', W']."""
        # the stem knows no time, so a picture passes it once and what comes out is repeated
        x = repeat(self.stem(scale(x)), self.steps)
        for part in self.body():
            x = part(x)
        return x

    def features(self, x: Tensor) -> Tensor:
        """x [T or 1, B, P, H, W] -> pooled features [T, B, C]."""
        return global_average(self.feature_maps(x), exact=not self.training)

    def forward(self, x: Tensor) -> tuple[HashOutput, Tensor]:
        """x [T, B, P, H, W] float counts -> hash output of [B, K], logits [B, classes] from the firing rates."""
        return self.head(self.features(x))

    def head(self, f: Tensor) -> tuple[HashOutput, Tensor]:
        """Pooled features [T, B, C] -> as `forward`."""
        if self.hash is None:
            raise ConfigError("this network has a classification head and no hash layer; call `classify`")
        out: HashOutput = self.hash(f)
        return out, self.classifier(out.rate)

    def classify(self, x: Tensor) -> Tensor:
        """x [T, B, P, H, W] -> logits [B, classes]; without a hash layer from the time mean of the features."""
        return self.classifier(self.features(x).mean(0)) if self.hash is None else self.forward(x)[1]
