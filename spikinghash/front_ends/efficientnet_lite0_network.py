"""EfficientNet-Lite0 without its classifier, in evaluation: pictures to 1,280 numbers.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019; the Lite variant of
`tensorflow/tpu` has ReLU6 for swish and no squeeze-and-excitation. Names of weights as in `efficientnet-lite-pytorch`.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

#: Blocks whose depthwise convolution has stride 2; all others have 1.
_HALVING = (1, 3, 5, 11)
_BLOCKS = 16
_EPSILON = 1e-3
SIDE, WIDTH = 224, 1280
#: Every weight there must be, by name and shape, is needed; these are the ends, to tell another file apart.
_ENDS = {"_conv_stem.weight": (32, 3, 3, 3), "_conv_head.weight": (WIDTH, 320, 1, 1)}


def is_lite0(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are weights of this network."""
    return all(name in weights and tuple(weights[name].shape) == shape for name, shape in _ENDS.items())


@torch.inference_mode()
def features(pictures: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Pictures uint8 [B, 3, 224, 224] -> float32 [B, 1280]: the mean of the last map over its places."""
    x = (pictures.float() - 127) / 128
    x = F.relu6(_norm(_convolution(x, weights["_conv_stem.weight"], 2), weights, "_bn0"))
    for number in range(_BLOCKS):
        x = _block(x, weights, f"_blocks.{number}", 2 if number in _HALVING else 1)
    x = F.relu6(_norm(F.conv2d(x, weights["_conv_head.weight"]), weights, "_bn1"))
    return x.mean(dim=(2, 3))


def _block(x: Tensor, weights: Mapping[str, Tensor], name: str, stride: int) -> Tensor:
    """An inverted bottleneck (Sandler et al., "MobileNetV2", CVPR 2018)."""
    y = x
    expand = weights.get(f"{name}._expand_conv.weight")
    if expand is not None:
        y = F.relu6(_norm(F.conv2d(y, expand), weights, f"{name}._bn0"))
    depthwise = weights[f"{name}._depthwise_conv.weight"]
    y = F.relu6(_norm(_convolution(y, depthwise, stride, groups=len(depthwise)), weights, f"{name}._bn1"))
    y = _norm(F.conv2d(y, weights[f"{name}._project_conv.weight"]), weights, f"{name}._bn2")
    return x + y if x.shape == y.shape else y


def _convolution(x: Tensor, weight: Tensor, stride: int, groups: int = 1) -> Tensor:
    """With TensorFlow's padding "SAME", which puts an odd pixel to the right and below."""
    size = weight.shape[-1]
    extra = [max((-(-side // stride) - 1) * stride + size - side, 0) for side in x.shape[-2:]]
    x = F.pad(x, [extra[1] // 2, extra[1] - extra[1] // 2, extra[0] // 2, extra[0] - extra[0] // 2])
    return F.conv2d(x, weight, stride=stride, groups=groups)


def _norm(x: Tensor, weights: Mapping[str, Tensor], name: str) -> Tensor:
    mean, variance = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
    return F.batch_norm(x, mean, variance, weights[f"{name}.weight"], weights[f"{name}.bias"], eps=_EPSILON)
