"""Pictures of three classes that a network can tell apart: a bright bar, elsewhere in each class."""

from dataclasses import replace

import numpy as np
import torch

from spikinghash.data.batch import labelled
from spikinghash.data.dataset import Field, SampleDataset
from spikinghash.data.label_sets import LabelSets
from spikinghash.data.picture import PictureFrame
from spikinghash.data.samples import SampleArray
from spikinghash.methods.model_input import ModelInput
from spikinghash.methods.spec import ModelSpec

CLASSES = ("a", "b", "c")


def pictures(count, seed=0, side=16):
    """uint8 [N, 3, side, side] with labels [N]."""
    g = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 128, (count, 3, side, side), generator=g)
    numbers, width = torch.arange(count) % 3, side // 4
    for picture, number in zip(pixels, numbers, strict=True):
        picture[:, :, number * width : (number + 1) * width] += 120
    return pixels.to(torch.uint8), numbers


def picture_batch(count, seed=0, first=0):
    """A batch of places `first` and on."""
    pixels, numbers = pictures(count, seed)
    made = labelled({"image": pixels}, numbers, len(CLASSES))
    return replace(made, rows=made.rows + first)


def picture_set(count, seed=0):
    pixels, numbers = pictures(count, seed)
    return SampleDataset({"image": Field(SampleArray(pixels.numpy()))}, LabelSets.single(np.asarray(numbers), 3))


def picture_spec(side=16, height=None, bits=16, variant="full", **options):
    field = PictureFrame(side, side, resize=False).field()
    small = {"width": 8, "depths": (1, 1, 1), "drop_path": 0.0}
    one = ModelInput(field, height or side, side, 8)
    return ModelSpec("hybridhash", bits, CLASSES, {"image": one}, small | options, variant)
