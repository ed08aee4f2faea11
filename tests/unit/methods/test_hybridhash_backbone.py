"""Weights of a NesT from a file that has the names of timm."""

import logging
import re

import pytest
import torch
from picture_classes import picture_batch, picture_set, picture_spec
from safetensors.torch import save_file

from spikinghash.errors import ConfigError
from spikinghash.methods.method import build
from spikinghash.training.checkpoint import load_model, save_model


def nest(depths=(1, 1, 2), width=8, edge=2, patch=2):
    """All tensors of a NesT with a classifier."""
    g, tensors = torch.Generator().manual_seed(3), {}

    def add(name, *shape):
        tensors[name] = 0.1 * torch.randn(*shape, generator=g)

    def module(name, *shape):
        add(f"{name}.weight", *shape)
        add(f"{name}.bias", shape[0])

    module("patch_embed.proj", width, 3, patch, patch)
    for i, depth in enumerate(depths):
        C = width * 2**i
        add(f"levels.{i}.pos_embed", 1, (16, 4, 1)[i], edge * edge, C)
        for j in range(depth):
            at = f"levels.{i}.transformer_encoder.{j}"
            for name, *shape in (
                ("norm1", C), ("attn.qkv", 3 * C, C), ("attn.proj", C, C),
                ("norm2", C), ("mlp.fc1", 4 * C, C), ("mlp.fc2", C, 4 * C),
            ):  # fmt: skip
                module(f"{at}.{name}", *shape)
        if i:
            module(f"levels.{i}.pool.conv", C, C // 2, 3, 3)
            module(f"levels.{i}.pool.norm", C)
    module("norm", 4 * width)
    module("head", 10, 4 * width)
    return tensors


@pytest.fixture
def path(tmp_path):
    return tmp_path / "nest.safetensors"


def made(path, variant="full", **changes):
    torch.manual_seed(0)
    return build(picture_spec(variant=variant, backbone=str(path), **changes))


def started(path, tensors, **changes):
    save_file(tensors, path)
    method = made(path, **changes)
    method.fit(picture_set(12))
    return method


def test_weights_are_where_they_belong_and_the_rest_is_told(path, caplog):
    tensors = nest()
    with caplog.at_level(logging.INFO, logger="spikinghash"):
        method = started(path, tensors)
    fresh, own = made(path).network.state_dict(), method.network.state_dict()
    for ours, theirs in {
        "patch.weight": "patch_embed.proj.weight",
        "levels.1.place": "levels.1.pos_embed",
        "levels.2.layers.0.attention.qkv.bias": "levels.2.transformer_encoder.0.attn.qkv.bias",
        "levels.0.layers.0.attention.project.weight": "levels.0.transformer_encoder.0.attn.proj.weight",
        "levels.0.layers.0.mlp.0.weight": "levels.0.transformer_encoder.0.mlp.fc1.weight",
        "levels.0.layers.0.mlp.2.weight": "levels.0.transformer_encoder.0.mlp.fc2.weight",
        "interactions.0.local.weight": "levels.1.pool.conv.weight",
        "interactions.1.norm.bias": "levels.2.pool.norm.bias",
    }.items():
        assert torch.equal(own[ours], tensors[theirs]), ours
    same = {name for name in own if torch.equal(own[name], fresh[name])}
    assert same == {name for name in own if re.match(r"hash\.|interactions\.\d\.(widen|across)\.", name)}
    line = caplog.messages[-1]
    assert f"{len(own) - len(same)} tensors loaded, {len(same)} of the network fresh" in line
    assert all(name in line for name in ("head.weight", "levels.2.transformer_encoder.1.mlp.fc2.bias"))


def test_a_saved_model_needs_the_file_no_more(path, tmp_path):
    method = started(path, nest())
    batch = picture_batch(5)
    save_model(tmp_path / "model", picture_spec(backbone=str(path)), method.network, {})
    path.unlink()
    found = load_model(tmp_path / "model").method.hash(batch.inputs)["image"].bits
    assert torch.equal(found, method.eval().hash(batch.inputs)["image"].bits)


def test_without_interaction_the_convolution_between_levels_is_left(path, caplog):
    with caplog.at_level(logging.INFO, logger="spikinghash"):
        started(path, nest(), variant="no-interaction")
    assert "levels.1.pool.conv.weight" in caplog.messages[-1]


def without(name):
    tensors = nest()
    del tensors[name]
    return tensors


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (without("levels.1.pos_embed"), r"no tensor levels\.1\.pos_embed; a NesT of depths \(1, 1, 1\) is needed"),
        (without("levels.2.pool.conv.bias"), r"no tensor levels\.2\.pool\.conv\.bias"),
        (nest(edge=4), r"tensor levels\.0\.pos_embed is \(1, 16, 16, 8\), the network has \(1, 16, 4, 8\)"),
        (nest(width=16), r"tensor patch_embed\.proj\.weight is \(16, 3, 2, 2\)|pos_embed is \(1, 16, 4, 16\)"),
        (nest(depths=(1, 2, 1)), r"tensor levels\.1\.transformer_encoder\.1\.\S+ has no place here, as 12 in all"),
        (nest() | {"blocks.0.weight": torch.ones(2)}, r"tensor blocks\.0\.weight has no place here, as 1 in all"),
        (nest() | {"levels.2.pos_embed": torch.full((1, 1, 4, 32), torch.nan)}, "no finite numbers"),
        (nest() | {"levels.2.pos_embed": torch.ones(1, 1, 4, 32, dtype=torch.int32)}, "no finite numbers"),
        ({}, "no tensor"),
    ],
)
def test_a_file_that_matches_by_half_is_refused_and_sets_nothing(path, tensors, words):
    save_file(tensors, path)
    method = made(path)
    before = {name: value.clone() for name, value in method.network.state_dict().items()}
    with pytest.raises(ConfigError, match=words) as caught:
        method.fit(picture_set(12))
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert all(torch.equal(value, before[name]) for name, value in method.network.state_dict().items())


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 a pickle of torch"])
def test_a_file_of_another_kind_is_one_line(path, content):
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="cannot read") as caught:
        made(path).fit(picture_set(12))
    assert "\n" not in str(caught.value)
