"""Frame augmentation: what a moving camera could also have seen."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

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


def augment(frames: Tensor, a: Augmentation, generator: torch.Generator) -> Tensor:
    """frames [T, B, P, H, W] -> the same shape; every draw comes from `generator`, on the CPU.

    uint8 are pictures, float events.
    """
    if frames.dtype == torch.uint8:
        return augment_pictures(frames, a, generator)
    T, B, P, H, W = frames.shape

    def uniform(limit: float) -> Tensor:
        return (torch.rand(B, generator=generator) * 2 - 1) * limit

    angle = torch.deg2rad(uniform(a.rotate_deg))
    zoom = 1.0 + uniform(a.scale)
    mirror = torch.where(torch.rand(B, generator=generator) < 0.5, -1.0, 1.0) if a.flip else torch.ones(B)
    cos, sin = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    dx, dy = uniform(a.shift_px) * 2 / W, uniform(a.shift_px) * 2 / H
    theta = torch.stack(
        [torch.stack([cos * mirror, -sin * H / W, dx], 1), torch.stack([sin * mirror * W / H, cos, dy], 1)], 1
    )
    # drawn on the CPU, so that every device sees the same ones
    grid = F.affine_grid(theta.to(frames.device), [B, 1, H, W], align_corners=False)
    stack = frames.permute(1, 0, 2, 3, 4).reshape(B, T * P, H, W)
    moved = F.grid_sample(stack, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    moved = moved.reshape(B, T, P, H, W).permute(1, 0, 2, 3, 4)
    if a.drop > 0:
        keep = torch.rand(T, B, P, H, W, generator=generator) >= torch.rand(1, B, 1, 1, 1, generator=generator) * a.drop
        moved = moved * keep.to(moved.device)
    return moved
