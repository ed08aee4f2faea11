"""Methods that are solved, not trained, against the definitions of what they solve."""

import numpy as np
import pytest
import torch
from pair_set import WIDTHS, features, pair_set, partner_rank

from spikinghash.data.dataset import Field, SampleDataset
from spikinghash.data.label_sets import LabelSets
from spikinghash.data.samples import SampleArray
from spikinghash.errors import ConfigError
from spikinghash.methods.cca import CcaOptions, cca, cca_itq
from spikinghash.methods.input_vectors import input_vectors, vector_width
from spikinghash.methods.itq import ItqOptions, PairedItqOptions, itq, paired_itq
from spikinghash.methods.lsh import LshOptions, lsh
from spikinghash.methods.moments import moments, spread
from spikinghash.methods.options import options_of
from spikinghash.methods.rotation import itq_rotation, random_rotation


def tensors(rows=200, seed=0):
    return {name: torch.from_numpy(x) for name, x in features(rows, seed)[1].items()}


def fitted(method, train=None):
    method.fit(pair_set() if train is None else train)
    return method.eval()


@pytest.mark.parametrize("sizes", [(7, 5, 3), (1, 9)])
def test_moments_in_blocks(sizes):
    x = np.random.default_rng(0).standard_normal((sum(sizes), 4)) + 1000
    x[:, 2] = 3.7
    found = moments(torch.from_numpy(x).split(sizes))
    seen = spread(torch.from_numpy(x).split(sizes))
    assert np.allclose(found.covariance, np.cov(x.T, bias=True), atol=1e-9)
    for one in (found, seen):
        assert np.allclose(one.mean, x.mean(0))
        expected = x.std(0)
        expected[2] = 1
        assert np.allclose(one.deviation, expected)


@pytest.mark.parametrize("scale", ["none", "unit", "standardise"])
def test_canonical_variates_are_white_and_correlate_pair_by_pair_alone(scale):
    method = fitted(cca(WIDTHS, 4, 1, CcaOptions(scale=scale, ridge=1e-9), "full"))
    a, b = (score.double().numpy() for score in method.network(tensors()).values())
    for one in (a, b):
        assert np.allclose(one.mean(0), 0, atol=1e-4)
        assert np.allclose(np.cov(one.T, bias=True), np.eye(4), atol=1e-3)
    cross = a.T @ b / len(a)
    assert np.allclose(cross, np.diag(cross.diagonal()), atol=1e-3)
    assert (np.diff(cross.diagonal()) <= 0).all()
    # six factors are shared
    assert cross.diagonal().min() > 0.8


def test_scaled_variates_are_variates_times_powers_rotated():
    plain = fitted(cca(WIDTHS, 8, 1, CcaOptions(), "full")).network
    rotated = fitted(cca_itq(WIDTHS, 8, 1, CcaOptions(power=2.0), "full")).network
    x, y = (score.double() for score in plain(tensors()).values())
    rho = (x * y).mean(0) / 1.0
    a, b = (score.double() for score in rotated(tensors()).values())
    # a rotation leaves all inner products; the ridge shrinks correlations of variates a little
    expected = (x * rho**2) @ (y * rho**2).T
    assert np.corrcoef((a @ b.T).flatten(), expected.flatten())[0, 1] > 0.999
    assert torch.linalg.matrix_rank(a) == 8


