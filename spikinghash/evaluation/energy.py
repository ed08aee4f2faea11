"""Energy estimate from operation counts and firing rates (paper eqs. 25-26; Horowitz, ISSCC 2014, 45 nm).

E = 4.6 pJ * MACs of layers with real-valued input + 0.9 pJ * sum over spiking layers of R * T * FLOPs, where R is the
mean of the layer's binary input. An estimate of compute alone: no memory traffic, no leakage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from spikinghash.errors import BadStore
from spikinghash.frames.store import FrameStore
from spikinghash.layers.attention import SpikingSelfAttention
from spikinghash.layers.firing import firing_rates
from spikinghash.layers.hash_layer import SpikingHashLayer
from spikinghash.layers.self_attention import SelfAttention
from spikinghash.layers.wavemixer import HighMixer, WaveMixer
from spikinghash.training.checkpoint import LoadedModel

MAC_PJ = 4.6
AC_PJ = 0.9

#: Clips that firing rates are averaged over.
SAMPLE = 256

NOTES = (
    "MACs are per clip over all time steps; a spiking layer's ACs are its MACs times the firing rate of its input.",
    "A layer is spiking if all of its input is 0 or 1; the first convolution never is.",
    "The first convolution is charged on every time step, for a picture, which it sees once, on one; batch norm is "
    "folded; biases, neurons, pooling and the additions of the Haar transform are free.",
    "The hash layer reads a real-valued mean and is charged as MACs; MLP blocks are included although eq. 26 omits "
    "them; the classifier is not used for retrieval; softmax, norms and activations of other networks are free.",
)


@dataclass(frozen=True)
class LayerEnergy:
    """One layer and clip: dense `macs` over all steps, `rate` of its binary input (1 where real-valued), `acs` done."""

    name: str
    kind: str
    macs: int
    rate: float
    spiking: bool

    @property
    def acs(self) -> float:
        """Accumulate operations, 0 for a layer with real-valued input."""
        return self.macs * self.rate if self.spiking else 0.0

    @property
    def energy_pj(self) -> float:
        """Eq. 25 times the cost of an accumulate, or dense MACs."""
        return AC_PJ * self.acs if self.spiking else MAC_PJ * self.macs


@dataclass(frozen=True)
class Energy:
    """All layers of one network."""

    layers: tuple[LayerEnergy, ...]

    @property
    def total_pj(self) -> float:
        """Eq. 26."""
        return sum(layer.energy_pj for layer in self.layers)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; energies in pJ per layer and mJ in total."""
        mac_pj = sum(layer.energy_pj for layer in self.layers if not layer.spiking)
        return {
            "layers": [asdict(x) | {"acs": x.acs, "energy_pj": x.energy_pj} for x in self.layers],
            "total_mj": self.total_pj * 1e-9,
            "mac_mj": mac_pj * 1e-9,
            "ac_mj": (self.total_pj - mac_pj) * 1e-9,
            "constants": {"mac_pj": MAC_PJ, "ac_pj": AC_PJ},
            "notes": list(NOTES),
        }


_COUNTED = (nn.Conv2d, nn.Linear, HighMixer, WaveMixer, SelfAttention, SpikingSelfAttention, SpikingHashLayer)


def estimate_energy(network: nn.Module, frames: Tensor) -> Energy:
    """Energy of one clip, averaged over frames [T, B, P, H, W]. The network must be in inference mode."""
    shapes: dict[str, tuple[Tensor, Tensor]] = {}
    handles = [
        module.register_forward_hook(_recorder(shapes, name))
        for name, module in network.named_modules()
        if isinstance(module, _COUNTED) and name != "classifier"
    ]
    try:
        with torch.no_grad(), firing_rates(network) as rates:
            network(frames)
    finally:
        for handle in handles:
            handle.remove()
    batch = frames.shape[1]
    first = next(name for name, module in network.named_modules() if isinstance(module, nn.Conv2d))
    layers: list[LayerEnergy] = []
    for name, module in network.named_modules():
        if name in shapes:
            layers.extend(_layers(name, module, *shapes[name], rates, batch, first))
    return Energy(tuple(layers))


def estimate_energy_of(model: LoadedModel, store: FrameStore, split: str) -> Energy:
    """Energy of a saved model on the first `SAMPLE` clips of a split of a frame store; `BadStore` if it has none."""
    for counts, _ in store.iter_batches(split, SAMPLE):
        block = model.spec.fit(counts)
        device = next(model.method.parameters()).device
        return estimate_energy(model.method.network, torch.from_numpy(block).transpose(0, 1).to(device))  # type: ignore[arg-type]
    raise BadStore(f"{store.path}: no clips in split {split} to measure firing rates on")


def _recorder(shapes: dict[str, tuple[Tensor, Tensor]], name: str) -> Any:
    def hook(_: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        shapes[name] = (inputs[0], output)

    return hook


def _layers(
    name: str, module: nn.Module, x: Tensor, y: Any, rates: dict[str, float], batch: int, first: str
) -> Iterator[LayerEnergy]:
    if isinstance(module, nn.Conv2d):
        macs = y.numel() // batch * module.in_channels * module.kernel_size[0] * module.kernel_size[1]
        real = name == first or not bool(((x == 0) | (x == 1)).all())
        yield LayerEnergy(name, "convolution", macs, 1.0 if real else float((x != 0).float().mean()), not real)
    elif isinstance(module, nn.Linear):
        yield LayerEnergy(name, "linear", y.numel() // batch * module.in_features, 1.0, False)
    elif isinstance(module, SelfAttention):
        # x [B', N, C], where B' holds the clips and the axis that is not attended over
        for part in ("qk", "av"):
            yield LayerEnergy(f"{name}.{part}", "attention", x.numel() // batch * x.shape[1], 1.0, False)
    elif isinstance(module, WaveMixer):
        macs = x.numel() // batch // module.shrink
        yield LayerEnergy(f"{name}.low", "global mixer", macs, rates[f"{name}.low_in"], True)
    elif isinstance(module, HighMixer):
        elements = x.numel() // batch
        width = module.channel[0].shape[1]
        inputs = ["entry", "fire.0", "fire.1", "fire.2"]
        for i, source in enumerate(inputs):
            kind, macs = ("token mixer", elements) if i < 2 else ("channel mixer", elements * width)
            part = f"{name}.{'token' if i < 2 else 'channel'}.{i % 2}"
            yield LayerEnergy(part, kind, macs, rates[f"{name}.{source}"], True)
    elif isinstance(module, SpikingSelfAttention):
        T, _, C, H, W = x.shape
        macs = T * C * (H * W) ** 2
        yield LayerEnergy(f"{name}.qk", "attention", macs, rates[f"{name}.q.fire"], True)
        yield LayerEnergy(f"{name}.av", "attention", macs, rates[f"{name}.v.fire"], True)
    elif isinstance(module, SpikingHashLayer):
        macs = x.shape[0] * module.linear.in_features * module.linear.out_features
        yield LayerEnergy(name, "hash layer", macs, 1.0, False)
