"""bfloat16 where there is a CUDA device, and nowhere else."""

import pytest
import torch
from tiny_training import data, method, recipe

from spikinghash.training.loop import run


def trained(device, **changes):
    """A method after three epochs, what types its classifier gave in training, and the loss of each epoch."""
    own, seen, losses = method().to(device), set(), []

    def note(module, _, out):
        if module.training:
            seen.add(out.dtype)

    own.network.classifier.register_forward_hook(note)
    run(own, data(), recipe(epochs=3, lr=1e-2, **changes), lambda record, _: losses.append(record.loss))
    return own, seen, losses


def test_on_a_cpu_it_changes_nothing():
    (plain, _, _), (asked, seen, _) = trained("cpu"), trained("cpu", amp=True)
    assert seen == {torch.float32}
    theirs = asked.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in plain.state_dict().items())


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("again", [False, True])
def test_on_cuda_products_are_bfloat16_and_weights_are_not(again):
    own, seen, losses = trained("cuda", amp=True, activation_checkpointing=again)
    assert seen == {torch.bfloat16}
    assert {p.dtype for p in own.parameters()} == {torch.float32}
    assert all(torch.isfinite(p).all() for p in own.parameters())
    assert losses[-1] < 0.9 * losses[0]
