"""Activation checkpointing (Chen et al. 2016): a block keeps its input for the gradient and computes the rest again.

Memory of a step for about a third more time. It is put on from outside and taken off again, so that a network between
epochs is the one that was built: validation plans its kernels, and states have the names they always have.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint

from spikinghash.errors import ConfigError
from spikinghash.layers.block import Block, Downsample
from spikinghash.layers.hashing_network import HashingNetwork
from spikinghash.methods.timesformer import DividedBlock

_BLOCKS = (Block, Downsample, DividedBlock)


@contextmanager
def activation_checkpointing(method: nn.Module) -> Iterator[None]:
    """Within it the blocks of `method` are checkpointed; outputs, gradients and statistics stay the same.

    `ConfigError` for a network without blocks.
    """
    blocks = blocks_of(method)
    if not blocks:
        raise ConfigError("train.activation_checkpointing: this method's network has no blocks; set it to false")
    for block in blocks:
        again = partial(_contexts, block)
        block.forward = partial(checkpoint, block.forward, use_reentrant=False, context_fn=again)
    try:
        yield
    finally:
        for block in blocks:
            del block.forward


def blocks_of(method: nn.Module) -> list[nn.Module]:
    """What is computed again as a whole."""
    found = [module for module in method.modules() if isinstance(module, _BLOCKS)]
    # the largest maps of all are the stem's
    return found + [module.stem for module in method.modules() if isinstance(module, HashingNetwork)]


def _contexts(block: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Around the first computation and around the second one."""
    return nullcontext(), _statistics_kept(block)


@contextmanager
def _statistics_kept(block: nn.Module) -> Iterator[None]:
    """Within it norms count into copies of their running statistics: the first computation has counted the batch."""
    kept = [(module, dict(module._buffers)) for module in block.modules() if module._buffers]
    for module, buffers in kept:
        # not written in place: a gradient may hold the tensors themselves
        module._buffers.update({name: None if b is None else b.clone() for name, b in buffers.items()})
    try:
        yield
    finally:
        for module, buffers in kept:
            module._buffers.update(buffers)
