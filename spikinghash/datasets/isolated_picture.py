"""Decoding pictures in a child process with limits on time and memory; one child serves the whole process."""

from __future__ import annotations

import atexit
import functools
import os

import numpy as np

from spikinghash.datasets.image_bytes import Pixels
from spikinghash.errors import BadRecording
from spikinghash.events.isolated_child import Facts, Fill, IsolatedChild, Limits
from spikinghash.isolation import isolated_command

WORKER = isolated_command("spikinghash.datasets.picture_worker")
#: 16 million pixels take 48 MB, a few times over while colours are converted.
LIMITS = Limits(seconds=10.0, memory_bytes=384 << 20, memory_per_byte=8)


def decode_isolated(data: bytes, size: tuple[int, int] | None = None) -> Pixels:
    """As `image_bytes.decode_image`, in the child; further reasons: timeout, memory, decoder-crash."""
    return _child(os.getpid()).ask({"scale_to": size}, data, _pixels)


def _pixels(facts: Facts, fill: Fill) -> Pixels:
    channels, height, width = facts["shape"]
    if channels != 3 or not 0 < height * width <= 1 << 28:
        raise BadRecording("decoder-crash", "the decoder answered nonsense")
    pixels = np.empty((channels, height, width), np.uint8)
    fill(pixels)
    return pixels


@functools.cache
def _child(process: int) -> IsolatedChild:
    # a fork has to have one of its own: pipes that two write to carry the answers of either
    child = IsolatedChild(WORKER, LIMITS)
    atexit.register(child.close)
    return child
