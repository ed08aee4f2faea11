"""One small network of each method and variant, and clips for it. A new method joins by a line in `SPECS`."""

import torch
from frame_specs import frame_spec

from spikinghash.data.batch import labelled
from spikinghash.data.picture import PictureFrame


def spec(method, size, **changes):
    values = {
        "method": method, "size": size, "bits": 16, "classes": ("a", "b", "c"), "steps": 4, "height": 16, "width": 16,
        "sensor": (16, 16), "count_clip": 8, "surrogate": "sigmoid",
    }  # fmt: skip
    return frame_spec(**(values | changes))


IMAGE = PictureFrame(16, 16, resize=False).field()
PICTURES = {"field": IMAGE}

#: One small network of each method.
SPECS = {
    "spikinghash": spec("spikinghash", "Nano"),
    "spikinghash 2d-swm": spec("spikinghash", "Nano", variant="2d-swm"),
    "spikinghash all-ssa": spec("spikinghash", "Nano", variant="all-ssa"),
    "spikinghash one-level": spec("spikinghash", "Nano", variant="one-level"),
    "spikinghash rate": spec("spikinghash", "Nano", variant="rate"),
    "spikingformer-cml": spec("spikingformer-cml", "Nano"),
    "timesformer": spec("timesformer", "Nano"),
    "hashnet": spec("hashnet", "Nano"),
    "spikinghash of pictures": spec("spikinghash", "Nano", **PICTURES),
    "spikingformer-cml of pictures": spec("spikingformer-cml", "Nano", **PICTURES),
    "timesformer of pictures": spec("timesformer", "Nano", **PICTURES),
    "hashnet of pictures": spec("hashnet", "Nano", **PICTURES),
}


def batch(name, B=6, seed=0):
    g = torch.Generator().manual_seed(seed)
    if SPECS[name].input.kind == "image":
        pixels = torch.randint(0, 256, (B, 3, 16, 16), generator=g).to(torch.uint8)
        return labelled({"image": pixels}, torch.arange(B) % 3, 3)
    frames = (torch.rand(4, B, 2, 16, 16, generator=g) < 0.4) * torch.randint(1, 9, (4, B, 2, 16, 16), generator=g)
    return labelled({"events": frames.float()}, torch.arange(B) % 3, 3)
