"""A problem a Nano learns in seconds: which half of the picture is busy."""

import torch
from frame_specs import frame_spec

from spikinghash.data.dataset import Field, SampleDataset
from spikinghash.data.label_sets import LabelSets
from spikinghash.data.samples import SampleArray
from spikinghash.methods.method import build
from spikinghash.training.loop import TrainingData
from spikinghash.training.recipe import Recipe

SPEC = frame_spec(
    method="spikinghash", size="Nano", bits=16, classes=("left", "right"), steps=4, height=16, width=16,
    sensor=(16, 16), count_clip=8, surrogate="sigmoid",
)  # fmt: skip


def clips(n, seed):
    g = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 2
    frames = (torch.rand(n, 4, 2, 16, 16, generator=g) < 0.1).float()
    busy = (torch.rand(n, 4, 2, 16, 8, generator=g) < 0.6).float() * 4
    for i, label in enumerate(labels.tolist()):
        frames[i, ..., 8 * label : 8 * label + 8] += busy[i]
    return frames, labels


def dataset(frames, labels):
    return SampleDataset({"events": Field(SampleArray(frames.numpy()))}, LabelSets.single(labels.numpy(), 2))


def data(train=32, val=12):
    return TrainingData(dataset(*clips(train, 1)), dataset(*clips(val, 2)))


def method(seed=0, **options):
    torch.manual_seed(seed)
    return build(SPEC.changed(**options))


def recipe(**changes):
    return Recipe(**({"epochs": 4, "batch": 8, "lr": 3e-3, "seed": 5, "checkpoint_every": 2} | changes))


def awake(seed=0, **options):
    """A method whose norms know the data, so that its codes differ from the first epoch on."""
    m = method(seed, **options)
    norms = [x for x in m.modules() if isinstance(x, torch.nn.BatchNorm2d)]
    for x in norms:
        x.momentum = 1.0
    with torch.no_grad():
        m.network(clips(16, 3)[0].transpose(0, 1))
        m.network.hash.linear.bias.add_(0.5)
    for x in norms:
        x.momentum = 0.1
    return m
