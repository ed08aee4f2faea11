"""From a trained method to a model folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from spikinghash.data.dataset import SampleDataset
from spikinghash.methods.spec import ModelSpec
from spikinghash.training import bit_balance
from spikinghash.training.checkpoint import save_model
from spikinghash.training.read_bits import read_all_bits
from spikinghash.training.recipe import Recipe
from spikinghash.training.state import Progress


def _soft_similarity(method: nn.Module, spec: ModelSpec) -> dict[str, Any] | None:
    """S_soft of eq. 20 as it stands: part of the checkpoint, and shown beside S_hash as in Fig. 5."""
    if not spec.options.get("soft"):
        return None
    soft: Tensor = method.soft.soft  # type: ignore[assignment, union-attr]
    return {"labels": list(spec.classes), "matrix": [[round(v, 6) for v in row] for row in soft.tolist()]}


def publish(
    out: Path,
    spec: ModelSpec,
    method: nn.Module,
    progress: Progress,
    recipe: Recipe,
    history: list[dict[str, Any]],
    clips: SampleDataset,
) -> str:
    """Save the best validated network with weights rounded for exact inference; returns the model digest.

    `clips` are the training clips, whose codes are what later codes are compared with.
    """
    network: nn.Module = method.network  # type: ignore[assignment]
    if progress.best is not None:
        network.load_state_dict(progress.best)
    network.eval()
    bits = torch.cat(list(read_all_bits(method, clips, recipe.batch).values()))
    training = {
        "recipe": asdict(recipe),
        "best_epoch": progress.best_epoch,
        "val_map": progress.best_score,
        "parameters": sum(p.numel() for p in network.parameters()),
        "seconds": sum(record["seconds"] for record in history),
        "firing_rates": next((r["rates"] for r in history if r["epoch"] == progress.best_epoch), {}),
        "soft_similarity": _soft_similarity(method, spec),
        bit_balance.KEY: bit_balance.share_of_ones(bits),
        "history": [{k: v for k, v in record.items() if k != "rates"} for record in history],
    }
    return save_model(out, spec, network, training)
