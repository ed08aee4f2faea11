"""Stores to train on, and the networks for them."""

from frame_specs import frame_spec
from small_store import LABELS, picture_store, small_store


def training_store(folder, dtype="uint8", pictures=False, clips=60):
    """Samples of two classes that differ in where events, or light, are."""
    if pictures:
        return picture_store(folder, clips, side=(18, 20))
    return small_store(folder, clips, "parquet", dtype, (4, 18, 20))


def spec_of(store):
    """A Nano of 16 bits at 16 x 16."""
    (field,) = store.spec.fields.values()
    height, width = field.shape[-2:]
    return frame_spec("spikinghash", "Nano", 16, LABELS, 4, 16, 16, (width, height), 8, "atan", field)
