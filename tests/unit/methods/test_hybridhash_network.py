"""Sizes of HybridHash as its authors measured them, and where its parts look."""

import pytest
import torch
from slow_oracles import parameter_count

from spikinghash.errors import ConfigError
from spikinghash.evaluation.energy import estimate_energy
from spikinghash.methods.hybridhash.geometry import Geometry, geometry_of
from spikinghash.methods.hybridhash.hash_head import HashHead
from spikinghash.methods.hybridhash.interaction import BlockAttention, Interaction
from spikinghash.methods.hybridhash.nested_level import NestedLevel, blockify, deblockify
from spikinghash.methods.hybridhash.network import HybridHashNetwork
from spikinghash.methods.hybridhash.options import HybridHashOptions
from spikinghash.methods.hybridhash.stochastic_depth import StochasticDepth


def network(side=224, bits=64, interacts=True, **options):
    torch.manual_seed(0)
    return HybridHashNetwork(geometry_of(side, side), bits, HybridHashOptions(**options), interacts=interacts)


@pytest.mark.parametrize(
    ("bits", "interacts", "millions"),
    [(16, True, 55.57), (32, True, 55.59), (48, True, 55.61), (64, True, 55.62), (64, False, 51.74)],
)
def test_parameters_of_the_authors_log(bits, interacts, millions):
    with torch.device("meta"):
        found = parameter_count(network(bits=bits, interacts=interacts))
    assert found / 1e6 == pytest.approx(millions, rel=0.002)


@pytest.mark.parametrize(
    ("side", "options", "interacts", "dense", "attention"),
    [
        (224, {}, True, 14.108e9, 1.062e9),
        (224, {}, False, 12.25e9, 1.062e9),
        (32, {"width": 32, "depths": (1, 1, 2)}, True, 25.36e6, 0.56e6),
    ],
)
def test_operations(side, options, interacts, dense, attention):
    """Products of attention are of a kind of their own, for counters of others leave them out."""
    made = network(side, interacts=interacts, **options).eval()
    energy = estimate_energy(made, {"image": torch.zeros(1, 3, side, side, dtype=torch.uint8)})
    macs = {kind: sum(one.macs for one in energy.layers if (one.kind == "attention") == kind) for kind in (True, False)}
    assert macs[False] == pytest.approx(dense, rel=0.005)
    assert macs[True] == pytest.approx(attention, rel=0.005)


@pytest.mark.parametrize(
    ("side", "geometry"),
    [(16, (2, 2)), (32, (2, 4)), (64, (2, 8)), (128, (4, 8)), (224, (4, 14)), (256, (4, 16))],
)
def test_geometry_follows_from_the_side(side, geometry):
    assert geometry_of(side, side) == Geometry(*geometry)


@pytest.mark.parametrize("size", [(32, 48), (8, 8), (36, 36), (200, 200), (2, 2)])
def test_a_picture_that_blocks_do_not_tile_is_refused_with_sides_that_they_do(size):
    with pytest.raises(
        ConfigError, match=r"^hybridhash: input \d+x\d+ is not 4x4 .* multiple of (8|16), (16|32) or more$"
    ):
        geometry_of(*size)


