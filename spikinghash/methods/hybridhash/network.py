"""The network of HybridHash: patches, three levels of nested blocks with interactions between them, hash layer."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from spikinghash.errors import ConfigError
from spikinghash.layers.accounts import Composed
from spikinghash.methods.hybridhash.geometry import Geometry
from spikinghash.methods.hybridhash.hash_head import HashHead
from spikinghash.methods.hybridhash.interaction import Interaction
from spikinghash.methods.hybridhash.nested_level import NestedLevel
from spikinghash.methods.hybridhash.options import HEADS, HybridHashOptions
from spikinghash.schema import PIXEL_CHANNELS

#: Mean and deviation of the colours of ImageNet, of 1.
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_LARGEST_PIXEL = 255.0
MODALITY = "image"


class HybridHashNetwork(Composed, nn.Module):
    """Pictures as in `Batch.inputs` -> h [B, K] in (-1, 1), by the name of their modality; `depths` by level."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, geometry: Geometry, bits: int, options: HybridHashOptions, *, interacts: bool) -> None:
        super().__init__()
        widths, edge, blocks = options.widths, geometry.edge, geometry.blocks
        self.register_buffer("mean", _LARGEST_PIXEL * torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", _LARGEST_PIXEL * torch.tensor(_DEVIATION)[:, None, None], persistent=False)
        self.patch = nn.Conv2d(PIXEL_CHANNELS, widths[0], geometry.patch, geometry.patch)
        total = sum(options.depths)
        rates = [options.drop_path * i / max(1, total - 1) for i in range(total)]
        self.depths = options.depths
        self.levels, self.interactions = nn.ModuleList(), nn.ModuleList()
        for level, depth in enumerate(options.depths):
            drops, rates = rates[:depth], rates[depth:]
            self.levels.append(NestedLevel(widths[level], HEADS[level], blocks[level], edge, drops))
            if level + 1 < len(widths):
                self.interactions.append(
                    Interaction(widths[level], widths[level + 1], blocks[level], edge, interacts=interacts)
                )
        self.hash = HashHead(widths[-1], bits, blocks[-1], edge, interacts=interacts)
        self.apply(_initialise)

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Pictures uint8 [B, 3, H, W] -> h [B, K]; `ConfigError` where there are none."""
        if MODALITY not in inputs:
            raise ConfigError(f"hybridhash takes {MODALITY}; the samples have {', '.join(inputs) or 'nothing'}")
        x = self.patch((inputs[MODALITY].to(self.mean.dtype) - self.mean) / self.deviation)
        for i, level in enumerate(self.levels):
            x = level(x)
            if i < len(self.interactions):
                x = self.interactions[i](x)
        return {MODALITY: self.hash(x)}


def _initialise(module: nn.Module) -> None:
    """Linear layers as in transformers of vision; convolutions stay as torch draws them."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
