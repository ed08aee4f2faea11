"""Frame stores to train on, and the networks for them."""

from small_store import LABELS, small_store

from spikinghash.methods.spec import ModelSpec


def training_store(folder, dtype="uint8", channels=2, clips=60):
    """Clips of two classes that differ in where the events are."""
    return small_store(folder, clips, "parquet", dtype, (1 if channels == 3 else 4, 18, 20), channels)


def spec_of(store):
    """A Nano of 16 bits at 16 x 16."""
    meta = store.meta
    return ModelSpec(
        "spikinghash", "Nano", 16, LABELS, 4, 16, 16, (meta.width, meta.height), 8, "atan", meta.digest, meta.to_json()
    )
