"""Tiny trees of the paper's data sets, in the layouts that users download and at the real sensors' geometry."""

import csv
import io
import sys
from functools import partial
from pathlib import Path

import numpy as np
from image_files import cifar10, cifar100, put, tiny_imagenet

sys.path.insert(0, str(Path(__file__).parent / "unit/events"))
from event_writers import aedat2, mat, npz

#: Events of one recording, and its length.
EVENTS, LENGTH_US = 3000, 1_000_000


def recording(number, sensor):
    """Columns t, x, y, p of events along an edge that moves right or, for odd numbers, down."""
    rng = np.random.default_rng(number)
    width, height = sensor
    t = np.sort(rng.integers(0, LENGTH_US, EVENTS))
    along = t / LENGTH_US
    x, y = rng.integers(0, width, EVENTS), rng.integers(0, height, EVENTS)
    if number % 2:
        y = np.clip(along * height + rng.normal(0, 3, EVENTS), 0, height - 1).astype(np.int64)
    else:
        x = np.clip(along * width + rng.normal(0, 3, EVENTS), 0, width - 1).astype(np.int64)
    return t, x, y, rng.integers(0, 2, EVENTS)


def cifar10_dvs(root):
    for number in range(8):
        name = ("airplane", "truck")[number % 2]
        put(root / name / f"cifar10_{name}_{number // 2}.aedat", aedat2(*recording(number, (128, 128))))


def dvs128_gesture(root):
    """As SpikingJelly cuts it."""
    for number in range(8):
        split, kind = ("test" if number > 5 else "train"), number % 2
        name = f"user{number + 1:02d}_led_{kind}.npz"
        put(root / "events_np" / split / str(kind) / name, npz(*recording(number, (128, 128))))


def ucf101_dvs(root):
    listed = io.StringIO()
    for number in range(8):
        kind = ("ApplyEyeMakeup", "Billiards")[number % 2]
        stem = f"v_{kind}_g{number + 1:02d}_c01"
        put(root / kind / f"{stem}.mat", mat(*recording(number, (240, 180))))
        if number > 5:
            csv.writer(listed, lineterminator="\n").writerow([f"{kind}/{stem}.avi"])
    put(root / "testlist01.txt", listed.getvalue().encode())


def hmdb51_dvs(root):
    for number in range(8):
        kind = ("brush_hair", "wave")[number % 2]
        put(root / kind / f"clip_{number:02d}.mat", mat(*recording(number, (240, 180))))


def hardvs(root):
    lists = {"train": range(4), "val": range(4, 6), "test": range(6, 8)}
    for split, numbers in lists.items():
        names = [f"action_{number % 2 + 1:03d}/dvSave-2021_10_15_10_32_{number:02d}" for number in numbers]
        put(root / f"{split}_label.txt", "".join(f"{name} {name[7:10]}\n" for name in names).encode())
        for name, number in zip(names, numbers, strict=True):
            put(root / "MINI_HARDVS_files" / f"{name}.npz", npz(*recording(number, (346, 260))))


#: By preset: what writes the tree at `dataset.path`.
TREES = {
    "cifar10": partial(cifar10, count=4), "cifar100": partial(cifar100, count=8),
    "tiny-imagenet": partial(tiny_imagenet, count=8), "cifar10-dvs": cifar10_dvs, "dvs128-gesture": dvs128_gesture,
    "hmdb51-dvs": hmdb51_dvs, "ucf101-dvs": ucf101_dvs, "hardvs": hardvs,
}  # fmt: skip
