"""Pictures at the input of a network: scaled on an exact grid, shown at every step, the same as T equal frames."""

import numpy as np
import pytest
import torch
from frame_specs import frame_spec

from spikinghash.codes.encoder import Encoder
from spikinghash.data.batch import labelled, to_network
from spikinghash.data.described import event_field
from spikinghash.data.picture import PictureFrame
from spikinghash.errors import ConfigError
from spikinghash.frames.crop_or_pad import crop_or_pad_pixels
from spikinghash.frames.framing import Framing
from spikinghash.inference.read_bits import read_bits
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.layers.input_encoding import repeat, scale
from spikinghash.methods.method import build
from spikinghash.methods.model_input import ModelInput
from spikinghash.methods.spec import ModelSpec
from spikinghash.training.checkpoint import load_model, save_model

META = PictureFrame(16, 16, resize=False).field()


def spec(method="spikinghash", size="Nano"):
    return frame_spec(
        method, size, 24, ("a", "b"), 4, 16, 16, (16, 16), 8, "sigmoid", META
    )  # fmt: skip


def pixels(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 3, 16, 16)).astype(np.uint8)


def as_input(frames):
    return to_network(torch.from_numpy(frames))


def test_pixels_become_multiples_of_a_64th_up_to_2():
    every = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 1, 16, 16).expand(1, 1, 3, 16, 16)
    scaled = scale(every)
    assert scaled.dtype == torch.float32
    assert torch.equal(scaled[0, 0, 0].ravel(), (torch.arange(256) - 128) / 64)
    assert spec().input.levels == int(scaled.abs().max() * 64)
    assert torch.equal(scale(every.float()), scaled)


def test_counts_of_events_are_left_alone():
    counts = torch.ones(4, 2, 2, 3, 3)
    assert scale(counts) is counts
    assert ModelSpec.from_json(spec().to_json()).input.channels == 3
    events = Framing(4).meta((16, 16))
    assert ModelInput(event_field(events), 16, 16, 8).channels == 2


def test_one_step_is_repeated_and_another_number_refused():
    x = torch.arange(6.0).reshape(1, 2, 3)
    assert torch.equal(repeat(x, 4), x.repeat(4, 1, 1))
    assert repeat(x.repeat(4, 1, 1), 4).shape == (4, 2, 3)
    with pytest.raises(ConfigError, match="clips of 2 steps for a network of 4"):
        repeat(x.repeat(2, 1, 1), 4)


@pytest.mark.parametrize("name", ["spikinghash", "spikingformer-cml", "timesformer", "hashnet"])
@pytest.mark.parametrize("training", [True, False])
def test_a_picture_is_the_same_as_a_clip_of_equal_frames(name, training):
    torch.manual_seed(0)
    m = build(spec(name)).train(training)
    x, labels = as_input(pixels(6)), torch.arange(6) % 2
    results = []
    for frames in (x, x.repeat(4, 1, 1, 1, 1)):
        m.zero_grad()
        result = m(labelled({"image": frames}, labels, 2))
        result.loss.backward()
        results.append((result.loss.detach(), [p.grad.clone() for p in m.parameters() if p.grad is not None]))
    torch.testing.assert_close(results[0][0], results[1][0], rtol=1e-5, atol=1e-6)
    for a, b in zip(results[0][1], results[1][1], strict=True):
        torch.testing.assert_close(a, b, rtol=2e-3, atol=2e-5)


def test_the_first_layer_pads_with_mid_grey():
    framed = crop_or_pad_pixels(pixels(1)[..., 4:12, 2:14], 16, 16)
    assert framed.dtype == np.uint8
    assert (framed[..., :4, :] == 128).all()
    assert np.array_equal(framed[..., 4:12, 2:14], pixels(1)[..., 4:12, 2:14])
    assert (scale(as_input(framed))[..., :4, :] == 0).all()
    assert np.array_equal(crop_or_pad_pixels(pixels(1), 8, 8), pixels(1)[..., 4:12, 4:12])


@pytest.fixture(scope="module", params=["Nano", "S"])
def model(request, tmp_path_factory):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    method = build(spec(size=request.param))
    for m in method.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.momentum = 1.0
    with torch.no_grad():
        method.network(as_input(pixels(12, 9)))
        method.network.hash.linear.bias.add_(0.5)
    snap_to_grid(method.network, spec().input.levels)
    folder = tmp_path_factory.mktemp("pictures")
    save_model(folder, spec(size=request.param), method.network, {})
    yield load_model(folder)
    torch.set_num_threads(before)


@pytest.mark.parametrize("batch", [1, 3, 7])
def test_codes_do_not_depend_on_the_batch(model, batch):
    x = pixels(17, seed=1)
    codes, margins = Encoder(model, batch=17).encode(x)
    assert len({row.tobytes() for row in codes}) > 3
    order = np.random.default_rng(2).permutation(17)
    again, margins_again = Encoder(model, batch=batch).encode(x[order])
    assert np.array_equal(codes[order], again)
    assert np.array_equal(margins[order], margins_again)


def test_codes_do_not_depend_on_the_threads(model):
    x = as_input(pixels(9, seed=3))
    before = read_bits(model.method, x)
    torch.set_num_threads(2)
    after = read_bits(model.method, x)
    torch.set_num_threads(1)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_first_sums_are_exact(model):
    """Convolution in float32, as it runs, against float64."""
    layer = model.method.network.stem
    x = scale(as_input(pixels(3, seed=4)))
    with torch.no_grad():
        fast = torch.nn.functional.conv2d(x[0], layer.conv.weight, layer.conv.bias, padding=1)
        exact = torch.nn.functional.conv2d(
            x[0].double(), layer.conv.weight.double(), layer.conv.bias and layer.conv.bias.double(), padding=1
        )
        assert torch.equal(fast.double(), exact)