def test_itq_rotation_lowers_its_error_and_is_a_rotation():
    values = torch.randn(500, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * torch.arange(1, 9)
    rotation = itq_rotation(values, 0)
    assert torch.allclose(rotation @ rotation.T, torch.eye(8).double(), atol=1e-9)

    def error(r):
        return float(((values @ r).sign() - values @ r).square().mean())

    assert error(rotation) < min(error(random_rotation(8, seed)) for seed in range(20))
    assert torch.equal(rotation, itq_rotation(values, 0))


def test_itq_finds_the_corners_of_a_turned_cube():
    g = torch.Generator().manual_seed(0)
    corners = torch.where(torch.rand(400, 4, generator=g) < 0.5, -1.0, 1.0).double()
    turned = corners @ random_rotation(4, 3)
    best = min(float(((turned @ r).abs() - 1).abs().mean()) for r in (itq_rotation(turned, s) for s in range(5)))
    assert best < 1e-6


@pytest.mark.parametrize("build", [cca, cca_itq])
def test_codes_of_one_input_find_its_partner(build):
    assert partner_rank(fitted(build(WIDTHS, 16, 1, CcaOptions(scale="standardise"), "full"))) < 0.2


def test_pairs_have_one_code_and_need_both_inputs():
    method = fitted(paired_itq(WIDTHS, 16, 1, PairedItqOptions(), "full"))
    both = method.hash(tensors())
    assert torch.equal(both["image"].bits, both["text"].bits)
    assert both["image"].bits.float().mean() == pytest.approx(0.5, abs=0.1)
    with pytest.raises(ConfigError, match="give both"):
        method.hash({"image": tensors()["image"]})


@pytest.mark.parametrize("scale", ["none", "unit", "standardise"])
def test_hyperplanes_keep_angles(scale):
    """The share of bits that differ is the angle over pi (Goemans and Williamson)."""
    method = fitted(lsh({"text": 20}, 4096, 1, LshOptions(scale=scale), "full"), pair_set(names=("text",)))
    x = tensors()["text"].double().numpy()
    x = x / np.linalg.norm(x, axis=1, keepdims=True) if scale == "unit" else x
    x = (x - x.mean(0)) / (x.std(0) if scale == "standardise" else 1)
    bits = method.hash(tensors())["text"].bits.numpy()
    angle = np.arccos((x[0] @ x[1:].T) / np.linalg.norm(x[0]) / np.linalg.norm(x[1:], axis=1)) / np.pi
    assert np.abs((bits[0] != bits[1:]).mean(1) - angle).max() < 0.05


def test_itq_takes_what_has_no_label():
    train = pair_set(names=("image",))
    train.labels = LabelSets.of([[] for _ in range(len(train))], 1)
    method = fitted(itq({"image": 24}, 16, 1, ItqOptions(), "full"), train)
    assert method.hash(tensors())["image"].bits.shape == (200, 16)


def test_event_clips_and_pictures_become_vectors():
    clips = torch.zeros(3, 2, 2, 64, 40)
    clips[:, 0, 1, 10, 4] = 5
    vectors = input_vectors(clips)
    assert vectors.shape == (2, vector_width((3, 2, 64, 40)))
    image = vectors.view(2, 2, 32, 32)
    assert image[0, 1, 5].argmax() in (3, 4)
    assert float(vectors[0].norm()) == pytest.approx(1)
    assert vectors[1].abs().sum() == 0
    picture = torch.arange(2 * 3 * 8 * 8, dtype=torch.uint8).view(2, 3, 8, 8)
    whole = input_vectors(picture)
    assert whole.shape == (2, vector_width((3, 8, 8)))
    assert torch.allclose(whole.mean(1), torch.zeros(2), atol=1e-4)
    assert torch.allclose(whole[0] - whole[0, 0], picture[0].flatten().float())
    with pytest.raises(ConfigError, match="takes events"):
        input_vectors(torch.zeros(3))


def test_event_clips_are_hashed_without_labels():
    rng = np.random.default_rng(0)
    clips = rng.poisson(0.3, (60, 2, 2, 8, 8)).astype(np.uint8)
    clips[30:, :, :, :4] += 9
    train = SampleDataset({"events": Field(SampleArray(clips))}, LabelSets.of([[]] * 60, 1))
    for build, options in ((lsh, LshOptions()), (itq, ItqOptions())):
        method = fitted(build({"events": vector_width((2, 2, 8, 8))}, 32, 1, options, "full"), train)
        bits = method.hash({"events": torch.from_numpy(clips).transpose(0, 1)})["events"].bits.float()
        distance = torch.cdist(bits, bits, p=1)
        assert distance[:30, :30].mean() < 0.8 * distance[:30, 30:].mean()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: cca({"image": 24}, 8, 1, CcaOptions(), "full"), "two modalities"),
        (lambda: cca(WIDTHS, 24, 1, CcaOptions(), "full"), "at most 20 bits"),
        (lambda: itq(WIDTHS, 8, 1, ItqOptions(), "full"), "one modality"),
        (lambda: itq({"text": 20}, 24, 1, ItqOptions(), "full"), "at most 20 bits"),
        (lambda: lsh(WIDTHS, 8, 1, LshOptions(), "full"), "one modality"),
        (lambda: options_of(LshOptions, {"scale": "half"}, "lsh"), "option scale of lsh"),
        (lambda: CcaOptions(ridge=0.0), "ridge above 0"),
        (lambda: fitted(lsh({"text": 20}, 8, 1, LshOptions(), "full"), pair_set(1)), "at least 2"),
    ],
)
def test_what_cannot_be_is_one_line(make, words):
    with pytest.raises(ConfigError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)
