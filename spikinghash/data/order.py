"""Which clips make up a step: a function of seed, epoch, step and rank, so that any rank and any restart agrees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch.utils.data import Sampler


@dataclass(frozen=True)
class Ranks:
    """Which worker this is, and of how many."""

    rank: int = 0
    world: int = 1


#: The only worker there is.
ALONE = Ranks()


def generator_of(seed: int, epoch: int, stream: int) -> torch.Generator:
    """A generator that depends on nothing but its arguments, so that any epoch can be repeated."""
    return torch.Generator().manual_seed((seed * 1_000_003 + epoch) * 1_009 + stream)


class EpochBatches(Sampler[list[int]]):
    """The rows of each step of one rank: every world-th of each batch of a permutation of all clips.

    Iterating gives the steps of the epoch that `start` named, from the step on that it named; clips that do not fill
    a batch are left out of an epoch.
    """

    def __init__(self, clips: int, batch: int, seed: int, ranks: Ranks = ALONE) -> None:
        self.clips, self.batch, self.seed, self.ranks = clips, batch, seed, ranks
        self.epoch = self.step = 0

    @property
    def steps(self) -> int:
        """Steps of a whole epoch."""
        return max(1, self.clips // self.batch)

    def start(self, epoch: int, step: int = 0) -> None:
        """Where the next iteration begins."""
        self.epoch, self.step = epoch, step

    def __len__(self) -> int:
        return self.steps - self.step

    def __iter__(self) -> Iterator[list[int]]:
        order = torch.randperm(self.clips, generator=generator_of(self.seed, self.epoch, 0))
        for step in range(self.step, self.steps):
            batch = order[step * self.batch : (step + 1) * self.batch]
            yield batch[self.ranks.rank :: self.ranks.world].tolist()
