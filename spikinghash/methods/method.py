"""The shape every hashing method has.

To add one: a file with its network, and one entry in `METHODS` of `methods/registry.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from torch import Tensor, nn

from spikinghash.data.batch import Batch
from spikinghash.data.dataset import SampleDataset
from spikinghash.errors import ConfigError
from spikinghash.methods.bits import Bits
from spikinghash.methods.spec import ModelSpec


@dataclass(frozen=True)
class StepResult:
    """One training step: `loss` scalar to differentiate, `parts` by name (detached).

    `correct` [B] boolean says which samples were classified rightly, None where the method has no classifier.
    """

    loss: Tensor
    parts: dict[str, Tensor]
    correct: Tensor | None = None


class HashingMethod(Protocol):
    """A network with its loss. `network` holds all that is saved; anything else is training state.

    `exact` says that the sums of the network do not depend on the batch (`layers/exact_weights.py`). `fuses` says
    whether codes of a sample are made of several of its modalities: "never", or they "can" or "must" be.
    """

    network: nn.Module
    exact: bool
    fuses: Literal["never", "can", "must"]

    def __call__(self, batch: Batch) -> StepResult:
        """The loss of a batch; called inside DDP."""
        ...

    def hash(self, inputs: Mapping[str, Tensor]) -> dict[str, Bits]:
        """Codes by modality of samples as in `Batch.inputs`, in inference mode. What is there is all that is used: of
        one modality alone comes its own code.
        """
        ...

    def fit(self, train: SampleDataset) -> None:
        """Called once before the first step, for what is learned without gradients."""
        ...

    def end_epoch(self, done: float) -> None:
        """Called once an epoch with the share of training finished."""
        ...


def build(spec: ModelSpec) -> nn.Module:
    """The method named by `spec.method`, freshly initialised; `ConfigError` for what it does not know."""
    from spikinghash.methods.registry import entry_of

    entry = entry_of(spec.method)
    if spec.variant not in entry.variants:
        raise ConfigError(f"unknown variant {spec.variant!r} of {spec.method}; one of: {', '.join(entry.variants)}")
    return entry.build(spec)
