"""What the network last gave for each training sample, beside its labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class MemoryBank(nn.Module):
    """N scores [N, K] in float32 and labels [N, C], and which of them were `seen`: training state, no weights.

    N is not known before there is a training set: `forget` sets it, and so does a state that is loaded.
    """

    scores: Tensor
    targets: Tensor
    seen: Tensor

    def __init__(self, bits: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("scores", torch.zeros(0, bits, dtype=torch.float32))
        self.register_buffer("targets", torch.zeros(0, classes, dtype=torch.bool))
        self.register_buffer("seen", torch.zeros(0, dtype=torch.bool))

    def __len__(self) -> int:
        return len(self.seen)

    def forget(self, rows: int) -> None:
        """Room for so many samples, none of them seen."""
        for name, buffer in self.named_buffers():
            setattr(self, name, buffer.new_zeros(rows, *buffer.shape[1:]))

    @torch.no_grad()
    def remember(self, rows: Tensor, scores: Tensor, targets: Tensor) -> None:
        """Scores [B, K] and labels [B, C] of the training samples `rows` [B]; room is made where there is none."""
        missing = int(rows.max()) + 1 - len(self) if len(rows) else 0
        if missing > 0:
            for name, buffer in self.named_buffers():
                setattr(self, name, torch.cat([buffer, buffer.new_zeros(missing, *buffer.shape[1:])]))
        self.scores[rows] = scores.detach().float()
        self.targets[rows] = targets.bool()
        self.seen[rows] = True

    def recall(self) -> tuple[Tensor, Tensor]:
        """Scores [M, K] and labels [M, C] of the samples that were seen."""
        return self.scores[self.seen], self.targets[self.seen]

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """torch's hook for one module: the state says how many there are."""
        if (seen := state_dict.get(f"{prefix}seen")) is not None:
            self.forget(len(seen))
        super()._load_from_state_dict(state_dict, prefix, *rest)
