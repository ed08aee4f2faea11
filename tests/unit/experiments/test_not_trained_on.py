"""Protocols that search what was not trained on: left-out classes, other sets."""

import re
from contextlib import nullcontext

import numpy as np
import pytest
from frame_specs import frame_spec
from hypothesis import given, settings
from hypothesis import strategies as st
from small_store import event_spec, small_store

from spikinghash.data.of_classes import StoreOfClasses, cache_of_classes
from spikinghash.data.open_cache import open_cache
from spikinghash.data.open_store import create_store
from spikinghash.data.store import SampleStore
from spikinghash.errors import ConfigError
from spikinghash.evaluation.baseline import count_image_map
from spikinghash.experiments.check_protocol import check_framing, check_left_out
from spikinghash.experiments.summary import markdown, summarise
from spikinghash.experiments.trial import Other, Trial, run_trial
from spikinghash.frames.framing import Framing
from spikinghash.methods.model_input import ModelInput
from spikinghash.methods.spec import ModelSpec
from spikinghash.schema import SPLITS
from spikinghash.study_params import load_studies
from spikinghash.training.recipe import Recipe

NAMES = ("a", "b", "c", "d", "e")
LEFT_OUT = ("b", "d")
SEARCHED = ("train", "val")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return SampleStore.open(small_store(tmp_path_factory.mktemp("a"), 120, labels=NAMES))


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    folder = tmp_path_factory.mktemp("b")
    return SampleStore.open(small_store(folder, 90, shape=(4, 20, 24), seed=1, labels=("x", "y", "z", "v", "w")))


@pytest.fixture(scope="module")
def cache(store, tmp_path_factory):
    return open_cache(store.path, store.digest, tmp_path_factory.mktemp("cache"))


def trial(store, folder, method, **protocol):
    classes = () if method in ("lsh", "itq") else tuple(store.classes)
    options = {"seed": 3} if method in ("lsh", "itq") else {"network_size": "Nano"}
    inputs = {"events": ModelInput(store.spec.fields["events"], 16, 16, 8)}
    spec = ModelSpec(method, 16, classes, inputs, options)
    (folder / "cache").mkdir(exist_ok=True)
    recipe = Recipe(1, 8, 0.004, 1)
    return Trial(method, str(store.path.parent), "labels", spec, recipe, cache=str(folder / "cache"), **protocol)


def of(store, names, *splits):
    return [row for split in splits for row in store.rows(split) if set(row.labels) <= set(names)]


@settings(max_examples=40, deadline=None)
@given(names=st.sets(st.sampled_from(NAMES)))
def test_classes_are_parted_clip_by_clip(store, cache, names):
    part, rest = cache_of_classes(cache, names), cache_of_classes(cache, set(NAMES) - names)
    for split in SPLITS:
        values, rows = store.load(split, "events")
        mine = [place for place, row in enumerate(rows) if row.label in names]
        for found, places in ((part, mine), (rest, sorted(set(range(len(rows))) - set(mine)))):
            one = found.splits[split]
            assert [cache.classes[one.labels[i][0]] for i in range(len(one))] == [rows[place].label for place in places]
            backward = range(len(one))[::-1]
            assert (one.inputs["events"].read(backward) == values[places][::-1]).all()
            assert (one.groups == cache.splits[split].groups[places]).all()
        told = [row for _, some in StoreOfClasses(store, names).iter_inputs("events", split, 7) for row in some]
        assert told == [rows[place] for place in mine]


@pytest.mark.parametrize("method", ["lsh", "itq", "hashnet"])
def test_left_out_clips_leave_no_trace_in_the_model(store, tmp_path, method):
    """Other clips in their place change what is found among them, and nothing else."""
    rng, swapped = np.random.default_rng(5), tmp_path / "swapped"
    with create_store(swapped, store.spec, "parquet") as out:
        for split in SPLITS:
            for values, row in zip(*store.load(split, "events"), strict=True):
                out.add(row, {"events": rng.permuted(values) if row.label in LEFT_OUT else values})
    before, after = (
        run_trial(trial(one, tmp_path, method, left_out=LEFT_OUT)) for one in (store, SampleStore.open(swapped))
    )
    same = {"arm", "seed", "best_epoch", "val_map", "map", "map_worst", "accuracy", "energy_uj", "ndcg_at_100"}
    assert {key: before[key] for key in same} == {key: after[key] for key in same}
    assert before["searched"][0] == after["searched"][0]
    assert before["searched"][1]["map"] != after["searched"][1]["map"]


@pytest.mark.parametrize("method", ["lsh", "itq", "hashnet"])
def test_left_out_classes_are_searched_on_their_own(store, tmp_path, method):
    found = run_trial(trial(store, tmp_path, method, left_out=LEFT_OUT))
    kept = set(NAMES) - set(LEFT_OUT)
    assert [one["clips"] for one in found["searched"]] == ["trained on", "left out"]
    for one, names in zip(found["searched"], (kept, LEFT_OUT), strict=True):
        assert one["queries"] == len(of(store, names, "test"))
        assert one["database"] == len(of(store, names, *SEARCHED))
        baseline = count_image_map(StoreOfClasses(store, names), "test", SEARCHED, "zero")
        assert one["count_image_map"] == pytest.approx(baseline)
        assert one["map_worst"] <= one["map"] <= one["map_best"]
        assert one["chance"] == pytest.approx(1 / len(names), abs=0.15)
    assert found["map"] == found["searched"][0]["map"]
    assert (found["accuracy"] is None) == (method != "hashnet")
    assert found["energy_uj"] > 0
    assert found["parameters"] > 0