def test_blocks_are_squares_of_the_map():
    x = torch.arange(2 * 3 * 12 * 12).reshape(2, 3, 12, 12).float()
    blocks = blockify(x, 4)
    assert blocks.shape == (2, 9, 16, 3)
    for row in range(12):
        for column in range(12):
            found = blocks[:, (row // 4) * 3 + column // 4, (row % 4) * 4 + column % 4]
            assert torch.equal(found, x[:, :, row, column])
    assert torch.equal(deblockify(blocks, 4), x)


def reached(module, x):
    """Where the output changes when the upper left place does: bool [H, W]."""
    other = x.clone()
    other[:, :, 0, 0] += 5
    with torch.no_grad():
        return (module(x) != module(other)).any(0).any(0)


def test_a_level_looks_within_blocks():
    torch.manual_seed(0)
    found = reached(NestedLevel(8, 4, 16, 3, [0.0, 0.0]).eval(), torch.randn(2, 8, 12, 12))
    expected = torch.zeros(12, 12, dtype=torch.bool)
    expected[:3, :3] = True
    assert torch.equal(found, expected)


@pytest.mark.parametrize("interacts", [True, False])
def test_an_interaction_lets_far_blocks_hear_of_each_other(interacts):
    torch.manual_seed(0)
    module = Interaction(8, 16, 16, 3, interacts=interacts).eval()
    found = reached(module, torch.randn(2, 8, 12, 12))
    assert found.shape == (6, 6)
    assert found[0, 0]
    assert bool(found[5, 5]) == interacts


def placed(*arguments):
    """Attention over blocks whose places, which start as zeros, are told apart."""
    torch.manual_seed(0)
    module = BlockAttention(*arguments).eval()
    torch.nn.init.normal_(module.place)
    return module


def test_a_block_hears_the_same_at_all_of_its_places_but_between_blocks():
    module, x = placed(16, 4, 4), torch.randn(2, 16, 8, 8)
    with torch.no_grad():
        found = module(x)
        means = x.reshape(2, 16, 2, 4, 2, 4).mean((3, 5)).reshape(2, 16, 4).transpose(1, 2)
        heard = module.attention(means + module.place).transpose(1, 2).reshape(2, 16, 2, 2)
    # half a block from the border bilinear weights are all the block's own
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        corner = found[:, :, -row, -column]
        assert torch.allclose(corner, heard[:, :, row, column], atol=1e-5)


def test_one_block_alone_is_heard_as_a_linear_map_of_its_mean():
    module, x = placed(16, 1, 4), torch.randn(3, 16, 4, 4)
    qkv, project = module.attention.qkv, module.attention.project
    with torch.no_grad():
        value = (x.mean((2, 3)) + module.place[:, 0]) @ qkv.weight[32:].T + qkv.bias[32:]
        expected = value @ project.weight.T + project.bias
        assert torch.allclose(module(x), expected[:, :, None, None].expand(3, 16, 4, 4), atol=1e-5)


@pytest.mark.parametrize("interacts", [True, False])
def test_the_hash_layer_sums_what_is_near_and_what_is_far(interacts):
    torch.manual_seed(0)
    module, x = HashHead(16, 8, 1, 4, interacts=interacts).eval(), torch.randn(3, 16, 4, 4)
    with torch.no_grad():
        y = module.local[1](module.local[0](x)) + (module.across(x) if interacts else 0)
        pooled = torch.nn.functional.max_pool2d(y, 3, 2, 1)
        weight, bias = module.project.weight[:, :, 0, 0], module.project.bias
        assert torch.allclose(module(x), (pooled.mean((2, 3)) @ weight.T + bias).tanh(), atol=1e-5)
    assert (module.across is not None) == interacts


def test_depth_is_dropped_by_sample_in_training_alone_and_more_so_the_deeper():
    module = StochasticDepth(0.25)
    branch = torch.ones(4000, 3, 2)
    torch.manual_seed(0)
    seen = module(branch)
    assert seen.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (seen == seen[:, :1, :1]).all()
    assert float((seen == 0).float().mean()) == pytest.approx(0.25, abs=0.03)
    assert torch.equal(module.eval()(branch), branch)
    made = network(32, width=8, depths=(1, 2, 2), drop_path=0.4)
    rates = [m.rate for m in made.modules() if isinstance(m, StochasticDepth)]
    assert rates == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


def test_pixels_are_normed_as_those_of_imagenet():
    made = network(16, width=8, depths=(1, 1, 1)).eval()
    seen = []
    made.patch.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    pixels = torch.randint(0, 256, (2, 3, 16, 16), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    made({"image": pixels})
    for channel, (mean, deviation) in enumerate([(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)]):
        expected = (pixels[:, channel] / 255 - mean) / deviation
        assert torch.allclose(seen[0][:, channel], expected, atol=1e-5)
    assert not [name for name in made.state_dict() if "mean" in name or "deviation" in name]
