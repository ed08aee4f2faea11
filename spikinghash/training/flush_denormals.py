"""Numbers too small for a normal float, which cost a hundred times the time of others, taken for zero."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def flush_denormals() -> Iterator[None]:
    """Within it, this thread's floating-point unit flushes denormal numbers to zero; afterwards it no longer does."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