@pytest.mark.parametrize("method", ["lsh", "itq", "hashnet"])
def test_another_set_is_searched_by_its_own_clips_alone(store, other, tmp_path, method):
    asked = {"b": Other(str(other.path.parent), "zero")}
    found = run_trial(trial(store, tmp_path, method, others=asked))
    mine, theirs = found["searched"]
    assert (mine["clips"], theirs["clips"]) == ("trained on", "b")
    assert (mine["queries"], theirs["queries"]) == (len(store.rows("test")), len(other.rows("test")))
    assert theirs["database"] == sum(len(other.rows(split)) for split in SEARCHED)
    assert theirs["count_image_map"] == pytest.approx(count_image_map(other, "test", SEARCHED, "zero"))
    alone = run_trial(trial(store, tmp_path, method))
    assert "searched" not in alone
    assert {key: found[key] for key in alone if key != "train_seconds"} == {
        key: alone[key] for key in alone if key != "train_seconds"
    }


def test_the_table_shows_what_was_not_trained_on_beside_chance():
    one = {"accuracy": None, "acg_at_100": 0.1, "ndcg_at_100": 0.2, "energy_uj": 3.0, "train_seconds": 1.0, "arm": "x"}
    results = [
        one | {"seed": s, "parameters": 10, "map": m, "searched": [
            {"clips": "trained on", "map": m, "count_image_map": 0.4, "chance": 0.1},
            {"clips": "left out", "map": m / 2, "count_image_map": 0.6, "chance": 0.3},
        ]}
        for s, m in ((1, 0.2), (2, 0.4))
    ]  # fmt: skip
    rows = summarise(results)
    text = markdown({"study": "s", "set": "n", "task": "labels", "epochs": 2, "left_out": ["b", "d"], "rows": rows})
    assert "(n without b, d, labels, 2 epochs, 2 seeds)" in text
    assert "| x | 10 | 0.300 ± 0.141 | - |" in text
    assert "| mAP among the clips: | trained on | left out |\n|---|---|---|\n| x | 0.300 ± 0.141 | 0.150 ± 0.071 |" in (
        text.replace("| --- | --- | --- |", "|---|---|---|")
    )
    assert "| count images, not hashed | 0.400 | 0.600 |\n| chance | 0.100 | 0.300 |" in text


@pytest.mark.parametrize(
    ("left_out", "told"),
    [
        (("b", "q"), "study s leaves out the class 'q', which its set lacks; there are a, b, c, d, e"),
        (("b",), "study s leaves out 1 of 5 classes; 2 are searched at least, and 2 trained on"),
        (("a", "b", "c", "d"), "study s leaves out 4 of 5 classes; 2 are searched at least, and 2 trained on"),
    ],
)
def test_a_wrong_left_out_class_is_one_line(left_out, told):
    with pytest.raises(ConfigError, match=f"^{re.escape(told)}$"):
        check_left_out("s", left_out, NAMES)


@pytest.mark.parametrize(
    ("framing", "told"),
    [
        (Framing(4, downsample=2, windowing="count", events_per_clip=9), None),
        (Framing(8), "steps 8, the model takes 4"),
        (Framing(4, representation="binary"), "representation binary, the model takes counts"),
        (Framing(4, dtype="uint16"), "dtype uint16, the model takes uint8"),
    ],
)
def test_a_set_framed_for_other_models_is_one_line(tmp_path, framing, told):
    with create_store(tmp_path, event_spec(framing.meta((34, 34))), "parquet"):
        pass
    store, spec = SampleStore.open(tmp_path), frame_spec("hashnet", "Nano", 16, NAMES, 4, 16, 16, (34, 34))
    with nullcontext() if told is None else pytest.raises(ConfigError, match=f"has {told}; frame a set of its own"):
        check_framing(store, spec)


@pytest.mark.parametrize(
    ("study", "told"),
    [
        ("task: labels, search: [nmnits]", r"studies\.s\.search: unknown name 'nmnits'; did you mean nmnist\?"),
        ("task: time-order, leave_out: [a]", r"studies\.s: leave_out and search are for the task labels"),
        ("task: labels, search: [nmnist]", r"studies\.s: search names nmnist, which it is trained on$"),
        ("task: labels, leave_out: [2, 5]", "valid string"),
    ],
)
def test_a_wrong_protocol_in_the_file_is_one_line(tmp_path, study, told):
    path = tmp_path / "studies.yaml"
    path.write_text(
        f"sets: {{nmnist: {{}}}}\narms: {{x: {{}}}}\nstudies: {{s: {{set: nmnist, arms: [x], seeds: [1], {study}}}}}\n"
    )
    with pytest.raises(ConfigError, match=told) as error:
        load_studies(path)
    assert "\n" not in str(error.value)
