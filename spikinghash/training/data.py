"""From a cache of clips to the method and the data sets that the training loop takes."""

from __future__ import annotations

from torch import nn

from spikinghash.data.open_cache import SampleCache
from spikinghash.errors import BadStore
from spikinghash.methods.method import build
from spikinghash.methods.spec import ModelSpec
from spikinghash.training.loop import TrainingData
from spikinghash.training.recipe import Recipe
from spikinghash.training.seeds import seed_everything
from spikinghash.training.split_dataset import split_dataset


def prepare(cache: SampleCache, spec: ModelSpec, recipe: Recipe) -> tuple[nn.Module, TrainingData]:
    """A freshly initialised method and its data, the same on every rank."""
    train = split_dataset(cache, "train", spec)
    # where the last epoch counts there may be nothing to choose by
    chosen = recipe.select == "best" or len(cache.splits["val"])
    val = split_dataset(cache, "val", spec) if chosen else None
    data = TrainingData(train, val)
    if len(data.train) < recipe.batch:
        few = f"{len(data.train)} training clips are fewer than train.batch = {recipe.batch}"
        raise BadStore(f"{cache.folder}: {few}")
    seed_everything(recipe.seed)
    return build(spec), data
