"""Energy estimate from operation counts and firing rates (paper eqs. 25-26; Horowitz, ISSCC 2014, 45 nm).

E = 4.6 pJ * MACs of layers with real-valued input + 0.9 pJ * sum over spiking layers of R * T * FLOPs, where R is the
mean of the layer's binary input. An estimate of compute alone: no memory traffic, no leakage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from spikinghash.data.batch import network_input, sample_count, time_first
from spikinghash.data.store import SampleStore
from spikinghash.errors import BadStore
from spikinghash.layers.accounts import UNUSED, operations_of
from spikinghash.layers.firing import firing_rates
from spikinghash.training.checkpoint import LoadedModel
from spikinghash.training.hash_batch import device_of

MAC_PJ = 4.6
AC_PJ = 0.9

#: Clips that firing rates are averaged over.
SAMPLE = 256

#: Layers of which every bit has weights of its own: hash layers, and their last product where they do more.
PER_BIT = ("hash", "hash.linear", "hash.project")
#: And all maps of linear methods, by modality.
LINEAR_MAPS = "maps."

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
    """One layer and clip: dense `macs` over all steps, `rate` of its binary input (1 where real-valued), `acs` done.

    `timed` says that its input has steps.
    """

    name: str
    kind: str
    macs: int
    rate: float
    spiking: bool
    timed: bool = True

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        kept = {k: v for k, v in asdict(self).items() if k != "timed"}
        return kept | {"acs": self.acs, "energy_pj": self.energy_pj}

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

    @property
    def hash_pj(self) -> float:
        """The part of `total_pj` that grows with the number of bits; 0 where no layer is named as hash layers are."""
        return sum(one.energy_pj for one in self.layers if one.name in PER_BIT or one.name.startswith(LINEAR_MAPS))

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; energies in pJ per layer and mJ in total."""
        mac_pj = sum(layer.energy_pj for layer in self.layers if not layer.spiking)
        return {
            "layers": [layer.to_json() for layer in self.layers],
            "total_mj": self.total_pj * 1e-9,
            "mac_mj": mac_pj * 1e-9,
            "ac_mj": (self.total_pj - mac_pj) * 1e-9,
            "constants": {"mac_pj": MAC_PJ, "ac_pj": AC_PJ},
            "notes": list(NOTES),
        }


def estimate_energy(network: nn.Module, samples: Tensor | Mapping[str, Tensor]) -> Energy:
    """Energy of one sample, averaged over what `network` takes: frames [T, B, P, H, W], or inputs by modality as in a
    `Batch`. The network must be in inference mode.

    `ConfigError` for a layer that does not say its operations (`layers/accounts.py`).
    """
    calls: dict[str, tuple[Tensor, Any]] = {}
    handles = [m.register_forward_hook(_recorder(calls, name)) for name, m in network.named_modules()]
    try:
        with torch.no_grad(), firing_rates(network) as rates:
            network(samples)
    finally:
        for handle in handles:
            handle.remove()
    first = next((name for name, module in network.named_modules() if isinstance(module, nn.Conv2d)), None)
    count = sample_count({"": samples} if isinstance(samples, Tensor) else samples)
    layers: list[LayerEnergy] = []
    for name, module in network.named_modules():
        if name in calls and name not in UNUSED:
            for found in operations_of(module, name, *calls[name], lambda part, name=name: rates[f"{name}.{part}"]):  # type: ignore[misc]
                rate = None if name == first else found.rate
                label = f"{name}.{found.name}" if found.name else name
                macs = found.macs // count
                timed = calls[name][0].dim() > 2
                layers.append(
                    LayerEnergy(label, found.kind, macs, 1.0 if rate is None else rate, rate is not None, timed)
                )
    return Energy(tuple(layers))


def estimate_energy_of(model: LoadedModel, store: SampleStore, split: str) -> Energy:
    """Energy of a saved model of one input on the first `SAMPLE` clips of a split; `BadStore` if it has none."""
    name, device = model.spec.modality, device_of(model.method)
    for values, _ in store.iter_inputs(name, split, SAMPLE):
        x = time_first(torch.from_numpy(model.spec.input.fit(values))).to(device)
        takes_frames = hasattr(model.method, "modality")
        return estimate_energy(model.method.network, network_input(x) if takes_frames else {name: x})  # type: ignore[arg-type]
    raise BadStore(f"{store.path}: no clips in split {split} to measure firing rates on")


def _recorder(calls: dict[str, tuple[Tensor, Any]], name: str) -> Any:
    def hook(_: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        # a network that takes several modalities, of which its parts see one each
        if isinstance(inputs[0], Tensor):
            calls[name] = (inputs[0], output)

    return hook
