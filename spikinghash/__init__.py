"""Spiking hashing of event-camera recordings: raw events to frames to packed codes to neighbours."""

from spikinghash.kernel_cache import prepare_kernel_cache

__version__ = "0.1.0"

# before anything here imports numba
prepare_kernel_cache()
