"""Where time bins begin: integer arithmetic on a recording's own span, no floating point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def bin_edges(start_us: int, end_us: int, steps: int) -> NDArray[np.int64]:
    """Edges [steps + 1] in microseconds of equal bins over start_us..end_us, both inclusive.

    Bin k holds the times with edges[k] <= t < edges[k + 1]; these are exactly the t with
    (t - start_us) * steps // (end_us - start_us + 1) == k, the rule `accumulate` counts by. Bins differ by at most
    1 us in length and may be empty where there are more bins than microseconds.
    Raises `ValueError` for a span that ends before it starts or fewer than one bin.
    """
    span = check_span(start_us, end_us, steps)
    # ceil(k * span / steps)
    return start_us + (np.arange(steps + 1, dtype=np.int64) * span + steps - 1) // steps


def check_span(start_us: int, end_us: int, steps: int) -> int:
    """Length of the span in microseconds, at least 1; errors as in `bin_edges`."""
    if end_us < start_us or steps < 1:
        raise ValueError(f"cannot cut {start_us}..{end_us} us into {steps} bins")
    return end_us - start_us + 1
