"""Training state on disk: what goes in comes out, and damage is refused in one line."""

import json

import pytest
import torch
from safetensors.torch import save
from tiny_training import clips, method, recipe

from spikinghash.data.batch import labelled
from spikinghash.errors import BadCheckpoint
from spikinghash.training.recipe import make_optimiser
from spikinghash.training.state import FACTS, TENSORS, Progress, load_state, save_state, snapshot


def stepped(seed=0, optimiser="adamp"):
    m = method(seed)
    o = make_optimiser(m, recipe(optimiser=optimiser))
    frames, labels = clips(4, 0)
    for _ in range(2):
        o.zero_grad()
        m(labelled({"events": frames.transpose(0, 1)}, labels, 2)).loss.backward()
        o.step()
    return m, o


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("state")
    m, o = stepped()
    save_state(folder, m, o, Progress(3, 0.5, 2, snapshot(m.network)))
    return folder


def flat(optimiser):
    state = optimiser.state_dict()
    slots = {(i, k): v for i, s in state["state"].items() for k, v in s.items()}
    return slots, [{k: v for k, v in g.items() if k != "params"} for g in state["param_groups"]]


@pytest.mark.parametrize("optimiser", ["adamp", "adamw"])
def test_round_trip(tmp_path, optimiser):
    m, o = stepped(optimiser=optimiser)
    save_state(tmp_path, m, o, Progress(3, 0.5, 2, snapshot(m.network)))
    other = method(9)
    fresh = make_optimiser(other, recipe(optimiser=optimiser))
    progress = load_state(tmp_path, other, fresh)
    assert (progress.epoch, progress.best_score, progress.best_epoch) == (3, 0.5, 2)
    assert all(torch.equal(v, other.state_dict()[k]) for k, v in m.state_dict().items())
    assert all(torch.equal(v, progress.best[k]) for k, v in m.network.state_dict().items())
    (slots, groups), (new_slots, new_groups) = flat(o), flat(fresh)
    assert groups == new_groups
    assert slots.keys() == new_slots.keys()
    assert slots
    for key, value in slots.items():
        assert torch.equal(torch.as_tensor(value), torch.as_tensor(new_slots[key])), key


def test_without_a_best_network(tmp_path):
    m, o = stepped()
    save_state(tmp_path, m, o, Progress(1))
    assert load_state(tmp_path, m, o).best is None


def test_a_snapshot_is_a_copy():
    m = method()
    copy = snapshot(m.network)
    with torch.no_grad():
        m.network.hash.linear.weight.add_(1.0)
    assert not torch.equal(copy["hash.linear.weight"], m.network.hash.linear.weight)


def remove(folder, name):
    (folder / name).unlink()


def truncate(folder, name):
    (folder / name).write_bytes((folder / name).read_bytes()[:-20])


def rubbish(folder, name):
    (folder / name).write_bytes(b"\x80\x04 not a state")


def other_model(folder, _):
    (folder / TENSORS).write_bytes(save({"method.x": torch.zeros(3)}))


def facts(change):
    def damage(folder, _):
        content = json.loads((folder / FACTS).read_bytes())
        (folder / FACTS).write_text(json.dumps(change(content)))

    return damage


DAMAGES = [
    (remove, TENSORS), (remove, FACTS), (truncate, TENSORS), (truncate, FACTS), (rubbish, TENSORS), (rubbish, FACTS),
    (other_model, None), (facts(lambda f: []), None), (facts(lambda f: f | {"group_steps": {"7": 1}}), None),
    (facts(lambda f: {k: v for k, v in f.items() if k != "epoch"}), None), (facts(lambda f: None), None),
    (facts(lambda f: f | {"optimiser_numbers": {"nonsense": 1}}), None),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "name"), DAMAGES)
def test_damage_is_refused_in_one_line(saved, tmp_path, damage, name):
    for file in (TENSORS, FACTS):
        (tmp_path / file).write_bytes((saved / file).read_bytes())
    damage(tmp_path, name)
    m = method()
    with pytest.raises(BadCheckpoint, match="cannot resume from this training state") as caught:
        load_state(tmp_path, m, make_optimiser(m, recipe()))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)
