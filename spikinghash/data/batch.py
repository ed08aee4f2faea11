"""What a method gets for one step: the inputs of some samples by modality, their labels, groups and places."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from spikinghash.errors import ConfigError

#: Axes of a batch of event clips, the one kind that has time.
EVENT_AXES = 5


@dataclass(frozen=True)
class Batch:
    """B samples. By modality name, `inputs` are events [T, B, 2, H, W], images [B, 3, H, W], features [B, D] or tokens
    [B, L].

    `targets` [B, C] are 1 for each class a sample has and 0 elsewhere, None where a method may not see labels. Samples
    of one `group` [B] int64 belong together, as a picture and its sentences do. `rows` [B] int64 are places in the
    split. `present` [B] bool says which samples have a modality, zeros standing for it in the others; a modality that
    is not named there is in all.
    """

    inputs: Mapping[str, Tensor]
    targets: Tensor | None
    group: Tensor
    rows: Tensor
    present: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, modality: str) -> Tensor:
        """The input of that name; `ConfigError` where the batch does not have it for every sample."""
        if modality not in self.inputs:
            raise ConfigError(f"this method takes {modality}; the samples have {', '.join(self.inputs) or 'nothing'}")
        if modality in self.present and not bool(self.present[modality].all()):
            raise ConfigError(f"this method takes {modality} of every sample; some have none")
        return self.inputs[modality]

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return self._each(lambda x: x.to(device, non_blocking=True))

    def pin_memory(self) -> Batch:
        """The same in memory that a device copies from; torch's `DataLoader` asks for this."""
        return self._each(Tensor.pin_memory)

    def part(self, some: slice) -> Batch:
        """Some of the samples."""
        inputs = {name: x[:, some] if x.dim() == EVENT_AXES else x[some] for name, x in self.inputs.items()}
        return replace(self._each(lambda x: x[some]), inputs=inputs)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        return Batch(
            {name: change(x) for name, x in self.inputs.items()},
            None if self.targets is None else change(self.targets),
            change(self.group),
            change(self.rows),
            {name: change(x) for name, x in self.present.items()},
        )


def labelled(inputs: Mapping[str, Tensor], numbers: Tensor, classes: int) -> Batch:
    """A batch of samples of one class each, `numbers` [B] int64 below `classes`, each a group of its own."""
    rows = torch.arange(len(numbers), device=numbers.device)
    return Batch(inputs, torch.nn.functional.one_hot(numbers, classes).float(), rows, rows)


def time_first(values: Tensor) -> Tensor:
    """Samples as they are stored, [B, ...], as a `Batch` has them: event clips [B, T, 2, H, W] -> [T, B, 2, H, W]."""
    return values.transpose(0, 1) if values.dim() == EVENT_AXES else values


def to_network(values: Tensor) -> Tensor:
    """Samples as they are stored, [B, ...], as networks take them, [T or 1, B, ...]."""
    return network_input(time_first(values))


def sample_count(inputs: Mapping[str, Tensor]) -> int:
    """How many samples inputs as in a `Batch`, or as networks take them, are of."""
    x = next(iter(inputs.values()))
    return x.shape[1] if x.dim() == EVENT_AXES else len(x)


def network_input(x: Tensor) -> Tensor:
    """One input of a `Batch` as networks take it, [T, B, ...]: what has no time is one step, [1, B, ...]."""
    return x if x.dim() == EVENT_AXES else x[None]
