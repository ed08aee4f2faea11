"""Small untrained models whose codes differ from clip to clip, and recordings they can hash."""

import numpy as np
import torch
from frame_specs import frame_spec

from spikinghash.events import nmnist
from spikinghash.events.validate import validate
from spikinghash.frames.crop_or_pad import crop_or_pad
from spikinghash.frames.framing import Framing
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.methods.method import build
from spikinghash.training.checkpoint import save_model

META = Framing(4).meta((34, 34), None)
SPEC = frame_spec(
    "spikinghash", "Nano", 16, ("a", "b"), 4, 16, 16, (34, 34), 8, "atan", META.to_json()
)  # fmt: skip


def save_tiny(folder, seed, training=None):
    """Leave a model in `folder`; its digest. Seeds give different models."""
    torch.manual_seed(seed)
    method = build(SPEC)
    norms = [m for m in method.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    rng = np.random.default_rng(seed)
    counts = (rng.integers(0, 9, (12, 4, 2, 34, 34)) * (rng.random((12, 4, 2, 34, 34)) < 0.3)).astype(np.uint8)
    with torch.no_grad():
        method.network(torch.from_numpy(crop_or_pad(counts, 16, 16, 8)).transpose(0, 1))
        method.network.hash.linear.bias.add_(0.5)
    snap_to_grid(method.network, SPEC.input.count_clip)
    return save_model(folder, SPEC, method.network, training or {})


def recording(seed, count=2000):
    """Content of an N-MNIST file."""
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, 300_000, count))
    x, y, p = rng.integers(0, 34, count), rng.integers(0, 34, count), rng.integers(0, 2, count)
    return nmnist.to_bytes(validate(t, x, y, p, sensor=(34, 34), format="nmnist"))
