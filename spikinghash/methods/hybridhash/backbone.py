"""Weights of a NesT that was trained on ImageNet, from a local file, into the parts that HybridHash has of it.

Names are those of timm's `nest`: `patch_embed.proj`, `levels.L.pos_embed`, `levels.L.pool.conv`, `levels.L.pool.norm`,
`levels.L.transformer_encoder.N`, and `norm` and `head`, which HybridHash has not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import torch

from spikinghash.errors import ConfigError
from spikinghash.methods.hybridhash.network import HybridHashNetwork
from spikinghash.read_tensors import read_tensors

#: Parts of a layer, by their names in the file.
_LAYER = {
    "norm1": "norm1", "norm2": "norm2", "attn.qkv": "attention.qkv", "attn.proj": "attention.project",
    "mlp.fc1": "mlp.0", "mlp.fc2": "mlp.2",
}  # fmt: skip
#: What a file may have beyond this network: the end of a classifier, and the convolution between levels where there is
#: no interaction. Deeper layers of the last level are the third kind, of which the authors' runs leave five.
_SPARE = re.compile(r"(norm|head|levels\.[12]\.pool\.conv)\.(weight|bias)")
_DEEPER = re.compile(r"levels\.2\.transformer_encoder\.(\d+)\.([a-z0-9.]+)\.(weight|bias)")


@dataclass(frozen=True)
class BackboneReport:
    """Names of tensors: `loaded` and `fresh` of the network, which keep their first values, `left` in the file."""

    loaded: tuple[str, ...]
    fresh: tuple[str, ...]
    left: tuple[str, ...]

    def line(self) -> str:
        """For a log: counts, and what was left by name."""
        left = ", ".join(self.left) or "none"
        return f"{len(self.loaded)} tensors loaded, {len(self.fresh)} of the network fresh, left in the file: {left}"


def load_backbone(network: HybridHashNetwork, path: Path) -> BackboneReport:
    """Set patches, levels and what lies between them to the weights of the file.

    `ConfigError`, and nothing is set, for a file that cannot be read, lacks any of them, has one of another shape or
    with values that are not finite, or has a tensor that is no part of a NesT.
    """
    tensors, own = read_tensors(path), network.state_dict()
    names = {ours: theirs for theirs, ours in _names(network).items()}
    for ours, theirs in names.items():
        if theirs not in tensors:
            raise ConfigError(f"{path}: no tensor {theirs}; a NesT of depths {network.depths} is needed")
        found, wanted = tensors[theirs], own[ours]
        if found.shape != wanted.shape:
            raise ConfigError(
                f"{path}: tensor {theirs} is {tuple(found.shape)}, the network has {tuple(wanted.shape)}; width and "
                "input must be those it was trained with"
            )
        if not found.is_floating_point() or not torch.isfinite(found).all():
            raise ConfigError(f"{path}: tensor {theirs} has values that are no finite numbers; get the file again")
    left = tuple(sorted(set(tensors) - set(names.values())))
    strange = [name for name in left if not _spare(name)]
    if strange:
        raise ConfigError(
            f"{path}: tensor {strange[0]} has no place here, as {len(strange)} in all; model.options must be of the "
            "width and depths it was trained with"
        )
    with torch.no_grad():
        for ours, theirs in names.items():
            own[ours].copy_(tensors[theirs])
    return BackboneReport(tuple(names), tuple(name for name in own if name not in names), left)


def _spare(name: str) -> bool:
    deeper = _DEEPER.fullmatch(name)
    return _SPARE.fullmatch(name) is not None or (deeper is not None and deeper[2] in _LAYER)


def _names(network: HybridHashNetwork) -> dict[str, str]:
    """Tensors in the file -> the network's, for all that the network has of a NesT."""
    modules = {"patch_embed.proj": "patch"}
    found = {}
    for i, depth in enumerate(network.depths):
        found[f"levels.{i}.pos_embed"] = f"levels.{i}.place"
        for j in range(depth):
            theirs, ours = f"levels.{i}.transformer_encoder.{j}", f"levels.{i}.layers.{j}"
            modules |= {f"{theirs}.{a}": f"{ours}.{b}" for a, b in _LAYER.items()}
    for i, between in enumerate(network.interactions):
        modules[f"levels.{i + 1}.pool.norm"] = f"interactions.{i}.norm"
        if between.local is not None:
            modules[f"levels.{i + 1}.pool.conv"] = f"interactions.{i}.local"
    return found | {f"{a}.{part}": f"{b}.{part}" for a, b in modules.items() for part in ("weight", "bias")}
