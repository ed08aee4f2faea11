"""Baselines: published parameter counts, and as many weights as Spikinghash-Nano or more."""

import pytest
import torch
from slow_oracles import parameter_count

from spikinghash.errors import ConfigError
from spikinghash.methods.hashnet import SIZES as HASHNET
from spikinghash.methods.hashnet import HashNet
from spikinghash.methods.spikingformer import SIZES as FORMER
from spikinghash.methods.spikingformer import Spikingformer
from spikinghash.methods.spikinghash import SIZES, Spikinghash
from spikinghash.methods.timesformer import SIZES as VIDEO
from spikinghash.methods.timesformer import DividedBlock, TimeSformer


@pytest.mark.parametrize(
    ("size", "polarities", "classes", "published"),
    [("4-384", 3, 10, 9_326_266), ("4-512", 2, 101, 16_603_749)],
)
def test_spikingformer_has_the_published_count(size, polarities, classes, published):
    """9.32 M (CIFAR10) and 16.60 M (UCF101-DVS), with a linear head; each published block also holds two LayerNorms
    that it does not use, 4 D values.
    """
    s = FORMER[size]
    model = Spikingformer(s, bits=64, classes=classes, steps=4, channels=polarities, surrogate="sigmoid")
    body = parameter_count(model) - parameter_count(model.hash) - parameter_count(model.classifier)
    assert body + s.width * classes + classes + s.blocks * 4 * s.width == published


def test_timesformer_base_has_about_the_published_count():
    """121.2 M in table VI for 8 frames of 224 x 224 and 3 channels."""
    with torch.device("meta"):
        model = TimeSformer(VIDEO["Base"], bits=64, classes=300, steps=8, height=224, width=224, channels=3)
    assert parameter_count(model) == pytest.approx(121.2e6, rel=0.01)


def test_no_baseline_has_fewer_weights_than_spikinghash_nano():
    ours = parameter_count(Spikinghash(SIZES["Nano"], bits=64, classes=10, steps=4, height=32, width=32))
    baselines = [
        Spikingformer(FORMER["Nano"], bits=64, classes=10, steps=4, surrogate="atan"),
        TimeSformer(VIDEO["Nano"], bits=64, classes=10, steps=4, height=32, width=32),
        HashNet(HASHNET["Nano"], bits=64, classes=10, steps=4),
    ]
    assert all(ours <= parameter_count(model) <= 1.2 * ours for model in baselines)


def test_time_attention_stays_at_a_place_and_space_attention_at_a_time():
    """Divided attention: one block carries a change at (t, n) to its row and column, not beyond."""
    torch.manual_seed(0)
    block = DividedBlock(VIDEO["Nano"]).eval()
    x = torch.randn(1, 3, 4, 64)
    y = x.clone()
    y[0, 1, 2] += 1.0
    block.space.project.weight.data.zero_()
    block.space.project.bias.data.zero_()
    changed = (block(x) - block(y)).abs().sum(-1)[0] > 1e-6
    assert changed.nonzero().tolist() == [[t, 2] for t in range(3)]


def test_inputs_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match="multiple of 4"):
        TimeSformer(VIDEO["Nano"], bits=8, classes=2, steps=4, height=30, width=32)
