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
    is drawn if the data set states none, and then the validation split if it states none. Drawing is per class, and
    intervals of one file stay together, so that no test query shares its file with the database. Only where whole
    files would leave a class without validation (it has one file) are validation intervals drawn one by one.
    """
    known = {recording.recording_id: recording for recording in recordings}
    splits = {name: recording.split or "train" for name, recording in known.items()}
    for split, fraction in (("test", test_fraction), ("val", val_fraction)):
        if split in splits.values():
            continue
        train = [recording for name, recording in known.items() if splits[name] == "train"]
        drawn = _draw_files(train, fraction, seed=seed, purpose=split)
        if split == "val":
            labels = {recording.recording_id: recording.label for recording in train}
            single = hold_out(labels, fraction, seed=seed, purpose=split)
            drawn = single if {labels[name] for name in single} != {labels[name] for name in drawn} else drawn
        splits |= dict.fromkeys(drawn, split)
    return splits


def _draw_files(recordings: list[Recording], fraction: float, *, seed: int, purpose: str) -> set[str]:
    """Ids of all recordings in drawn files; a file's class is that of its recordings, or all of theirs together."""
    files: dict[str, list[Recording]] = defaultdict(list)
    for recording in recordings:
        files[recording.file].append(recording)
    classes: dict[str, str | None] = {}
    for file, some in files.items():
        names = sorted({recording.label for recording in some if recording.label is not None})
        classes[file] = "\0".join(names) if names else None
    drawn = hold_out(classes, fraction, seed=seed, purpose=purpose)
    return {recording.recording_id for file in drawn for recording in files[file]}


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
