"""params.yaml: strict, frozen, and helpful about typos."""

from pathlib import Path

import pytest
import yaml

from spikinghash.errors import ConfigError
from spikinghash.params import load_params

SHIPPED = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture
def changed(tmp_path):
    """Load the shipped file with one change: changed("train.lr", 1), or with a key removed: changed("train.lr")."""

    def load(place, *value, rename=None):
        content = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
        *sections, key = place.split(".")
        section = content
        for name in sections:
            section = section[name]
        old = section.pop(key, None)
        if rename is not None:
            section[rename] = old
        elif value:
            section[key] = value[0]
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return load_params(path)

    return load


def problem(changed, *args, **kwargs):
    with pytest.raises(ConfigError) as caught:
        changed(*args, **kwargs)
    text = str(caught.value)
    assert "\n" not in text
    path, _, rest = text.partition("params.yaml: ")
    assert path
    return rest


def test_the_shipped_file_is_good():
    params = load_params(SHIPPED)
    assert params.model.method == "spikinghash"
    assert params.model.input == (32, 32)
    assert params.evaluate.k == (1, 10, 50, 100)
    assert params.ray.address is None


def test_values_are_frozen():
    params = load_params(SHIPPED)
    with pytest.raises(ValueError, match="frozen"):
        params.train.lr = 1.0


@pytest.mark.parametrize(
    ("place", "typo", "meant"),
    [
        ("train.epochs", "epoch", "train.epochs"),
        ("train.weight_decay", "wieght_decay", "train.weight_decay"),
        ("train.augment.rotate_deg", "rotate", "train.augment.rotate_deg"),
        ("model.count_clip", "countclip", "model.count_clip"),
        ("evaluate", "evalute", "evaluate"),
    ],
)
def test_a_typo_is_told_the_nearest_key(changed, place, typo, meant):
    section = place.rpartition(".")[0]
    wrong = f"{section}.{typo}" if section else typo
    assert problem(changed, place, rename=typo) == f"unknown key {wrong}; did you mean {meant}?"


def test_an_extra_key(changed):
    assert problem(changed, "train.lr_min", 0.1).startswith("unknown key train.lr_min; did you mean train.lr")


def test_a_key_with_no_resemblance_is_still_refused(changed):
    assert problem(changed, "encode.zzzz", 1).startswith("unknown key encode.zzzz")


@pytest.mark.parametrize("place", ["train.lr", "model", "train.augment.flip", "ray"])
def test_a_missing_key(changed, place):
    assert problem(changed, place) == f"missing key {place}"


def test_a_pair_needs_both(changed):
    assert problem(changed, "model.input", [32]) == "missing key model.input.1"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("train.epochs", 0), ("train.epochs", 2.0), ("train.epochs", "24"), ("train.epochs", True),
        ("train.lr", 0), ("train.lr", "1e-3"), ("train.lr", float("nan")), ("train.warmup", 1.5),
        ("train.soft", 1), ("train.soft", "yes"), ("train.optimiser", "sgd"), ("train.smoothing", 1.0),
        ("train.grad_clip", 0.0), ("train.seed", -1), ("train.augment.drop", 1.1), ("train.augment.scale", 1.0),
        ("model.bits", 12), ("model.bits", 0), ("model.bits", 2048), ("model.input", [32, 0]),
        ("model.input", "32x32"), ("model.count_clip", 256), ("model.surrogate", "relu"), ("model.network_size", 3),
        ("frames.dtype", "float32"), ("frames.val_fraction", 0.0), ("frames.test_fraction", 1.0), ("frames.steps", 0),
        ("dataset.layout", "zip"), ("dataset.sensor", [34, 34, 2]), ("dataset.path", None), ("dataset.sensor", [-1, 3]),
        ("evaluate.k", []), ("evaluate.k", [0]), ("evaluate.k", 10), ("evaluate.database_splits", []),
        ("evaluate.query_split", "all"), ("encode.batch", 0), ("synthesize.on_threshold", 0.0), ("train", None),
        ("train", []), ("tracking.uri", None), ("ray.address", 7), ("train.accumulate", 0),
    ],
)  # fmt: skip
def test_wrong_values_are_named(changed, place, value):
    text = problem(changed, place, value)
    assert text.startswith(place)
    assert "(given: " in text


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("train.lr", 1),
        ("dataset.sensor", None),
        ("dataset.format", "aedat4"),
        ("ray.address", "auto"),
        ("train.warmup", 0),
    ],
)
def test_values_that_are_fine(changed, place, value):
    params = changed(place, value)
    section, key = place.split(".")
    assert getattr(getattr(params, section), key) == value


