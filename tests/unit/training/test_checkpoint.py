"""Model folders: what is saved is loaded, and nothing else."""

import hashlib
import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save
from tiny_training import SPEC, awake, clips

from spikinghash.errors import BadCheckpoint
from spikinghash.inference.read_bits import read_bits
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.training.checkpoint import CARD, WEIGHTS, load_model, model_digest, save_model


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("model")
    method = awake().eval()
    snap_to_grid(method.network, SPEC.input.count_clip)
    digest = save_model(folder, SPEC, method.network, {"best_epoch": 3})
    return folder, method, digest


@pytest.fixture
def folder(original, tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(original[0], copy)
    return copy


def rewrite(folder, weights=None, sign=True, **card_changes):
    """A model folder as a forger would make it: all digests fit unless `sign` is false."""
    card = json.loads((folder / CARD).read_bytes()) | card_changes
    if weights is not None:
        (folder / WEIGHTS).write_bytes(weights)
    data = (folder / WEIGHTS).read_bytes()
    if sign:
        text = json.dumps(card["spec"], sort_keys=True).encode()
        card["weights_sha256"] = hashlib.sha256(data).hexdigest()
        card["digest"] = hashlib.sha256(hashlib.sha256(data).digest() + text).hexdigest()[:16]
    (folder / CARD).write_text(json.dumps(card))


def spec_json(**changes):
    """That of `SPEC` with changes to itself, its input or its options, whoever knows the key."""
    data = SPEC.to_json()
    for key, value in changes.items():
        home = next((part for part in (data["inputs"]["events"], data["options"]) if key in part), data)
        home[key] = value
    return data


def refused(folder, match):
    with pytest.raises(BadCheckpoint, match=match) as caught:
        load_model(folder)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_round_trip_with_equal_codes(original):
    folder, method, digest = original
    loaded = load_model(folder)
    assert loaded.spec == SPEC
    assert loaded.digest == digest == loaded.card["digest"]
    assert len(digest) == 16
    assert loaded.card["training"] == {"best_epoch": 3}
    assert not loaded.method.training
    assert not any(p.requires_grad for p in loaded.method.parameters())
    x = clips(9, 4)[0].transpose(0, 1)
    for a, b in zip(read_bits(method, x), read_bits(loaded.method, x), strict=True):
        assert torch.equal(a, b)
    assert len(torch.unique(read_bits(method, x)[0], dim=0)) > 1
    assert sorted(p.name for p in folder.iterdir()) == sorted([CARD, WEIGHTS])


def test_loading_takes_no_random_numbers_of_the_caller(original):
    before = torch.get_rng_state()
    load_model(original[0])
    assert torch.equal(torch.get_rng_state(), before)


def test_saving_twice_gives_the_same_bytes(original, tmp_path):
    folder, method, digest = original
    assert save_model(tmp_path / "again", SPEC, method.network, {"best_epoch": 3}) == digest
    for name in (CARD, WEIGHTS):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_a_forged_folder_is_otherwise_accepted(folder):
    """So that the refusals below are for the reason given."""
    rewrite(folder)
    assert load_model(folder).spec == SPEC


def test_the_digest_names_weights_and_spec(original):
    data = (original[0] / WEIGHTS).read_bytes()
    spec, changed = SPEC.to_json(), spec_json(count_clip=9)
    digests = {model_digest(data, spec), model_digest(data, changed), model_digest(data + b"x", spec)}
    assert len(digests) == 3


def test_missing(folder, tmp_path):
    refused(tmp_path / "nowhere", "no model there")
    (folder / WEIGHTS).unlink()
    refused(folder, f"{WEIGHTS}: missing; a model folder needs")
    (folder / CARD).unlink()
    refused(folder, "no model there; train one")


@pytest.mark.parametrize("where", [0, 8, 200, -1])
def test_one_flipped_bit_in_the_weights(folder, where):
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[where] ^= 1
    (folder / WEIGHTS).write_bytes(data)
    refused(folder, "contents do not match the digest")


def test_truncated_weights(folder):
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[:-1])
    refused(folder, "contents do not match the digest")
    rewrite(folder, weights=data[:-1])
    refused(folder, "not a safetensors file")
    rewrite(folder, weights=b"")
    refused(folder, "not a safetensors file")


