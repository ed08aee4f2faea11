"""From a frame store to tensors the loop takes, and from a trained method to a model folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.errors import BadStore
from spikinghash.frames.store import FrameStore
from spikinghash.methods.method import LossWeights, build
from spikinghash.methods.spec import ModelSpec
from spikinghash.training import bit_ones
from spikinghash.training.checkpoint import save_model
from spikinghash.training.loop import TrainingData
from spikinghash.training.read_bits import read_all_bits
from spikinghash.training.recipe import Recipe
from spikinghash.training.seeds import seed_everything
from spikinghash.training.state import Progress


def prepare(frames: Path, spec: ModelSpec, weights: LossWeights, recipe: Recipe) -> tuple[nn.Module, TrainingData]:
    """A freshly initialised method and its data, the same on every rank."""
    store = FrameStore.open(frames)
    train, val = (load_tensors(store, split, spec) for split in ("train", "val"))
    if len(train[1]) < recipe.batch:
        raise BadStore(f"{frames}: {len(train[1])} training clips are fewer than train.batch = {recipe.batch}")
    seed_everything(recipe.seed)
    return build(spec, weights), TrainingData(*train, *val)


def load_tensors(store: FrameStore, split: str, spec: ModelSpec) -> tuple[Tensor, Tensor]:
    """Frames [N, T, P, H, W] as `spec.fit` gives them and labels [N]; `BadStore` for none, or unknown ones."""
    counts, rows = store.load(split)
    if not rows:
        raise BadStore(f"{store.path}: no clips in split {split}; raise frames.val_fraction or add recordings")
    numbers: dict[str | None, int] = {name: i for i, name in enumerate(spec.classes)}
    strange = sorted({str(row.label) for row in rows} - set(spec.classes))
    if strange:
        raise BadStore(f"{store.path}: {split} clips with labels the model does not know: {', '.join(strange[:3])}")
    labels = np.array([numbers[row.label] for row in rows], np.int64)
    return torch.from_numpy(spec.fit(counts)), torch.from_numpy(labels)


def _soft_similarity(method: nn.Module, spec: ModelSpec) -> dict[str, Any]:
    """S_soft of eq. 20 as it stands: part of the checkpoint, and shown beside S_hash as in Fig. 5."""
    soft: Tensor = method.soft.soft  # type: ignore[assignment, union-attr]
    return {"labels": list(spec.classes), "matrix": [[round(v, 6) for v in row] for row in soft.tolist()]}


def publish(
    out: Path,
    spec: ModelSpec,
    method: nn.Module,
    progress: Progress,
    recipe: Recipe,
    weights: LossWeights,
    history: list[dict[str, Any]],
    frames: Tensor,
) -> str:
    """Save the best validated network with weights rounded for exact inference; returns the model digest.

    `frames` [N, T, P, H, W] are the training clips, whose codes are what later codes are compared with.
    """
    network: nn.Module = method.network  # type: ignore[assignment]
    if progress.best is not None:
        network.load_state_dict(progress.best)
    network.eval()
    training = {
        "recipe": asdict(recipe),
        "loss": asdict(weights),
        "best_epoch": progress.best_epoch,
        "val_map": progress.best_score,
        "parameters": sum(p.numel() for p in network.parameters()),
        "seconds": sum(record["seconds"] for record in history),
        "firing_rates": next((r["rates"] for r in history if r["epoch"] == progress.best_epoch), {}),
        "soft_similarity": _soft_similarity(method, spec) if weights.soft else None,
        bit_ones.KEY: bit_ones.share_of_ones(read_all_bits(method, frames, recipe.batch)),
        "history": [{k: v for k, v in record.items() if k != "rates"} for record in history],
    }
    return save_model(out, spec, network, training)
