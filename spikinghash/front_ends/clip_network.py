"""CLIP with a vision transformer, in evaluation: pictures and texts to one space.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021. Names of weights and
sizes are those of `CLIPModel` of the package transformers, as in `model.safetensors` and `config.json` of its folders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Weights = Mapping[str, Tensor]
#: Of red, green and blue, 0 to 1, in the pictures it was trained on.
_MEAN, _DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@torch.inference_mode()
def picture(pixels: Tensor, weights: Weights, sizes: Mapping[str, Any]) -> Tensor:
    """One picture uint8 [3, side, side] -> float32 [D] of unit length; `sizes` is `vision_config`."""
    mean, deviation = (torch.tensor(one)[:, None, None] for one in (_MEAN, _DEVIATION))
    patches = F.conv2d(
        ((pixels / 255 - mean) / deviation)[None],
        weights["vision_model.embeddings.patch_embedding.weight"],
        stride=sizes["patch_size"],
    )
    first = weights["vision_model.embeddings.class_embedding"]
    x = torch.cat([first[None], patches[0].flatten(1).T]) + weights["vision_model.embeddings.position_embedding.weight"]
    x = _norm(x, weights, "vision_model.pre_layrnorm", sizes)  # their spelling
    x = _encoder(x, weights, "vision_model", sizes, mask=None)
    x = _norm(x[0], weights, "vision_model.post_layernorm", sizes)
    return F.normalize(F.linear(x, weights["visual_projection.weight"]), dim=0)


@torch.inference_mode()
def text(tokens: Sequence[int], weights: Weights, sizes: Mapping[str, Any]) -> Tensor:
    """Numbers of L tokens, of which the last ends the text -> float32 [D] of unit length; `sizes` is `text_config`."""
    x = weights["text_model.embeddings.token_embedding.weight"][list(tokens)]
    x = x + weights["text_model.embeddings.position_embedding.weight"][: len(tokens)]
    mask = torch.full((len(tokens), len(tokens)), -torch.inf).triu(1)
    x = _norm(_encoder(x, weights, "text_model", sizes, mask)[-1], weights, "text_model.final_layer_norm", sizes)
    return F.normalize(F.linear(x, weights["text_projection.weight"]), dim=0)


def _encoder(x: Tensor, weights: Weights, part: str, sizes: Mapping[str, Any], mask: Tensor | None) -> Tensor:
    for number in range(sizes["num_hidden_layers"]):
        layer = f"{part}.encoder.layers.{number}"
        y = _norm(x, weights, f"{layer}.layer_norm1", sizes)
        # [1, heads, L, width of a head], as the operator takes them
        q, k, v = (
            _linear(y, weights, f"{layer}.self_attn.{one}_proj")
            .view(1, len(y), sizes["num_attention_heads"], -1)
            .transpose(1, 2)
            for one in "qkv"
        )
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + _linear(y[0].transpose(0, 1).reshape(x.shape), weights, f"{layer}.self_attn.out_proj")
        y = _linear(_norm(x, weights, f"{layer}.layer_norm2", sizes), weights, f"{layer}.mlp.fc1")
        y = y * torch.sigmoid(1.702 * y) if sizes["hidden_act"] == "quick_gelu" else F.gelu(y)
        x = x + _linear(y, weights, f"{layer}.mlp.fc2")
    return x


def _linear(x: Tensor, weights: Weights, name: str) -> Tensor:
    return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def _norm(x: Tensor, weights: Weights, name: str, sizes: Mapping[str, Any]) -> Tensor:
    scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return F.layer_norm(x, x.shape[-1:], scale, shift, sizes["layer_norm_eps"])
