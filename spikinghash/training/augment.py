"""Augmentation of a batch: each modality in its own way, those that nobody knows stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from spikinghash.data.batch import Batch
from spikinghash.training.augment_events import augment_events
from spikinghash.training.augment_pictures import augment_pictures


@dataclass(frozen=True)
class Augmentation:
    """Ranges of random geometric change, drawn once per clip so that motion stays coherent over time.

    `shift_px` pixels, `rotate_deg` degrees, `scale` relative, `drop` share of events removed at random, `flip` whether
    left and right may be exchanged (never for digits or text).

    Pictures know `flip` and the rest: `crop_px` pixels of padding before a random crop, `erase` the share of pictures
    that lose a rectangle, `rand_ops` operations of RandAugment at `rand_magnitude` of 10.
    """

    shift_px: float = 0.0
    rotate_deg: float = 0.0
    scale: float = 0.0
    drop: float = 0.0
    flip: bool = False
    crop_px: int = 0
    erase: float = 0.0
    rand_ops: int = 0
    rand_magnitude: float = 9.0


Augment = Callable[[Tensor, Augmentation, torch.Generator], Tensor]

#: By the number of axes of a batch: event clips [T, B, 2, H, W], pictures [B, 3, H, W].
_BY_AXES: dict[int, Augment] = {5: augment_events, 4: augment_pictures}


def augment(batch: Batch, a: Augmentation, generator: torch.Generator) -> Batch:
    """A batch of the same shapes; every draw comes from `generator`, modality after modality."""
    inputs = {
        name: how(x, a, generator) if (how := _BY_AXES.get(x.dim())) is not None else x
        for name, x in batch.inputs.items()
    }
    return replace(batch, inputs=inputs)
