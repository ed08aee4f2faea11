"""Spiking hashing of event-camera recordings: raw events to frames to packed codes to neighbours."""

import sys

# `python -m spikinghash` puts the current directory first, where recordings may lie, and so may a `json.py` among them
if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
    del sys.path[0]

from spikinghash.kernel_cache import prepare_kernel_cache

__version__ = "0.1.0"

# before anything here imports numba
prepare_kernel_cache()
