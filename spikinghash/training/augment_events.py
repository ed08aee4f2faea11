"""Augmentation of event clips: what a moving camera could also have seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from spikinghash.training.augment import Augmentation


def augment_events(frames: Tensor, a: Augmentation, generator: torch.Generator) -> Tensor:
    """frames float [T, B, 2, H, W] -> the same shape; every draw comes from `generator`, on the CPU."""
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
