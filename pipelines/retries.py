"""Which failures of a task may pass by themselves."""

from __future__ import annotations

from typing import Any

from spikinghash.errors import SpikinghashError, Temporary

#: Seconds before each further try.
DELAYS_S: list[float] = [1, 10, 60]


def may_pass(_task: Any, _run: Any, state: Any) -> bool:
    """Whether to try a failed task again: not where its input or the configuration is wrong."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, Temporary) or not isinstance(error, SpikinghashError)
