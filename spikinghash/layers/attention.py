"""Spiking self-attention (paper eqs. 13-15)."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from spikinghash.layers import taped_mix, taped_ops
from spikinghash.layers.attention_kernel import attend
from spikinghash.layers.conv import ConvNorm, ConvNormLIF
from spikinghash.layers.fused import affine_constants, is_fixed
from spikinghash.layers.neuron import LIF
from spikinghash.layers.program import Step, fast, plain
from spikinghash.layers.spike_conv import bias_of, padded, with_silence
from spikinghash.layers.tape import Gradients, Taped
from spikinghash.layers.taped_mix import Mixing, by_conv, mix, mixes
from spikinghash.layers.taped_norm import Charge, fired, normed
from spikinghash.layers.vector_rows import LANES

#: The released scale; 1 / sqrt(head width) for 64, kept whatever the width.
SCALE = 0.125
OUTPUT_THRESHOLD = 0.5


class SpikingSelfAttention(nn.Module):
    """SN; q, k, v = SN(BN(conv1x1)); SN((q k^T) v * s) per head and step, no softmax; conv1x1, BN.

    [T, B, C, H, W] -> the same shape, real-valued. Tokens are the H * W positions. All factors are binary, so the
    products are exact integers and may be taken as q (k^T v), whichever is cheaper.
    """

    def __init__(self, channels: int, heads: int, surrogate: str = "sigmoid") -> None:
        super().__init__()
        self.heads = heads
        self.entry = LIF(1.0, surrogate_name=surrogate)
        self.q, self.k, self.v = (
            ConvNormLIF(channels, channels, 1, bias=False, v_th=1.0, surrogate=surrogate) for _ in range(3)
        )
        self.fire = LIF(OUTPUT_THRESHOLD, surrogate_name=surrogate)
        self.project = ConvNorm(channels, channels, 1, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C, H, W]."""
        T, B, C, H, W = x.shape
        if C % LANES == 0 and is_fixed(self, x):
            return fast(self, x)
        spikes = self.entry(x)
        q, k, v = (self._split(part(spikes)) for part in (self.q, self.k, self.v))
        y = q @ (k.transpose(-2, -1) @ v) if C // self.heads < H * W else (q @ k.transpose(-2, -1)) @ v
        y = (y * SCALE).transpose(2, 3).reshape(T, B, H, W, C).movedim(-1, 2)
        return self.project(self.fire(y))

    def forward_back(self, x: np.ndarray, grads: Gradients) -> Taped:
        """Training on arrays [T, B, H, W, C]."""
        if not mixes(x.shape[-1], 3 * x.shape[-1]):
            return self._part_by_part(x, grads)
        parts = self.q, self.k, self.v
        convs = [part.conv for part in parts]
        matrix = np.concatenate([grads.array(conv.weight).reshape(len(conv.weight), -1) for conv in convs])

        def give(gw: np.ndarray) -> None:
            for conv, own in zip(convs, np.split(gw, 3, 1), strict=True):
                grads.add(conv.weight, own.T)

        how = Mixing(matrix, True, [(part.fire.norm, None) for part in parts], give)
        charge, mix_back = mix(Charge(x), self.entry.constants, how, grads)
        spikes, fired_back = fired(charge, self.q.fire.neuron.constants)
        product, product_back = taped_mix.attend(spikes, self.heads, SCALE)
        how = by_conv(self.project.conv, self.project.norm, grads)
        charge, project_back = mix(Charge(product), self.fire.constants, how, grads)
        y, norm_back = normed(charge)

        def back(g: np.ndarray) -> np.ndarray:
            by_product, _ = project_back(norm_back(g))
            return mix_back(fired_back(product_back(by_product)))[0]

        return y, back

    def _part_by_part(self, x: np.ndarray, grads: Gradients) -> Taped:
        spikes, entry_back = taped_ops.lif(x, self.entry.constants)
        factors, backs = zip(*(part.forward_back(spikes, grads) for part in (self.q, self.k, self.v)), strict=True)
        product, product_back = taped_ops.attended(factors, self.heads, SCALE)
        fired, fire_back = taped_ops.lif(product, self.fire.constants)
        y, project_back = self.project.forward_back(fired, grads)

        def back(g: np.ndarray) -> np.ndarray:
            gradients = product_back(fire_back(project_back(g)))
            first, second, third = (one(g) for one, g in zip(backs, gradients, strict=True))
            first += second
            first += third
            return entry_back(first)

        return y, back

    def compiled(self) -> Step:
        """Inference on arrays [T, B, H, W, C]."""
        C = self.project.conv.out_channels
        if C % LANES:
            return plain(self)
        q_k_v = self.q, self.k, self.v
        convs = [*(part.conv for part in q_k_v), self.project.conv]
        norms = [*(part.fire.norm for part in q_k_v), self.project.norm]
        weights = padded(with_silence(np.stack([conv.weight.detach().numpy()[:, :, 0, 0].T for conv in convs])))
        biases = np.stack([bias_of(conv) for conv in convs])
        constants = weights, biases, np.stack([np.stack(affine_constants(norm)) for norm in norms])
        neurons = *self.entry.constants.dynamics(), *self.fire.constants.dynamics()
        width = C // self.heads

        def run(x: np.ndarray) -> np.ndarray:
            out, shape = np.empty_like(x), (*x.shape[:2], -1, C)
            attend(x.reshape(shape), out.reshape(shape), *constants, width, np.float32(SCALE), neurons)
            return out

        return run

    def _split(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, heads, H * W, C / heads]."""
        T, B, C, H, W = x.shape
        return x.movedim(2, -1).reshape(T, B, H * W, self.heads, C // self.heads).transpose(2, 3)
