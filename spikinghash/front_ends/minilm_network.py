"""MiniLM-L6-v2, in evaluation: a sentence's tokens to 384 numbers of unit length.

Wang et al., "MiniLM: Deep Self-Attention Distillation for Task-Agnostic Compression of Pre-Trained Transformers",
NeurIPS 2020, as trained for sentences (Reimers and Gurevych, "Sentence-BERT", EMNLP 2019): mean of the last layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

WIDTH, HEADS, LAYERS = 384, 12, 6
_EPSILON = 1e-12
_WORDS = "embeddings.word_embeddings.weight"


def is_minilm(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are weights of this network."""
    last = f"encoder.layer.{LAYERS - 1}.output.dense.weight"
    return _WORDS in weights and weights[_WORDS].shape[1] == WIDTH and last in weights


@torch.inference_mode()
def sentence(tokens: Sequence[int], weights: Mapping[str, Tensor]) -> Tensor:
    """Numbers of L tokens, with those that begin and end a sentence -> float32 [384]."""
    x = weights[_WORDS][list(tokens)] + weights["embeddings.position_embeddings.weight"][: len(tokens)]
    x = _norm(x + weights["embeddings.token_type_embeddings.weight"][0], weights, "embeddings.LayerNorm")
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        q, k, v = (
            _linear(x, weights, f"{layer}.attention.self.{part}").view(len(tokens), HEADS, -1).transpose(0, 1)
            for part in ("query", "key", "value")
        )
        attended = F.scaled_dot_product_attention(q[None], k[None], v[None])[0].transpose(0, 1).reshape(x.shape)
        attended = _linear(attended, weights, f"{layer}.attention.output.dense")
        x = _norm(x + attended, weights, f"{layer}.attention.output.LayerNorm")
        y = _linear(F.gelu(_linear(x, weights, f"{layer}.intermediate.dense")), weights, f"{layer}.output.dense")
        x = _norm(x + y, weights, f"{layer}.output.LayerNorm")
    return F.normalize(x.mean(dim=0), dim=0)


def _linear(x: Tensor, weights: Mapping[str, Tensor], name: str) -> Tensor:
    return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def _norm(x: Tensor, weights: Mapping[str, Tensor], name: str) -> Tensor:
    return F.layer_norm(x, (WIDTH,), weights[f"{name}.weight"], weights[f"{name}.bias"], _EPSILON)
