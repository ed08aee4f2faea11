"""What a method gets: several modalities, labels as a set, groups, and what some samples lack."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sample_cases import SPECS, sample, write

from spikinghash.data.batch import labelled, network_input, to_network
from spikinghash.data.dataset import Prepare
from spikinghash.data.label_sets import LabelSets
from spikinghash.data.loader import in_order
from spikinghash.data.open_cache import open_cache
from spikinghash.errors import BadStore, ConfigError
from spikinghash.methods.class_numbers import class_numbers
from spikinghash.training.augment import Augmentation, augment
from spikinghash.training.split_dataset import labelled_split

SPEC = SPECS["all four"]
#: Labels, group and what is missing, of each of seven samples.
ROWS = [
    (("a",), "pair", ()), ((), "pair", ("image",)), (("a", "b"), None, ()), (("c",), None, ("caption", "image")),
    (("b",), "pair", ()), (("c", "a"), "other", ()), (("a",), "other", ("words",)),
]  # fmt: skip
CLASSES = ("c", "b", "a")


@pytest.fixture(params=["parquet", "hdf5"])
def opened(tmp_path, request):
    made = [sample(SPEC, i, "train", labels, None, set(lacks), group) for i, (labels, group, lacks) in enumerate(ROWS)]
    store = write(tmp_path, made, SPEC, request.param)
    prepare = {name: Prepare() for name in SPEC.fields} | {"caption": Prepare(cast=lambda x: x.float())}
    return made, labelled_split(open_cache(store.path, store.digest, tmp_path), "train", CLASSES, prepare)


def test_a_batch_has_each_modality_in_its_shape(opened):
    made, dataset = opened
    batch = dataset.__getitems__([5, 0, 3])
    assert {name: tuple(x.shape) for name, x in batch.inputs.items()} == {
        "events": (2, 3, 2, 3, 4), "image": (3, 3, 4, 5), "caption": (3, 7), "words": (3, 6),
    }  # fmt: skip
    for place, row in enumerate((5, 0, 3)):
        for name, x in batch.inputs.items():
            ours = x[:, place] if name == "events" else x[place]
            assert (ours.numpy() == made[row][1].get(name, 0)).all()
    assert batch.targets.tolist() == [[1, 0, 1], [0, 0, 1], [1, 0, 0]]
    assert batch.rows.tolist() == [5, 0, 3]
    assert {name: mask.tolist() for name, mask in batch.present.items()} == {
        "image": [True, True, False], "caption": [True, True, False], "words": [True, True, True],
    }  # fmt: skip
    assert dataset.for_method(batch, torch.device("cpu")).inputs["caption"].dtype == torch.float32


def test_batches_follow_each_other_whatever_their_size(opened):
    _, dataset = opened
    whole = dataset.__getitems__(range(len(ROWS)))
    parts = list(in_order(dataset, 3))
    assert [len(part) for part in parts] == [3, 3, 1]
    assert torch.equal(torch.cat([part.targets for part in parts]), whole.targets)
    assert torch.equal(torch.cat([part.inputs["words"] for part in parts]), whole.inputs["words"])
    assert torch.equal(torch.cat([part.inputs["events"] for part in parts], dim=1), whole.inputs["events"])


def test_groups_tie_samples(opened):
    _, dataset = opened
    group = dataset.__getitems__(range(len(ROWS))).group
    assert group.dtype == torch.int64
    names = [group or f"own {i}" for i, (_, group, _) in enumerate(ROWS)]
    assert [[a == b for b in names] for a in names] == (group[:, None] == group).tolist()


def test_a_part_of_a_batch(opened):
    _, dataset = opened
    whole, some = dataset.__getitems__(range(6)), dataset.__getitems__([1, 3, 5])
    part = whole.part(slice(1, None, 2))
    assert len(part) == 3
    assert all(torch.equal(part.inputs[name], x) for name, x in some.inputs.items())
    assert torch.equal(part.targets, some.targets)
    assert torch.equal(part.present["image"], some.present["image"])


def test_a_method_of_one_label_refuses_several_and_none(opened):
    _, dataset = opened
    assert class_numbers(dataset.__getitems__([0, 3, 4]).targets).tolist() == [2, 0, 1]
    with pytest.raises(ConfigError, match="this method takes one label a sample; one has 2"):
        class_numbers(dataset.__getitems__([0, 2]).targets)
    with pytest.raises(ConfigError, match="this method takes one label a sample; one has 0"):
        class_numbers(dataset.__getitems__([1]).targets)
    with pytest.raises(ConfigError, match="this method takes one label a sample; the samples have none"):
        class_numbers(None)


def test_a_method_of_one_modality_refuses_samples_that_lack_it(opened):
    _, dataset = opened
    batch = dataset.__getitems__([0, 1])
    assert batch.of("events").shape == (2, 2, 2, 3, 4)
    with pytest.raises(ConfigError, match="takes image of every sample; some have none"):
        batch.of("image")
    with pytest.raises(ConfigError, match="takes sound; the samples have caption, events, image, words"):
        batch.of("sound")


def test_augmentation_changes_what_it_knows_and_leaves_the_rest(opened):
    _, dataset = opened
    batch = dataset.__getitems__(range(7))
    batch = replace(batch, inputs=dict(batch.inputs) | {"events": batch.inputs["events"].float()})
    asked = Augmentation(rotate_deg=45.0, flip=True, erase=1.0)
    moved = augment(batch, asked, torch.Generator().manual_seed(0))
    same = {name: torch.equal(x, batch.inputs[name]) for name, x in moved.inputs.items()}
    assert same == {"caption": True, "events": False, "image": False, "words": True}
    assert moved.targets is batch.targets


def test_a_modality_that_the_store_lacks_and_a_label_nobody_knows(tmp_path):
    store = write(tmp_path, [sample(SPECS["image"], 0)], SPECS["image"])
    cache = open_cache(store.path, store.digest, tmp_path)
    with pytest.raises(BadStore, match="samples have image, the model takes events"):
        labelled_split(cache, "train", ("a",), {"events": Prepare()})
    with pytest.raises(BadStore, match="labels the model does not know: a"):
        labelled_split(cache, "train", ("b",), {"image": Prepare()})


def test_what_has_no_time_is_one_step_of_a_network():
    assert to_network(torch.zeros(5, 4, 2, 6, 6)).shape == (4, 5, 2, 6, 6)
    assert to_network(torch.zeros(5, 3, 6, 6)).shape == (1, 5, 3, 6, 6)
    assert network_input(torch.zeros(5, 7)).shape == (1, 5, 7)


@pytest.mark.parametrize("rows", [None, [3, 0, 0], []])
def test_targets_against_a_loop(rows):
    sets = [(0, 2), (), (1,), (2, 1)]
    labels = LabelSets.of(sets, 4)
    expected = [[float(c in sets[row]) for c in range(4)] for row in (range(4) if rows is None else rows)]
    assert labels.targets(rows).tolist() == expected
    assert [labels[i].tolist() for i in range(4)] == [list(some) for some in sets]
    renumbered = labels.renumbered(np.array([3, 0, 1, 2]), 4)
    assert renumbered[0].tolist() == [3, 1]


def test_a_batch_of_one_label_each():
    batch = labelled({"features": torch.zeros(3, 2)}, torch.tensor([2, 0, 1]), 3)
    assert class_numbers(batch.targets).tolist() == [2, 0, 1]
    assert batch.rows.tolist() == batch.group.tolist() == [0, 1, 2]
