"""HybridHash as a method: its loss, its memory, its codes and its options."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from picture_classes import picture_batch, picture_set, picture_spec, pictures

from spikinghash.data.batch import labelled
from spikinghash.errors import ConfigError
from spikinghash.losses.weighted_maximum_likelihood import weighted_maximum_likelihood
from spikinghash.methods.method import build
from spikinghash.training.checkpoint import WEIGHTS, load_model, save_model
from spikinghash.training.loop import TrainingData, run
from spikinghash.training.recipe import Recipe


def made(seed=0, **changes):
    torch.manual_seed(seed)
    method = build(picture_spec(**changes)).train()
    method.fit(picture_set(96))
    return method


def scores(method, batch):
    with torch.no_grad():
        return method.network(batch.inputs)["image"]


def loss_of(method, batch):
    return float(method(batch).loss.detach())


def test_the_first_loss_is_of_the_first_batch_alone():
    """What no step has seen is no pair: the other 90 rows do not count as dissimilar."""
    method, batch = made(), picture_batch(6)
    u = scores(method, batch)
    expected = weighted_maximum_likelihood(u, batch.targets, u, batch.targets, 0.5)
    assert loss_of(method, batch) == pytest.approx(float(expected), rel=1e-5)


def test_the_bank_keeps_what_each_row_last_was():
    method = made()
    first, second, again = picture_batch(6), picture_batch(6, 1, first=6), picture_batch(6, 2, first=3)
    u, v, w = (scores(method, batch) for batch in (first, second, again))
    for batch in (first, second):
        method(batch)
    loss = loss_of(method, again)
    bank = torch.cat([u[:3], w, v[3:]])
    targets = torch.cat([first.targets[:3], again.targets, second.targets[3:]])
    assert loss == pytest.approx(float(weighted_maximum_likelihood(w, again.targets, bank, targets, 0.5)), rel=1e-5)
    assert method.bank.scores.dtype == torch.float32
    assert int(method.bank.seen.sum()) == 12
    assert len(method.bank) == 96


def test_gradients_do_not_reach_what_is_remembered():
    method, batch = made(), picture_batch(6)
    method(batch).loss.backward()
    assert not method.bank.scores.requires_grad
    method(batch).loss.backward()


def test_alpha_scales_inner_products():
    batch, losses = picture_batch(6), []
    for alpha in (0.5, 2.0):
        method = made(alpha=alpha)
        u = scores(method, batch)
        losses.append(loss_of(method, batch))
        assert losses[-1] == pytest.approx(
            float(weighted_maximum_likelihood(u, batch.targets, u, batch.targets, alpha)), rel=1e-5
        )
    assert losses[0] != losses[1]


def test_inference_leaves_the_bank_alone():
    method, batch = made(), picture_batch(6)
    method(batch)
    before = copy.deepcopy(method.bank.state_dict())
    method.eval()
    method(picture_batch(6, 1))
    method.hash(batch.inputs)
    assert all(torch.equal(value, before[name]) for name, value in method.bank.state_dict().items())


def test_a_state_brings_its_bank_to_a_method_that_was_not_fitted():
    method = made()
    method(picture_batch(6))
    fresh = build(picture_spec())
    fresh.load_state_dict(method.state_dict())
    assert all(torch.equal(value, fresh.state_dict()[name]) for name, value in method.state_dict().items())
    other = build(picture_spec(bits=8))
    with pytest.raises(RuntimeError, match="size mismatch"):
        other.load_state_dict(method.state_dict())


def test_the_memory_is_no_weight(tmp_path):
    method = made(classification=1.0)
    method(picture_batch(6))
    assert not [name for name in method.network.state_dict() if "bank" in name or "classifier" in name]
    save_model(tmp_path, picture_spec(classification=1.0), method.network, {})
    weights = sum(4 * p.numel() for p in method.network.parameters())
    assert (tmp_path / WEIGHTS).stat().st_size < weights + 20_000
    assert len(load_model(tmp_path).method.bank) == 0


def test_a_new_training_set_is_a_new_memory():
    method = made()
    method(picture_batch(6))
    method.fit(picture_set(12))
    assert len(method.bank) == 12
    assert not method.bank.seen.any()


@pytest.mark.parametrize("variant", ["full", "no-interaction"])
def test_it_learns_pictures_of_classes(variant):
    method, train = made(variant=variant), picture_set(96)
    recipe = Recipe(epochs=6, batch=24, lr=3e-3, seed=1, optimiser="adamw", select="last")
    run(method, TrainingData(train, picture_set(24, 3)), recipe, lambda record, save: None)
    pixels, numbers = pictures(60, 7)
    bits = method.eval().hash({"image": pixels})["image"].bits.float()
    distance, same = torch.cdist(bits, bits, p=1), numbers[:, None] == numbers[None]
    assert distance[same].mean() < 0.3 * distance[~same].mean()


def test_a_score_of_zero_is_a_bit_of_zero():
    method = made().eval()
    torch.nn.init.zeros_(method.network.hash.project.weight)
    torch.nn.init.zeros_(method.network.hash.project.bias)
    bits, margin = method.hash(picture_batch(4).inputs)["image"]
    assert not bits.any()
    assert not margin.any()


def test_a_classifier_is_there_where_it_weighs_something():
    batch = picture_batch(6)
    plain = made()(batch)
    assert plain.correct is None
    assert "class_loss" not in plain.parts
    method = made(classification=0.5)
    result = method(batch)
    assert float(result.loss.detach()) == pytest.approx(
        float(result.parts["likelihood"] + 0.5 * result.parts["class_loss"]), rel=1e-5
    )
    logits = method.classifier(scores(method, batch)).detach()
    expected = torch.nn.functional.cross_entropy(logits, torch.arange(6) % 3)
    assert float(result.parts["class_loss"]) == pytest.approx(float(expected), rel=1e-5)
    assert torch.equal(result.correct, logits.argmax(1) == torch.arange(6) % 3)


def test_samples_may_have_several_labels_or_none():
    batch = picture_batch(6)
    targets = torch.tensor([[1, 1, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 1]]).float()
    result = made(classification=0.5)(replace(batch, targets=targets))
    assert torch.isfinite(result.loss)
    assert not result.correct[2]


def test_autocast_remembers_in_float32():
    method = made()
    with torch.autocast("cpu", torch.bfloat16):
        loss = method(picture_batch(6)).loss
    assert loss.dtype == method.bank.scores.dtype == torch.float32
    loss.backward()


def test_numbers_of_options_come_as_files_have_them():
    assert build(picture_spec(depths=[1, 2, 1])).options.depths == (1, 2, 1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: build(picture_spec(width=30)), "width is a multiple of 4"),
        (lambda: build(picture_spec(depths=(1, 1))), r"option depths.* of hybridhash"),
        (lambda: build(picture_spec(depths=(1, 0, 1))), r"option depths.1 of hybridhash: .*greater than or equal to 1"),
        (lambda: build(picture_spec(drop_path=1.0)), "option drop_path of hybridhash: .*less than 1"),
        (lambda: build(picture_spec(alpha=0.0)), "option alpha of hybridhash: .*greater than 0"),
        (lambda: build(picture_spec(interact=False)), "hybridhash has no option interact"),
        (lambda: build(picture_spec(height=24)), "input 24x16 is not 4x4 square blocks"),
        (lambda: made()(replace(picture_batch(4), targets=None)), "learns from labels"),
        (lambda: made().hash({"text": torch.zeros(2, 4)}), "takes image; the samples have text"),
        (lambda: made()(labelled({"text": torch.zeros(2, 4)}, torch.tensor([0, 1]), 3)), "takes image"),
    ],
)
def test_what_cannot_be_is_one_line(make, words):
    with pytest.raises(ConfigError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_bank_grows_where_nobody_said_how_many_there_are():
    torch.manual_seed(0)
    method = build(picture_spec()).train()
    first = loss_of(method, picture_batch(6))
    assert first == pytest.approx(loss_of(made(), picture_batch(6)), rel=1e-6)
    method(picture_batch(6, 1, first=20))
    assert np.flatnonzero(method.bank.seen.numpy()).tolist() == [*range(6), *range(20, 26)]