@pytest.mark.parametrize(("batch", "workers"), [(33, 2), (2, 2), (8, 3), (3, 2)])
def test_a_batch_must_be_shared_out(tmp_path, batch, workers):
    content = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    content["train"] |= {"batch": batch, "workers": workers}
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=f"train: batch {batch} must give each of {workers} workers"):
        load_params(path)


def test_queries_may_not_be_in_the_database(changed):
    text = problem(changed, "evaluate.query_split", "val")
    assert text.startswith("evaluate: query_split 'val' is also in database_splits")


@pytest.mark.parametrize("text", ["", "[]", "3", "just words"])
def test_a_file_that_is_no_mapping(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"params.yaml: the file: "):
        load_params(path)


@pytest.mark.parametrize("data", [b"a: [1, 2", b"\xff\xfe\x00", b"a: b: c", b"!!python/object/apply:os.getcwd []"])
def test_a_file_that_is_no_yaml(tmp_path, data):
    path = tmp_path / "params.yaml"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match="not readable as YAML") as caught:
        load_params(path)
    assert "\n" not in str(caught.value)


def test_keys_that_are_no_text(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(SHIPPED.read_text(encoding="utf-8") + "\n7: 1\n")
    with pytest.raises(ConfigError, match="7"):
        load_params(path)


def test_no_file(tmp_path):
    with pytest.raises(ConfigError, match="not found; run inside the project"):
        load_params(tmp_path / "params.yaml")
    with pytest.raises(ConfigError, match="not readable"):
        load_params(tmp_path)


def pictures(content):
    content["dataset"] |= {"layout": "image_folder", "sensor": None}
    content["frames"]["steps"] = 1
    content["model"]["steps"] = 4
    content["train"]["augment"] |= {"shift_px": 0.0, "rotate_deg": 0.0, "scale": 0.0, "drop": 0.0, "crop_px": 4}


def loaded(tmp_path, *changes):
    content = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    for change in changes:
        change(content)
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content))
    return load_params(path)


def test_pictures_have_one_frame_and_changes_of_their_own(tmp_path):
    params = loaded(tmp_path, pictures)
    assert params.dataset.has_pictures
    assert params.model.steps == 4
    with pytest.raises(ConfigError, match=r"image_folder has pictures.*frames\.steps is 1.*model\.steps"):
        loaded(tmp_path, pictures, lambda c: c["frames"].update(steps=4))
    with pytest.raises(ConfigError, match=r"train\.augment\.drop is for events"):
        loaded(tmp_path, pictures, lambda c: c["train"]["augment"].update(drop=0.1))
    with pytest.raises(ConfigError, match=r"train\.augment\.erase is for pictures"):
        loaded(tmp_path, lambda c: c["train"]["augment"].update(erase=0.1))


def test_parameters_from_before_pictures_are_still_good(tmp_path):
    def old(content):
        del content["model"]["steps"]
        for key in ("crop_px", "erase", "rand_ops", "rand_magnitude"):
            del content["train"]["augment"][key]

    assert loaded(tmp_path, old) == load_params(SHIPPED)


def test_an_experiment_of_dvc_changes_the_value_it_sets_and_nothing_else(tmp_path):
    """`dvc exp run -S` writes the file anew: comments, widths and empty values have to survive that."""
    from dvc.utils.serialize import modify_yaml

    path = tmp_path / "params.yaml"
    before = SHIPPED.read_text()
    path.write_text(before)
    with modify_yaml(str(path)) as params:
        params["train"]["epochs"] = 4
    assert path.read_text() == before.replace("\n  epochs: 18", "\n  epochs: 4")
