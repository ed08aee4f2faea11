"""Which of the given inputs a network takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor

from spikinghash.errors import ConfigError


def known_inputs(names: Iterable[str], inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of `inputs` that are in `names`, in the order of `names`; `ConfigError` where there is none."""
    names = list(names)
    found = {name: inputs[name] for name in names if name in inputs}
    if not found:
        raise ConfigError(f"this model takes {' or '.join(names)}, not {', '.join(inputs) or 'nothing'}")
    return found
