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
