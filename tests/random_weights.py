"""Weights drawn at random in the form of the pretrained networks, so that the code which loads them is the real one."""

import json

import torch
from safetensors.torch import save_file

#: Per block of EfficientNet-Lite0: channels in, within and out, and the side of its kernel.
BLOCKS = [
    (32, 32, 16, 3), (16, 96, 24, 3), (24, 144, 24, 3), (24, 144, 40, 5), (40, 240, 40, 5), (40, 240, 80, 3),
    (80, 480, 80, 3), (80, 480, 80, 3), (80, 480, 112, 5), (112, 672, 112, 5), (112, 672, 112, 5), (112, 672, 192, 5),
    (192, 1152, 192, 5), (192, 1152, 192, 5), (192, 1152, 192, 5), (192, 1152, 320, 3),
]  # fmt: skip
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "dog", "runs", "cat", "the", "sea", "at", "night", ",", "!"]


def lite0():
    torch.manual_seed(1)
    weights = {}

    def convolution(name, out, width, side, norm):
        weights[f"{name}.weight"] = torch.randn(out, width, side, side) * (2 / (width * side * side)) ** 0.5
        weights[f"{norm}.weight"], weights[f"{norm}.bias"] = torch.rand(out) + 0.5, torch.randn(out) * 0.1
        weights[f"{norm}.running_mean"], weights[f"{norm}.running_var"] = torch.randn(out) * 0.1, torch.rand(out) + 0.5

    convolution("_conv_stem", 32, 3, 3, "_bn0")
    for number, (width, within, out, side) in enumerate(BLOCKS):
        name = f"_blocks.{number}"
        if within != width:
            convolution(f"{name}._expand_conv", within, width, 1, f"{name}._bn0")
        convolution(f"{name}._depthwise_conv", within, 1, side, f"{name}._bn1")
        convolution(f"{name}._project_conv", out, within, 1, f"{name}._bn2")
    convolution("_conv_head", 1280, 320, 1, "_bn1")
    return weights


def write_lite0(path):
    save_file(lite0(), path)


def write_minilm(folder):
    torch.manual_seed(2)
    weights = {
        "embeddings.word_embeddings.weight": torch.randn(len(WORDS), 384),
        "embeddings.position_embeddings.weight": torch.randn(512, 384) * 0.1,
        "embeddings.token_type_embeddings.weight": torch.randn(2, 384) * 0.1,
    }
    norms, linears = ["embeddings.LayerNorm"], {}
    for number in range(6):
        layer = f"encoder.layer.{number}"
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
        linears |= {f"{layer}.attention.self.{part}": (384, 384) for part in ("query", "key", "value")}
        linears |= {f"{layer}.attention.output.dense": (384, 384), f"{layer}.intermediate.dense": (1536, 384)}
        linears[f"{layer}.output.dense"] = (384, 1536)
    for name in norms:
        weights[f"{name}.weight"], weights[f"{name}.bias"] = torch.ones(384), torch.zeros(384)
    for name, (out, width) in linears.items():
        weights[f"{name}.weight"], weights[f"{name}.bias"] = torch.randn(out, width) * width**-0.5, torch.zeros(out)
    save_file(weights, folder / "model.safetensors")
    write_tokenizer(folder)


def write_tokenizer(folder):
    """One that knows `WORDS`, and begins and ends a text."""
    post = {
        "type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2],
    }  # fmt: skip
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": {"strategy": {"Fixed": 128}, "direction": "Right",
        "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}, "added_tokens": [],
        "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": post,
        "decoder": None, "model": {"type": "WordLevel", "vocab": {w: i for i, w in enumerate(WORDS)},
        "unk_token": "[UNK]"},
    }  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


CLIP = {
    "model_type": "clip",
    "projection_dim": 24,
    "text_config": {"num_hidden_layers": 3, "num_attention_heads": 4, "max_position_embeddings": 16},
    "vision_config": {
        "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 32, "patch_size": 8, "hidden_act": "gelu",
    },
}  # fmt: skip


def write_clip(folder):
    """A small CLIP; returns its weights."""
    torch.manual_seed(3)
    weights = {
        "text_model.embeddings.token_embedding.weight": torch.randn(len(WORDS), 32),
        "text_model.embeddings.position_embedding.weight": torch.randn(16, 32) * 0.1,
        "vision_model.embeddings.class_embedding": torch.randn(48),
        "vision_model.embeddings.patch_embedding.weight": torch.randn(48, 3, 8, 8) * 0.1,
        "vision_model.embeddings.position_embedding.weight": torch.randn(17, 48) * 0.1,
        "text_projection.weight": torch.randn(24, 32) * 0.2,
        "visual_projection.weight": torch.randn(24, 48) * 0.2,
    }
    for part, layers, width in (("text_model", 3, 32), ("vision_model", 2, 48)):
        norms, linears = [], {}
        for number in range(layers):
            layer = f"{part}.encoder.layers.{number}"
            norms += [f"{layer}.layer_norm1", f"{layer}.layer_norm2"]
            linears |= {f"{layer}.self_attn.{one}_proj": (width, width) for one in ("q", "k", "v", "out")}
            linears |= {f"{layer}.mlp.fc1": (2 * width, width), f"{layer}.mlp.fc2": (width, 2 * width)}
        ends = {"text_model": ["final_layer_norm"], "vision_model": ["pre_layrnorm", "post_layernorm"]}[part]
        for name in [*norms, *(f"{part}.{one}" for one in ends)]:
            weights[f"{name}.weight"], weights[f"{name}.bias"] = torch.rand(width) + 0.5, torch.randn(width) * 0.1
        for name, (out, within) in linears.items():
            weights[f"{name}.weight"], weights[f"{name}.bias"] = torch.randn(out, within) * 0.2, torch.randn(out) * 0.1
    folder.mkdir(exist_ok=True)
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(CLIP))
    write_tokenizer(folder)
    return weights
