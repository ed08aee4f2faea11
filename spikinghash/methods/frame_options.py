"""Options of the methods that hash event clips or images by a supervised network, and what its constructor takes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from spikinghash.errors import ConfigError
from spikinghash.methods.options import STRICT, options_of
from spikinghash.methods.spec import ModelSpec


@dataclass(frozen=True, config=STRICT)
class FrameOptions:
    """`network_size` is a size by name; `steps` how often the network sees samples that have no time or one step, empty
    for once.

    `alpha` and `beta` weigh the losses of eq. 24, `smoothing` its labels; `soft` uses the dynamic soft similarity
    (eqs. 19-21), otherwise labels alone; `balance` weighs similar and dissimilar pairs equally.
    """

    network_size: str = "Nano"
    surrogate: Literal["sigmoid", "atan"] = "atan"
    steps: Annotated[int, Field(ge=1, le=256)] | None = None
    alpha: Annotated[float, Field(ge=0.0)] = 0.2
    beta: Annotated[float, Field(ge=0.0)] = 0.8
    smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    soft: bool = False
    balance: bool = True


def frame_options(spec: ModelSpec) -> FrameOptions:
    """Those of `spec`; `ConfigError` where they are not."""
    return options_of(FrameOptions, spec.options, spec.method)


def network_arguments(spec: ModelSpec, sizes: Collection[str]) -> dict[str, Any]:
    """`bits`, `classes`, `steps` and `channels` of a network for one input of events or images.

    `ConfigError` for an unknown size, another kind of input, or `steps` that frames of several steps do not have.
    """
    options = frame_options(spec)
    if options.network_size not in sizes:
        raise ConfigError(f"unknown size {options.network_size!r}; one of: {', '.join(sizes)}")
    if spec.input.kind not in ("events", "image"):
        raise ConfigError(f"{spec.method} takes events or an image, not {spec.input.kind}")
    if options.steps is not None and spec.input.steps not in (1, options.steps):
        raise ConfigError(f"steps is {options.steps}, but the clips have {spec.input.steps}; leave it out")
    steps = options.steps or spec.input.steps
    return {"bits": spec.bits, "classes": len(spec.classes), "steps": steps, "channels": spec.input.channels}
