"""One small network of each method and variant, and clips for it. A new method joins by a line in `SPECS`."""

from dataclasses import replace

import numpy as np
import torch
from frame_specs import frame_spec

from spikinghash.data.batch import labelled
from spikinghash.data.dataset import Field, SampleDataset
from spikinghash.data.label_sets import LabelSets
from spikinghash.data.picture import PictureFrame
from spikinghash.data.sample_spec import FieldSpec
from spikinghash.data.samples import SampleArray
from spikinghash.methods.model_input import ModelInput
from spikinghash.methods.registry import METHODS
from spikinghash.methods.spec import ModelSpec


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


def of_vectors(method, variant="full", **options):
    """A method that sees a picture's and a text's features."""
    inputs = {
        name: ModelInput(FieldSpec("features", (width,), "float32", {"name": "given"}))
        for name, width in (("image", 24), ("text", 20))
    }
    return ModelSpec(method, 16, ("a", "b", "c"), inputs, options, variant)


SMALL = {"spikehash": {"width": 32, "state": 32}, "dhsl": {"hidden": 32, "low": 16, "selected": 8}}
SMALL_BLOCKS = {"width": 8, "depths": (1, 1, 1), "drop_path": 0.05}
#: Methods that see each input as one vector, and others that are no networks of frames.
VECTOR_SPECS = (
    {
        f"{method} {variant}": of_vectors(method, variant, **SMALL.get(method, {}))
        for method in ("cca", "cca-itq", "paired-itq", "contrastive", "spikehash", "dhsl")
        for variant in METHODS[method].variants
    }
    | {
        f"{method} of {kind}": replace(one, method=method, options={})
        for method in ("lsh", "itq")
        for kind, one in (("events", SPECS["hashnet"]), ("pictures", SPECS["hashnet of pictures"]))
    }
    | {
        f"hybridhash {variant}": replace(
            SPECS["hashnet of pictures"], method="hybridhash", variant=variant, options={**SMALL_BLOCKS, **extra}
        )
        for variant, extra in (("full", {"classification": 0.5}), ("no-interaction", {}))
    }
)
ALL = SPECS | VECTOR_SPECS


def dataset(name, samples=96, seed=0):
    """Samples of three classes; the two vectors of a pair are alike in what they are of."""
    some, spec = batch(name, samples, seed), ALL[name]
    fields = {key: Field(SampleArray(stored(x))) for key, x in some.inputs.items()}
    found = SampleDataset(fields, LabelSets.single(np.arange(samples) % 3, 3))
    found.hides_labels = METHODS[spec.method].labels == "unseen"
    return found


def stored(x):
    """Samples first, as a store has them."""
    return (x.transpose(0, 1) if x.dim() == 5 else x).contiguous().numpy()


def batch(name, B=6, seed=0):
    g = torch.Generator().manual_seed(seed)
    if len(ALL[name].inputs) > 1:
        means, labels = torch.randn(3, 24, generator=torch.Generator().manual_seed(9)), torch.arange(B) % 3
        hidden = means[labels] + 0.5 * torch.randn(B, 24, generator=g)
        seen = {key: one.field.shape[0] for key, one in ALL[name].inputs.items()}
        inputs = {key: hidden[:, :width] + 0.3 * torch.randn(B, width, generator=g) for key, width in seen.items()}
        made = labelled(inputs, labels, 3)
        return replace(made, targets=None) if METHODS[ALL[name].method].labels == "unseen" else made
    if ALL[name].input.kind == "image":
        pixels = torch.randint(0, 256, (B, 3, 16, 16), generator=g).to(torch.uint8)
        return labelled({"image": pixels}, torch.arange(B) % 3, 3)
    frames = (torch.rand(4, B, 2, 16, 16, generator=g) < 0.4) * torch.randint(1, 9, (4, B, 2, 16, 16), generator=g)
    return labelled({"events": frames.float()}, torch.arange(B) % 3, 3)
