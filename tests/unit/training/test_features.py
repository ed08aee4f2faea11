"""Samples that are features train through the same store, cache, loop and model folder as event clips."""

import numpy as np
import pytest
from frame_specs import frame_spec
from one_thread import one_thread  # noqa: F401  a fixture
from torch import nn

from spikinghash.codes.encoder import Encoder
from spikinghash.data.open_cache import open_cache
from spikinghash.data.open_store import create_store, open_store
from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import FieldSpec, SampleSpec
from spikinghash.errors import ConfigError
from spikinghash.layers.accounts import Composed
from spikinghash.layers.tanh_hash import TanhHashLayer
from spikinghash.methods.frame_options import FrameOptions, frame_options
from spikinghash.methods.method import build
from spikinghash.methods.registry import METHODS, Entry
from spikinghash.methods.supervised import SupervisedMethod
from spikinghash.methods.takes import one_of
from spikinghash.training.augment import Augmentation
from spikinghash.training.checkpoint import load_model
from spikinghash.training.data import prepare
from spikinghash.training.finish import finish
from spikinghash.training.loop import run
from spikinghash.training.publish import publish
from spikinghash.training.recipe import Recipe

CLASSES = ("bird", "boat", "tree")
FIELD = FieldSpec("features", (12,), "float16", {"name": "given"})


class TwoLayers(Composed, nn.Module):
    """Features [1, B, D] -> hash output, logits."""

    def __init__(self, spec):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(spec.input.field.shape[0], 32), nn.ReLU())
        self.hash = TanhHashLayer(32, spec.bits)
        self.classifier = nn.Linear(spec.bits, len(spec.classes))

    def forward(self, x):
        out = self.hash(self.body(x[0]))
        return out, self.classifier(out.codes)

    def classify(self, x):
        return self.forward(x)[1]


@pytest.fixture
def two_layers(monkeypatch):
    def build(spec):
        network = TwoLayers(spec)
        return SupervisedMethod(network, frame_options(spec), len(spec.classes), exact=False, modality=spec.modality)

    monkeypatch.setitem(METHODS, "two-layers", Entry(build, FrameOptions, one_of("features")))


def store_of(folder, kind, count=120):
    rng = np.random.default_rng(0)
    means = rng.normal(size=(3, 12)) * 0.8
    with create_store(folder, SampleSpec({"features": FIELD}), kind) as out:
        for i in range(count):
            name, split = f"{i:03}", ("train", "train", "val")[i // 3 % 3]
            row = SampleRow(name, name, (CLASSES[i % 3],), split, name, "0" * 64)
            out.add(row, {"features": (means[i % 3] + rng.normal(size=12)).astype(np.float16)})
    return open_store(folder)


@pytest.mark.parametrize("kind", ["parquet", "hdf5"])
def test_features_are_learned_saved_and_encoded(tmp_path, two_layers, kind):
    store = store_of(tmp_path / "store", kind)
    spec = frame_spec(
        "two-layers", "one", 16, CLASSES, 1, 1, 1, (1, 1), 1, "atan", FIELD
    )  # fmt: skip
    recipe = Recipe(8, 16, 1e-2, 3, augmentation=Augmentation(2.0, 10.0, flip=True))
    method, data = prepare(open_cache(store.path, store.digest, tmp_path), spec, recipe)
    records = []
    progress = run(method, data, recipe, lambda record, save: records.append(record), finish=lambda m: finish(m, spec))
    assert records[-1].val_map > records[0].val_map + 0.05
    assert records[-1].accuracy > 0.9
    publish(tmp_path / "model", spec, method, progress, recipe, [vars(r) for r in records], data.train)
    model = load_model(tmp_path / "model")
    assert model.spec.input.field == FIELD
    values, rows = store.load("val", "features")
    codes, margins = Encoder(model, batch=7).encode(values)
    assert codes.shape == (len(rows), 2)
    again, _ = Encoder(model, batch=1).encode(values)
    assert (codes == again).all()
    same = np.array([[a.labels == b.labels for b in rows] for a in rows])
    distance = np.unpackbits(codes[:, None] ^ codes[None], axis=2).sum(2)
    assert distance[same].mean() + 2 < distance[~same].mean()
    assert (margins > 0).all()


def test_methods_of_events_refuse_features():
    spec = frame_spec(
        "spikinghash", "Nano", 16, CLASSES, 4, 16, 16, (1, 1), 8, "atan", FIELD
    )  # fmt: skip
    with pytest.raises(ConfigError, match="spikinghash takes events or an image, not features"):
        build(spec)