@pytest.mark.parametrize(
    ("key", "value"),
    [("count_clip", 9), ("classes", ["right", "left"]), ("height", 32), ("surrogate", "atan"), ("network_size", "Ti")],
)
def test_a_changed_spec_is_noticed(folder, key, value):
    """These would load, and quietly mean something else."""
    rewrite(folder, sign=False, spec=spec_json(**{key: value}))
    refused(folder, f"{CARD}: spec does not match its digest")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "3", "\x00", '{"spec": 1}', '{"schema": 1}', "[" * 100_000], ids=lambda t: t[:8]
)
def test_a_card_that_is_none(folder, text):
    (folder / CARD).write_text(text)
    refused(folder, f"{CARD}: not")


def test_a_card_that_is_not_text(folder):
    (folder / CARD).write_bytes(b"\xff\xfe\xfa")
    refused(folder, "not JSON")


@pytest.mark.parametrize("schema", [1, 4, "3", None])
def test_another_schema(folder, schema):
    rewrite(folder, schema=schema)
    refused(folder, "this version reads 3")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"wings": 2}, "unknown keys: wings"),
        ({"bits": -8}, r"spec\.bits"),
        ({"bits": 12}, r"spec\.bits"),
        ({"network_size": "Giant"}, "unknown size 'Giant'"),
        ({"method": "os.system"}, "unknown method 'os.system'"),
        ({"surrogate": "relu"}, "option surrogate of spikinghash"),
        ({"steps": 6}, "steps is 6"),
        ({"height": 20}, "input 20x16"),
        ({"bits": 32}, r"tensor (hash|classifier).* expected"),
        ({"network_size": "Ti"}, "tensors missing or unexpected"),
        ({"classes": ["a"]}, r"tensor classifier\.(weight|bias) is \(2"),
    ],
)
def test_a_spec_that_does_not_fit(folder, change, match):
    rewrite(folder, spec=spec_json(**change))
    refused(folder, match)


def test_a_spec_without_a_key(folder):
    spec = SPEC.to_json()
    del spec["classes"]
    rewrite(folder, spec=spec)
    refused(folder, "classes")


def test_a_spec_that_asks_for_a_terabyte_is_refused_without_one(folder):
    rewrite(folder, spec=spec_json(height=65536, width=65536))
    refused(folder, "tensor .* expected")


def with_tensors(folder, change):
    tensors = load((folder / WEIGHTS).read_bytes())
    change(tensors)
    rewrite(folder, weights=save(tensors))


NAME = "hash.linear.weight"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: t.pop(NAME), f"tensors missing or unexpected: {NAME}"),
        (lambda t: t.update(extra=torch.zeros(1)), "tensors missing or unexpected: extra"),
        (lambda t: t.update({NAME: t[NAME][:-1].clone()}), f"tensor {NAME} is .* expected"),
        (lambda t: t.update({NAME: t[NAME].double()}), f"tensor {NAME} is .*float64"),
        (lambda t: t.update({NAME: t[NAME].to(torch.float8_e4m3fn)}), f"tensor {NAME} is .*float8"),
        (lambda t: t[NAME].view(-1)[3:4].fill_(float("nan")), f"tensor {NAME} has values that are not finite"),
        (lambda t: t["stem.norm.running_var"].fill_(float("inf")), "stem.norm.running_var has values that are not"),
    ],
)
def test_tensors_that_do_not_fit(folder, change, match):
    with_tensors(folder, change)
    refused(folder, match)


class Trap:
    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return Path.touch, (self.canary,)


@pytest.mark.parametrize("kind", ["pickle", "torch"])
@pytest.mark.parametrize("signed", [False, True])
def test_a_pickle_in_disguise_never_runs(folder, tmp_path, kind, signed):
    canary = tmp_path / "canary"
    if kind == "pickle":
        (folder / WEIGHTS).write_bytes(pickle.dumps(Trap(canary)))
    else:
        torch.save({"x": Trap(canary)}, folder / WEIGHTS)
    assert not canary.exists()
    if signed:
        rewrite(folder)
    refused(folder, "not a safetensors file" if signed else "contents do not match the digest")
    assert not canary.exists()
    pickle.loads(pickle.dumps(Trap(canary)))  # it would have
    assert canary.exists()
