"""Published and reconstructed parameter counts: architecture.md section 1 and the per-layer table of section 3."""

from dataclasses import replace

import pytest
import torch
from slow_oracles import parameter_count

from spikinghash.layers.hash_layer import SpikingHashLayer
from spikinghash.methods.spikinghash import SIZES, Spikinghash

S, TI, DVS = (4, 32, 3), (16, 128, 2), (8, 176, 2)  # steps, height = width, polarities


def build(size, geometry, bits=64, classes=10):
    steps, side, polarities = geometry
    return Spikinghash(size, bits=bits, classes=classes, steps=steps, height=side, width=side, channels=polarities)


def body(model):
    return parameter_count(model) - parameter_count(model.hash) - parameter_count(model.classifier)


@pytest.mark.parametrize(
    ("size", "geometry", "classes", "count"),
    [
        ("S", S, 10, 3_871_642),
        ("M", S, 100, 6_238_324),
        ("M", S, 200, 6_276_824),
        ("M-DVS", DVS, 101, 6_495_569),
        ("L", DVS, 101, 9_034_609),
        ("XL", DVS, 101, 11_298_929),
        ("Ti", TI, 10, 1_982_858),
        ("Ti", TI, 11, 1_983_115),
    ],
)
def test_with_a_classification_head(size, geometry, classes, count):
    assert parameter_count(build(SIZES[size], geometry, bits=0, classes=classes)) == count


@pytest.mark.parametrize(
    ("size", "geometry", "classes", "counts"),
    [
        ("S", S, 10, {16: 3_874_122, 32: 3_880_442, 48: 3_886_762, 64: 3_893_082}),
        ("M", S, 10, {16: 6_206_154, 32: 6_212_474, 48: 6_218_794, 64: 6_225_114}),
        ("M-DVS", DVS, 101, {64: 6_487_889, 128: 6_518_993, 256: 6_581_201}),
        ("L", DVS, 101, {64: 9_022_193, 128: 9_061_489, 256: 9_140_081}),
        ("XL", DVS, 101, {64: 11_286_513, 128: 11_325_809, 256: 11_404_401}),
    ],
)
def test_with_a_hash_head(size, geometry, classes, counts):
    smallest = min(counts)
    model = build(SIZES[size], geometry, bits=smallest, classes=classes)
    assert parameter_count(model) == counts[smallest]
    for bits, count in counts.items():
        head = SpikingHashLayer(SIZES[size].widths[3], bits)
        assert body(model) + parameter_count(head) + parameter_count(torch.nn.Linear(bits, classes)) == count


def test_the_released_file():
    """Spikinghash-L, 64 bits, 8 / 8 groups, 176 x 176: the only published artefact."""
    assert parameter_count(build(replace(SIZES["L"], groups=(8, 8)), DVS, bits=64, classes=101)) == 9_050_865


@pytest.mark.parametrize(
    ("size", "geometry", "stem", "down", "mixers", "mlps"),
    [
        ("S", S, 1_392, (41_664, 166_272, 332_160, 664_320), (20_736, 42_624, 149_184, 593_280),
         (75_168, 297_792, 297_792, 1_185_408)),
        ("M-DVS", DVS, 960, (41_664, 166_272, 664_320, 1_327_872), (226_032, 99_228, 593_280, 593_280),
         (75_168, 297_792, 1_185_408, 1_185_408)),
        ("L", DVS, 1_280, (73_984, 295_424, 885_504, 1_770_496), (252_528, 105_756, 593_280, 1_053_184),
         (132_992, 528_128, 1_185_408, 2_104_832)),
        ("XL", DVS, 1_280, (73_984, 295_424, 1_180_672, 2_360_320), (252_528, 105_756, 1_053_184, 1_053_184),
         (132_992, 528_128, 2_104_832, 2_104_832)),
    ],
)  # fmt: skip
def test_layer_by_layer(size, geometry, stem, down, mixers, mlps):
    model = build(SIZES[size], geometry)
    assert parameter_count(model.stem) == stem
    assert tuple(parameter_count(stage[0]) for stage in model.stages) == down
    assert tuple(parameter_count(stage[1].mixer) for stage in model.stages) == mixers
    assert tuple(parameter_count(stage[1].mlp) for stage in model.stages) == mlps


@pytest.mark.parametrize(
    ("size", "side", "counts"),
    [
        ("S", 32, ((6_144, 7_168, 896), (12_288, 7_168, 896))),
        ("M-DVS", 176, ((92_928, 108_416, 13_552), (46_464, 27_104, 3_388))),
    ],
)
def test_w1_w2_w3(size, side, counts):
    steps, polarities = (4, 3) if size == "S" else (8, 2)
    model = build(SIZES[size], (steps, side, polarities))
    for stage, expected in zip(model.stages, counts, strict=False):
        mixer = stage[1].mixer
        tokens = (sum(p.numel() for p in part.token) for part in (mixer.high1, mixer.high2))
        assert (mixer.low.numel(), *tokens) == expected
