"""How many clips or pictures the data sets of the paper's recipes have, by preset."""

from __future__ import annotations

#: As their authors or readers count them: CIFAR (Krizhevsky, 2009), Tiny-ImageNet with labels, CIFAR10-DVS (Li et al.,
#: 2017), DVS128 Gesture cut as SpikingJelly does, HMDB51 (Kuehne et al., 2011), UCF101 (Soomro et al., 2012), HARDVS
#: (Wang et al., 2024).
CLIPS = {
    "cifar10": 60_000,
    "cifar100": 60_000,
    "tiny-imagenet": 110_000,
    "cifar10-dvs": 10_000,
    "dvs128-gesture": 1_464,
    "hmdb51-dvs": 6_766,
    "ucf101-dvs": 13_320,
    "hardvs": 107_646,
}
#: Names of classes, which size the classifier.
CLASSES = {
    "cifar10": 10, "cifar100": 100, "tiny-imagenet": 200, "cifar10-dvs": 10, "dvs128-gesture": 11, "hmdb51-dvs": 51,
    "ucf101-dvs": 101, "hardvs": 300,
}  # fmt: skip
