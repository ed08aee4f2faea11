"""Multi-head self-attention with softmax, for the baselines without spikes."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional as F

from spikinghash.layers.accounts import Composed, Operation, Rates


class SelfAttention(Composed, nn.Module):
    """x [B, N, C] -> [B, N, C]; `heads` must divide C (Vaswani et al., 2017, eq. 1)."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.project = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """[B, N, C] -> [B, N, C]."""
        B, N, C = x.shape
        # of strided values torch adds in another order where the weight wants a gradient: codes would differ by it
        q, k, v = self.qkv(x.contiguous()).reshape(B, N, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v)
        out: Tensor = self.project(y.transpose(1, 2).reshape(B, N, C))
        return out

    def operations(self, x: Tensor, y: Tensor, rate: Rates) -> Iterator[Operation]:
        """Both products; B holds the clips and the axis that is not attended over."""
        for part in ("qk", "av"):
            yield Operation(part, "attention", x.numel() * x.shape[1])
