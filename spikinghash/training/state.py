"""Training state on disk: everything needed to go on, without pickle.

`state.safetensors` holds the method's tensors (`method.`), the optimiser's (`optimiser.`) and the best network so far
(`best.`); `state.json` the epoch, the step and scores. Order and learning rate are functions of epoch, step and seed;
what each rank has of its own is in `rank_state.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.optim import Optimizer

from spikinghash.errors import BadCheckpoint
from spikinghash.files import write_atomically, write_json

TENSORS = "state.safetensors"
FACTS = "state.json"


@dataclass
class Progress:
    """`epoch` finished epochs and `step` finished steps of the next one, with their `totals` and `seconds`; `silent`
    epochs in a row with a single code; `best` the network with the highest `best_score`, found after `best_epoch`;
    `world` workers that trained.
    """

    epoch: int = 0
    best_score: float = -1.0
    best_epoch: int = 0
    best: dict[str, Tensor] | None = None
    step: int = 0
    totals: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    silent: int = 0
    world: int = 1


def save_state(folder: Path, method: nn.Module, optimiser: Optimizer, progress: Progress) -> None:
    """Write the state that all ranks share."""
    tensors = {f"method.{k}": v.detach().cpu().contiguous() for k, v in method.state_dict().items()}
    tensors |= {f"best.{k}": v.cpu().contiguous() for k, v in (progress.best or {}).items()}
    numbers: dict[str, float] = {}
    for index, slots in optimiser.state_dict()["state"].items():
        for key, value in slots.items():
            if isinstance(value, Tensor):
                tensors[f"optimiser.{index}.{key}"] = value.cpu().contiguous()
            else:
                numbers[f"{index}.{key}"] = value
    steps = {str(i): g["step"] for i, g in enumerate(optimiser.param_groups) if "step" in g}
    facts = {k: v for k, v in vars(progress).items() if k != "best"}
    facts |= {"optimiser_numbers": numbers, "group_steps": steps}
    write_atomically(folder / TENSORS, save({k: v.clone() for k, v in tensors.items()}))
    write_json(folder / FACTS, facts)


def load_state(folder: Path, method: nn.Module, optimiser: Optimizer) -> Progress:
    """Restore what `save_state` wrote; raises `BadCheckpoint` where it does not fit this method."""
    try:
        facts: dict[str, Any] = json.loads((folder / FACTS).read_bytes())
        tensors = load((folder / TENSORS).read_bytes())
        method.load_state_dict(_part(tensors, "method."))
        _restore_optimiser(optimiser, _part(tensors, "optimiser."), facts)
        best = _part(tensors, "best.")
        return Progress(best=best or None, **{f.name: facts[f.name] for f in fields(Progress) if f.name != "best"})
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        why = " ".join(str(error).split())[:300]
        raise BadCheckpoint(f"{folder}: cannot resume from this training state ({why}); delete it") from error


def where_it_was(folder: Path | None) -> tuple[int, int, int]:
    """Epochs, steps and workers of a saved state; zeros for none, or one that `load_state` will refuse."""
    try:
        facts = {} if folder is None else json.loads((folder / FACTS).read_bytes())
        return facts.get("epoch", 0), facts.get("step", 0), facts.get("world", 0)
    except (OSError, ValueError, AttributeError):
        return 0, 0, 0


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _restore_optimiser(optimiser: Optimizer, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    state: dict[int, dict[str, Any]] = {}
    for name, value in [*tensors.items(), *facts["optimiser_numbers"].items()]:
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    whole = optimiser.state_dict()
    whole["state"] = state
    for i, step in facts["group_steps"].items():
        whole["param_groups"][int(i)]["step"] = step
    optimiser.load_state_dict(whole)


def snapshot(network: nn.Module) -> dict[str, Tensor]:
    """A copy of a network's tensors."""
    with torch.no_grad():
        return {k: v.detach().clone() for k, v in network.state_dict().items()}
