"""Same input, same bits: the product's promise, for any batch, order and thread count."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from spikinghash.layers.conv import ConvNorm, ConvNormLIF
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.layers.firing import firing_rates
from spikinghash.layers.hash_layer import SpikingHashLayer
from spikinghash.layers.wavemixer import HighMixer, WaveMixer
from spikinghash.methods.spikinghash import SIZES, Spikinghash
from spikinghash.neurons.lif import LIF

CLIP = 8


def clips(n, seed=0):
    g = torch.Generator().manual_seed(seed)
    sparse = torch.rand(4, n, 2, 32, 32, generator=g) < 0.2
    return sparse * torch.randint(1, CLIP + 1, sparse.shape, generator=g).float()


def nano(trained):
    """A Nano whose norms know the data, optionally after violent training steps."""
    torch.manual_seed(3)
    network = Spikinghash(SIZES["Nano"], bits=32, classes=4, steps=4, height=32, width=32)
    x = clips(12, seed=9)
    if trained:
        optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
        for _ in range(4):
            out, logits = network(x)
            loss = nn.functional.cross_entropy(logits, torch.arange(12) % 4) + (out.codes.mean(0) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            assert math.isfinite(loss.item())
    with torch.no_grad():
        for name, m in network.named_modules():
            if isinstance(m, nn.BatchNorm2d):
                m.momentum = 1.0
            if name.endswith((".q.fire.norm", ".k.fire.norm", ".v.fire.norm")):
                m.bias.add_(1.0)  # so that attention has something to multiply
            if isinstance(m, WaveMixer):
                m.low.mul_(50.0)
        network(x)
        network.hash.linear.bias.add_(0.7)
    return network.eval()


@pytest.fixture(scope="module", params=["fresh", "trained"])
def pair(request):
    """A network before and after rounding."""
    torch.set_num_threads(1)
    before, after = nano(request.param == "trained"), nano(request.param == "trained")
    snap_to_grid(after, CLIP)
    return before, after


@torch.no_grad()
def run(network, x, batch):
    parts = [network(x[:, i : i + batch])[0] for i in range(0, x.shape[1], batch)]
    return [torch.cat([getattr(p, name) for p in parts]) for name in ("bits", "rate", "membrane", "margin")]


def test_any_batch_and_order_gives_the_same_bits(pair):
    _, network = pair
    x = clips(64)
    whole = run(network, x, 64)
    assert len(torch.unique(whole[0], dim=0)) > 16
    for batch in (1, 7):
        assert all(torch.equal(a, b) for a, b in zip(whole, run(network, x, batch), strict=True)), batch
    backwards = run(network, x.flip(1), 64)
    assert all(torch.equal(a, b.flip(0)) for a, b in zip(whole, backwards, strict=True))


def test_any_thread_count_gives_the_same_bits(pair):
    _, network = pair
    x = clips(9, seed=1)
    one = run(network, x, 9)
    torch.set_num_threads(2)
    for batch in (9, 2):
        assert all(torch.equal(a, b) for a, b in zip(one, run(network, x, batch), strict=True)), batch


def test_a_clip_alone_and_with_strangers(pair):
    _, network = pair
    x = clips(4, seed=2)
    crowd = x.clone()
    crowd[:, 1:] = CLIP
    assert all(torch.equal(a[0], b[0]) for a, b in zip(run(network, x, 4), run(network, crowd, 4), strict=True))


def finest_bit(values):
    """The largest power of two that divides all values."""
    bits = []
    for v in values[values != 0]:
        numerator, denominator = float(v).as_integer_ratio()
        bits.append((numerator & -numerator) / denominator)
    return min(bits)


def sums(network):
    """Every layer whose sums must be exact: weights as [outputs, summands], bias, largest input."""
    first = True
    for name, m in network.named_modules():
        if isinstance(m, nn.Conv2d):
            yield name, m.weight.flatten(1), m.bias, CLIP if first else 1
            first = False
        elif isinstance(m, HighMixer):
            for i, w in enumerate(m.channel):
                yield f"{name}.channel.{i}", w.transpose(1, 2).flatten(0, 1), None, 1


def test_the_law_of_exact_sums(pair):
    """All weights of a layer are multiples of one power of two, and no sum reaches 2^24 of it."""
    _, network = pair
    seen = 0
    for name, weight, bias, largest in sums(network):
        values = torch.cat([weight.detach().flatten(), *([] if bias is None else [bias.detach()])]).double()
        grid = finest_bit(values.numpy())
        worst = (weight.double().abs().sum(1) * largest + (0 if bias is None else bias.double().abs())).max()
        assert worst / grid < 2**24, name
        seen += 1
    assert seen == 29
    linear = network.hash.linear
    values = torch.cat([linear.weight.flatten(), linear.bias]).detach().double()
    assert values.abs().max() / finest_bit(values.numpy()) <= 2**16


def test_any_order_of_addition_gives_the_same_float32_sum(pair):
    before, after = pair
    rng = np.random.default_rng(0)

    def ordered_sums(network):
        results = set()
        weight = network.stages[3][0].conv.conv.weight.detach().flatten(1)[0].numpy()
        on = rng.random(weight.size) < 0.5
        state = rng.bit_generator.state
        for _ in range(20):
            total = np.float32(0)
            for w in rng.permutation(weight[on]):
                total = np.float32(total + w)
            results.add(float(total))
        rng.bit_generator.state = state
        return results

    assert len(ordered_sums(after)) == 1
    assert len(ordered_sums(before)) > 1  # so the check can fail


@torch.no_grad()
def test_rounding_is_gentle(pair):
    before, after = pair
    for (name, w0, b0, largest), (_, w1, b1, _) in zip(sums(before), sums(after), strict=True):
        peak = float(w0.abs().sum(1).max()) * largest
        if b0 is not None:
            peak = max(peak, float(b0.abs().max()))
            assert (b0 - b1).abs().max() <= peak * 2.0**-21, name
        assert (w0 - w1).abs().max() <= peak * 2.0**-21, name
    w0, w1 = before.hash.linear.weight, after.hash.linear.weight
    assert (w0 - w1).abs().max() <= max(w0.abs().max(), before.hash.linear.bias.abs().max()) * 2.0**-14
    others = {n: p for n, p in before.state_dict().items() if ".norm." in n or n.startswith("classifier")}
    assert others
    assert all(torch.equal(p, after.state_dict()[n]) for n, p in others.items())


def test_rounding_a_silent_layer():
    layer = SpikingHashLayer(4, 8)
    with torch.no_grad():
        layer.linear.weight.zero_()
        layer.linear.bias.zero_()
    snap_to_grid(layer, 1)
    assert layer.linear.weight.abs().sum() == 0


# firing rates


def test_firing_rates_are_named_and_measured():
    torch.manual_seed(0)
    network = nn.Sequential(
        LIF(1.0), ConvNormLIF(2, 3, 1, bias=False, v_th=0.3, surrogate="sigmoid"), ConvNorm(3, 2, 1)
    )
    x = torch.randn(4, 2, 2, 3, 3) * 2
    with firing_rates(network) as rates:
        network(x)
    spikes = network[0](x)
    network.train()
    assert rates == {"0": float(spikes.mean()), "1.fire": float(network[1](spikes).detach().mean())}
    assert 0 < rates["0"] < 1
    assert 0 < rates["1.fire"] < 1


def test_firing_rates_stop_with_the_block():
    network = nn.Sequential(LIF(1.0))
    with firing_rates(network) as rates:
        network(torch.full((2, 3), 5.0))
    network(torch.zeros(2, 3))
    assert rates == {"0": 1.0}
    with firing_rates(network), pytest.raises(AttributeError):
        network("no tensor")
    assert not network[0]._forward_hooks


def test_firing_rates_of_every_layer_of_a_network(pair):
    _, network = pair
    with firing_rates(network) as rates, torch.no_grad():
        network(clips(2))
    inner = {f"{n}.neuron" for n in rates}
    expected = {n for n, m in network.named_modules() if isinstance(m, LIF)} - {"hash.neuron"}
    assert {n for n in expected if n not in inner} <= set(rates)
    assert all(0.0 <= r <= 1.0 for r in rates.values())
    assert sum(r > 0 for r in rates.values()) > len(rates) / 2
