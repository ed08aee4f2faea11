"""The shape every hashing method has, and the table of methods.

To add one: a file with its network, and one entry in `METHODS` of `methods/registry.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from spikinghash.data.batch import Batch
from spikinghash.errors import ConfigError
from spikinghash.methods.spec import ModelSpec


@dataclass(frozen=True)
class LossWeights:
    """alpha and beta of eq. 24, label smoothing, and how pairs are judged.

    `soft` uses the dynamic soft similarity (eqs. 19-21), otherwise labels alone; `balance` weighs similar and
    dissimilar pairs equally.
    """

    alpha: float = 0.2
    beta: float = 0.8
    smoothing: float = 0.0
    soft: bool = False
    balance: bool = True


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

    `exact` says that the sums of the network do not depend on the batch (`layers/exact_weights.py`).
    """

    network: nn.Module
    exact: bool

    def __call__(self, batch: Batch) -> StepResult:
        """The loss of a batch; called inside DDP."""
        ...

    def network_input(self, batch: Batch) -> Tensor:
        """What `network` takes of a batch, [T or 1, B, ...]."""
        ...

    def end_epoch(self, done: float) -> None:
        """Called once an epoch with the share of training finished."""
        ...


def build(spec: ModelSpec, weights: LossWeights) -> nn.Module:
    """The method named by `spec.method`, freshly initialised."""
    from spikinghash.methods.registry import METHODS

    if spec.method not in METHODS:
        raise ConfigError(f"unknown method {spec.method!r}; one of: {', '.join(sorted(METHODS))}")
    if spec.variant not in METHODS[spec.method].variants:
        known = ", ".join(METHODS[spec.method].variants)
        raise ConfigError(f"unknown variant {spec.variant!r} of {spec.method}; one of: {known}")
    return METHODS[spec.method].build(spec, weights)
