"""Training that reads batches from disk gives the weights of training from whole tensors in memory."""

import math

import pytest
import torch
from one_thread import one_thread  # noqa: F401  a fixture
from training_store import spec_of, training_store

from spikinghash.data.batch import labelled, network_input, time_first
from spikinghash.data.open_cache import open_cache
from spikinghash.data.store import SampleStore
from spikinghash.methods.method import build
from spikinghash.training.augment import Augmentation, augment
from spikinghash.training.data import prepare
from spikinghash.training.finish import finish
from spikinghash.training.loop import run
from spikinghash.training.recipe import Recipe, make_optimiser
from spikinghash.training.seeds import seed_everything
from spikinghash.training.validation import leave_one_out_map


def recipe_of(store, **changes):
    pictures = "image" in store.spec.fields
    seen = Augmentation(flip=True, crop_px=2, erase=0.3) if pictures else Augmentation(2.0, 10.0, 0.1, 0.2)
    return Recipe(**({"epochs": 2, "batch": 8, "lr": 3e-3, "seed": 5, "augmentation": seen} | changes))


def whole_tensors(store, spec, recipe):
    """All clips as float in memory, one loop, no function of the training loop's but single steps."""
    classes = list(spec.classes)
    parts = {}
    for split in ("train", "val"):
        counts, rows = store.load(split, spec.modality)
        parts[split] = (
            spec.input.to_input(torch.from_numpy(spec.input.fit_stored(counts))),
            torch.tensor([classes.index(row.label) for row in rows]),
        )
    frames, labels = parts["train"]
    seed_everything(recipe.seed)
    method = build(spec)
    optimiser = make_optimiser(method, recipe)
    steps, scores = len(frames) // recipe.batch, []
    for epoch in range(recipe.epochs):
        method.train()
        first = (recipe.seed * 1_000_003 + epoch) * 1_009
        order = torch.randperm(len(frames), generator=torch.Generator().manual_seed(first))
        draws = torch.Generator().manual_seed(first + 1)
        for step in range(steps):
            chosen = order[step * recipe.batch : (step + 1) * recipe.batch]
            some = labelled({spec.modality: time_first(frames[chosen])}, labels[chosen], len(classes))
            moved = augment(some, recipe.augmentation, draws)
            done, total = epoch * steps + step, recipe.epochs * steps
            warm = round(recipe.warmup * total)
            cosine = 0.5 * (1 + math.cos(math.pi * (done - warm) / (total - warm)))
            for group in optimiser.param_groups:
                group["lr"] = recipe.lr * (done + 1) / warm if done < warm else recipe.lr * (0.01 + 0.99 * cosine)
            optimiser.zero_grad()
            method(moved).loss.backward()
            # the sum of squares is rounded in the optimiser's order
            listed = [parameter for group in optimiser.param_groups for parameter in group["params"]]
            torch.nn.utils.clip_grad_norm_(listed, recipe.grad_clip)
            optimiser.step()
        method.end_epoch((epoch + 1) / recipe.epochs)
        scores.append(validated(method, spec, *parts["val"]))
    return method, scores


def validated(method, spec, frames, labels):
    """All validation clips in one batch."""
    copy = build(spec)
    copy.load_state_dict(method.state_dict())
    finish(copy, spec)
    with torch.no_grad():
        one_hot = torch.nn.functional.one_hot
        return leave_one_out_map(copy.eval().network(network_input(time_first(frames)))[0].bits, one_hot(labels))


CASES = [("uint8", False), ("uint16", False), ("float32", False), ("uint8", True)]


@pytest.mark.parametrize(("dtype", "pictures"), CASES)
def test_the_weights_are_those_of_whole_tensors_in_memory(tmp_path, dtype, pictures):
    store = SampleStore.open(training_store(tmp_path / "store", dtype=dtype, pictures=pictures))
    spec, recipe = spec_of(store).changed(soft=True), recipe_of(store)
    slow, scores = whole_tensors(store, spec, recipe)
    method, data = prepare(open_cache(store.path, store.digest, tmp_path), spec, recipe)
    records = []
    run(method, data, recipe, lambda record, save: records.append(record), finish=lambda m: finish(m, spec))
    assert [record.val_map for record in records] == pytest.approx(scores, abs=1e-12)
    expected = slow.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in method.state_dict().items())


def test_reading_processes_change_no_weight(tmp_path):
    store = SampleStore.open(training_store(tmp_path / "store"))
    spec, recipe = spec_of(store).changed(soft=True), recipe_of(store)
    found = []
    for workers in (0, 1):
        method, data = prepare(open_cache(store.path, store.digest, tmp_path), spec, recipe)
        run(method, data, recipe, lambda record, save: None, loader_workers=workers)
        found.append(method.state_dict())
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())
