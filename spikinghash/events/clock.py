"""32-bit clocks: formats that store one and do not define what happens when it runs over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording

HALF_RANGE = 2**31


def refuse_wrap(t: NDArray[Any], offset_of: Callable[[int], int]) -> None:
    """Raise `BadRecording("time-wrap")` where the unsigned 32-bit times `t` [N] jump back by half their range.

    `offset_of` gives the byte where event number i stands in the file.
    """
    wrapped = t[1:].astype(np.int64) - t[:-1] < -HALF_RANGE
    if wrapped.any():
        first = int(np.argmax(wrapped)) + 1
        message = f"the 32-bit clock runs over at event {first}, which this format does not define; cut the file there"
        raise BadRecording("time-wrap", message, offset_of(first))
