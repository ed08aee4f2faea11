"""Samples of every kind, alone and several a row, for tests of stores."""

import json

import numpy as np

from spikinghash.data.described import event_field
from spikinghash.data.open_store import create_store, open_store
from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import FieldSpec, SampleSpec
from spikinghash.frames.account import EventAccount
from spikinghash.frames.frame_meta import FrameMeta

META = FrameMeta(steps=2, height=3, width=4, dtype="uint8", config={"binning": "test"})


def events(dtype="uint8"):
    return event_field(FrameMeta(steps=2, height=3, width=4, dtype=dtype, config={"seed": 1}))


IMAGE = FieldSpec("image", (3, 4, 5), "uint8", {"picture": "as it is"})
FEATURES = FieldSpec("features", (7,), "float16", {"name": "bow", "words": 7})
TOKENS = FieldSpec("tokens", (6,), "int32", {"name": "words"})

#: What samples can consist of, by what it is called in tests.
SPECS = {
    "events uint8": SampleSpec({"events": events()}),
    "events uint16": SampleSpec({"events": events("uint16")}),
    "events float32": SampleSpec({"events": events("float32")}),
    "image": SampleSpec({"image": IMAGE}),
    "features float16": SampleSpec({"features": FEATURES}),
    "features float32": SampleSpec({"features": FieldSpec("features", (5,), "float32")}),
    "tokens": SampleSpec({"tokens": TOKENS}),
    "all four": SampleSpec({"events": events(), "image": IMAGE, "caption": FEATURES, "words": TOKENS}),
    "two cameras": SampleSpec({"left": events(), "right": events("uint16")}),
}
EVENTS = SPECS["events uint8"]


def sample(spec, number, split="train", labels=("a",), dropped=None, lacks=(), group=None):
    """A row and its inputs, without those modalities in `lacks`, but for the last one that is left."""
    rng = np.random.default_rng(number)
    kept = [name for name in spec.fields if name not in lacks] or list(spec.fields)[-1:]
    values = {}
    for name in kept:
        field = spec.fields[name]
        values[name] = rng.integers(0, 200, field.shape).astype(field.dtype)
    dropped = dropped or {}
    accounts = {}
    for name in (name for name in kept if spec.fields[name].kind == "events"):
        framed = int(values[name].sum())
        accounts[name] = EventAccount(0, 9, framed + sum(dropped.values()), framed, dropped)
    name = f"r{number}@0-9"
    return SampleRow(name, group or name, labels, split, f"r{number}", "0" * 64, accounts), values


def write(folder, made, spec, kind="parquet"):
    with create_store(folder, spec, kind) as writer:
        for row, values in made:
            writer.add(row, values)
    return open_store(folder)


def same(store, made, spec):
    """Whether the store gives what was written."""
    assert store.spec == spec == SampleSpec.from_json(json.dumps(json.loads(spec.to_json())))
    assert store.rows(None) == [row for row, _ in made]
    for name, field in spec.fields.items():
        values, rows = store.load(None, name)
        having = [(row, some[name]) for row, some in made if name in some]
        assert rows == [row for row, _ in having]
        assert (values.dtype, values.shape) == (field.dtype, (len(rows), *field.shape))
        assert values.flags.writeable
        assert all((ours == theirs).all() for ours, (_, theirs) in zip(values, having, strict=True))
