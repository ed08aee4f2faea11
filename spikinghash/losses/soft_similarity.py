"""Dynamic soft similarity: a class-by-class similarity learnt from membrane potentials (paper eqs. 19-21)."""

from __future__ import annotations

import torch
from torch import Tensor

#: eq. 20's threshold; the paper gives no value, the released run used 1e-4.
TAU = 1e-4

#: (share of training at which a round ends, weight of the hard similarity afterwards), scaled from the released run.
ROUNDS = (
    (0.25, 0.88),
    (0.35, 0.75),
    (0.45, 0.625),
    (0.55, 0.5),
    (0.65, 0.375),
    (0.75, 0.25),
    (0.85, 0.12),
    (0.95, 0.0),
)


class SoftSimilarity(torch.nn.Module):
    """Holds S_soft and its accumulators; part of the training state, not of the model.

    `similarity` [classes, classes] is S of eq. 21, used as labels m'_ij = S[y_i, y_j].
    """

    soft: Tensor
    total: Tensor
    count: Tensor
    hard_weight: Tensor
    rounds_done: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.register_buffer("soft", torch.zeros(classes, classes).fill_diagonal_(1.0))
        self.register_buffer("total", torch.zeros(classes, classes))
        self.register_buffer("count", torch.zeros(classes, classes))
        self.register_buffer("hard_weight", torch.tensor(1.0))
        self.register_buffer("rounds_done", torch.tensor(0))

    @property
    def similarity(self) -> Tensor:
        """Eq. 21: lambda * S_hard + (1 - lambda) * S_soft, [classes, classes]."""
        hard = torch.eye(self.soft.shape[0], device=self.soft.device)
        return self.hard_weight * hard + (1.0 - self.hard_weight) * self.soft

    def pairs(self, labels: Tensor) -> Tensor:
        """m'_ij for a batch: labels [B] -> [B, B]."""
        return self.similarity[labels[:, None], labels[None, :]]

    @torch.no_grad()
    def accumulate(self, membrane: Tensor, labels: Tensor, correct: Tensor) -> None:
        """Eq. 19: add the cosine of every pair i < j of correctly classified samples, symmetrically.

        `membrane` [B, K], `labels` [B], `correct` [B] boolean.
        """
        h = torch.nn.functional.normalize(membrane[correct], dim=1)
        y = labels[correct]
        i, j = torch.triu_indices(len(y), len(y), 1, device=y.device)
        r = (h @ h.T)[i, j]
        for a, b in ((y[i], y[j]), (y[j], y[i])):
            self.total.index_put_((a, b), r, accumulate=True)
            self.count.index_put_((a, b), torch.ones_like(r), accumulate=True)

    @torch.no_grad()
    def end_epoch(self, done: float) -> None:
        """Close the rounds due at `done`, the share of training finished in (0, 1]; after the last one, every epoch.

        A round divides by its counts, drops entries not above tau (eq. 20) and starts again from zero. Class pairs
        never seen keep their hard value, and the diagonal stays 1.
        """
        due = sum(done >= end - 1e-9 for end, _ in ROUNDS)
        if due <= int(self.rounds_done) and due < len(ROUNDS):
            return
        if due == 0:
            return
        seen = self.count > 0
        mean = torch.where(seen, self.total / self.count.clamp(min=1), torch.eye(len(self.soft), device=seen.device))
        self.soft.copy_(torch.where(mean > TAU, mean.clamp(max=1.0), torch.zeros_like(mean)))
        self.soft.fill_diagonal_(1.0)
        self.total.zero_()
        self.count.zero_()
        self.hard_weight.fill_(ROUNDS[due - 1][1])
        self.rounds_done.fill_(due)
