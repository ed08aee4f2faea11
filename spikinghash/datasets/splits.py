"""Seeded stratified splits that do not depend on the order of their input."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping

from spikinghash.datasets.recording import Recording
from spikinghash.errors import ConfigError


def assign_splits(
    recordings: Iterable[Recording], *, val_fraction: float, test_fraction: float, seed: int
) -> dict[str, str]:
    """Recording id to "train", "val" or "test".

    Splits that the data set states are kept. Recordings without one are training data, out of which the test split
    is drawn if the data set states none, and then the validation split if it states none. Drawing is per class.
    """
    known = {recording.recording_id: recording for recording in recordings}
    splits = {name: recording.split or "train" for name, recording in known.items()}
    labels = {name: recording.label for name, recording in known.items()}
    for split, fraction in (("test", test_fraction), ("val", val_fraction)):
        if split in splits.values():
            continue
        train = {name: labels[name] for name in splits if splits[name] == "train"}
        splits |= dict.fromkeys(hold_out(train, fraction, seed=seed, purpose=split), split)
    return splits


def hold_out(labels: Mapping[str, str | None], fraction: float, *, seed: int, purpose: str) -> set[str]:
    """Draw about `fraction` of the ids of each class, out of a mapping of id to class.

    Each class gives the rounded share of its members, at least one if it has two or more, and never its last one.
    The draw depends on `seed`, `purpose` and the ids alone. Raises `ConfigError` for a fraction outside 0 to 1.
    """
    if not 0 <= fraction < 1:
        raise ConfigError(f"the {purpose} fraction must be at least 0 and below 1, not {fraction}")
    classes: dict[str | None, list[str]] = defaultdict(list)
    for name, label in labels.items():
        classes[label].append(name)
    drawn: set[str] = set()
    for members in classes.values():
        wanted = 0 if fraction == 0 else max(1, int(len(members) * fraction + 0.5))
        ranked = sorted(members, key=lambda name: (_rank(name, seed, purpose), name))
        drawn.update(ranked[: min(wanted, len(members) - 1)])
    return drawn


def _rank(name: str, seed: int, purpose: str) -> bytes:
    return hashlib.sha256(f"{purpose}\0{seed}\0{name}".encode()).digest()
