"""What inputs a network accepts, and what it says about the others."""

import re

import pytest
import torch

from spikinghash.errors import ConfigError
from spikinghash.methods.spikinghash import SIZES, VARIANTS, Spikinghash, stage_grids


@pytest.mark.parametrize(
    ("size", "steps", "side", "grids"),
    [
        ("S", 4, 32, [32, 32, 16, 8]),
        ("M", 4, 32, [32, 32, 16, 8]),
        ("M-DVS", 8, 176, [88, 44, 22, 11]),
        ("L", 8, 176, [88, 44, 22, 11]),
        ("XL", 8, 176, [88, 44, 22, 11]),
        ("Ti", 16, 128, [64, 32, 16, 8]),
        ("Nano", 4, 32, [16, 8, 4, 2]),
    ],
)
def test_grids_of_the_paper(size, steps, side, grids):
    assert stage_grids(SIZES[size], steps, side, side) == [(g, g) for g in grids]


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 6, 10])
def test_steps_must_be_a_multiple_of_four(steps):
    with pytest.raises(ConfigError, match=rf"steps is {steps}: .*multiple of 4; set frames.steps to 4, 8 or 16"):
        stage_grids(SIZES["Nano"], steps, 32, 32)


@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize(
    ("height", "width"), [(20, 32), (32, 18), (30, 30), (8, 8), (24, 24), (36, 36), (40, 40), (34, 34)]
)
def test_a_refused_input_is_told_a_size_that_works(size, height, width):
    grids, said = None, ""
    try:
        grids = stage_grids(SIZES[size], 4, height, width)
    except ConfigError as error:
        said = str(error)
    if grids is None:
        assert "\n" not in said
        assert f"input {height}x{width}" in said
        unit = int(re.search(r"multiple of (\d+)$", said).group(1))
        assert height % unit or width % unit
        for side in (unit, 2 * unit, 3 * unit):
            stage_grids(SIZES[size], 4, side, side)
    else:
        with_blocks = [grid for grid, blocks in zip(grids[:2], SIZES[size].blocks, strict=False) if blocks]
        assert all(h % 4 == 0 and w % 4 == 0 for h, w in with_blocks)


def test_a_network_refuses_as_its_geometry_does():
    with pytest.raises(ConfigError, match="stage 2"):
        Spikinghash(SIZES["Nano"], bits=8, classes=2, steps=4, height=24, width=32)


def test_rectangles_are_fine():
    torch.manual_seed(0)
    network = Spikinghash(SIZES["Nano"], bits=8, classes=3, steps=4, height=16, width=48).eval()
    with torch.no_grad():
        out, logits = network(torch.ones(4, 2, 2, 16, 48))
    assert out.bits.shape == (2, 8)
    assert out.margin.shape == (2,)
    assert logits.shape == (2, 3)


@pytest.mark.parametrize("name", ["S", "M"])
def test_static_images_have_three_channels(name):
    torch.manual_seed(0)
    size = SIZES[name]
    network = Spikinghash(size, bits=16, classes=3, steps=4, height=8, width=8, channels=3).eval()
    with torch.no_grad():
        out, _ = network(torch.rand(4, 1, 3, 8, 8))
    assert out.codes.shape == (1, 16)


@pytest.mark.parametrize(("variant", "steps"), [("2d-swm", 3), ("all-ssa", 1), ("one-level", 2), ("rate", 4)])
def test_variants_ask_for_no_more_than_they_need(variant, steps):
    stage_grids(SIZES["Nano"], steps, 32, 32, VARIANTS[variant])
    if variant == "one-level":
        with pytest.raises(ConfigError, match="1 wavelet level needs a multiple of 2"):
            stage_grids(SIZES["Nano"], 3, 32, 32, VARIANTS[variant])


def test_a_classification_head_reads_the_time_mean_of_the_features():
    torch.manual_seed(0)
    network = Spikinghash(SIZES["Nano"], bits=0, classes=3, steps=4, height=16, width=16).eval()
    x = torch.ones(4, 2, 2, 16, 16)
    with torch.no_grad():
        assert torch.equal(network.classify(x), network.classifier(network.features(x).mean(0)))
    with pytest.raises(ConfigError, match="no hash layer"):
        network(x)
