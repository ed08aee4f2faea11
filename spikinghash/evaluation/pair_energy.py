"""What it costs to hash one item of a pair model, modality by modality.

`dense_mac` counts every product once; `dense_mac_all_steps` as published tables of spiking networks do, in which also
what is constant over time is computed in each of T steps; `sop` are accumulations for spikes, and `energy_pj` prices
these at 0.9 pJ and all other products at 4.6 pJ (`evaluation/energy.py`).
"""

from __future__ import annotations

from typing import Any

import torch

from spikinghash.data.batch import time_first
from spikinghash.data.store import SampleStore
from spikinghash.errors import BadStore
from spikinghash.evaluation.energy import MAC_PJ, SAMPLE, Energy, estimate_energy
from spikinghash.training.checkpoint import LoadedModel


def pair_energy(model: LoadedModel, store: SampleStore, split: str) -> dict[str, dict[str, float]]:
    """By modality alone, and `paired` where the method can hash an item's modalities together; averaged over the first
    `SAMPLE` items of a split. `BadStore` where it has none.
    """
    fuses: Any = model.method.fuses
    names = tuple(model.spec.inputs)
    asked: dict[str, tuple[str, ...]] = {name: (name,) for name in names if fuses != "must"}
    if fuses != "never":
        asked["paired"] = names
    for block in store.iter_batches(split, SAMPLE, names):
        values, rows = block.whole(names)
        if not rows:
            continue
        inputs = {k: time_first(torch.from_numpy(model.spec.inputs[k].fit(x))) for k, x in values.items()}
        network: Any = model.method.network
        return {
            what: counts_of(
                estimate_energy(network, {name: inputs[name] for name in some}), getattr(network, "steps", 1)
            )
            for what, some in asked.items()
        }
    raise BadStore(f"{store.path}: no samples in split {split} to measure firing rates on")


def counts_of(energy: Energy, steps: int) -> dict[str, float]:
    """The counts of one estimate; `steps` T is how often a layer without steps would run if it ran in each."""
    dense = sum(layer.macs for layer in energy.layers)
    every_step = sum(layer.macs * (1 if layer.timed else steps) for layer in energy.layers)
    return {
        "dense_mac": dense,
        "dense_mac_all_steps": every_step,
        "dense_energy_pj": MAC_PJ * every_step,
        "sop": sum(layer.acs for layer in energy.layers),
        "energy_pj": energy.total_pj,
    }
