"""The order of clips: laws over ranks, restarts and seeds."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from spikinghash.data.order import EpochBatches, Ranks

SIZES = {
    "clips": st.integers(1, 60), "per_rank": st.integers(1, 4), "world": st.integers(1, 4),
    "seed": st.integers(0, 99), "epoch": st.integers(0, 5),
}  # fmt: skip


def steps_of(clips, batch, seed, epoch, step=0, ranks=Ranks()):  # noqa: B008
    batches = EpochBatches(clips, batch, seed, ranks)
    batches.start(epoch, step)
    found = list(batches)
    assert len(found) == len(batches)
    return found


@given(**SIZES)
def test_ranks_share_out_each_batch_and_no_clip_comes_twice(clips, per_rank, world, seed, epoch):
    batch = per_rank * world
    ranks = [steps_of(clips, batch, seed, epoch, ranks=Ranks(rank, world)) for rank in range(world)]
    alone = steps_of(clips, batch, seed, epoch)
    for one, shares in zip(alone, zip(*ranks, strict=True), strict=True):
        assert sorted(one) == sorted(row for share in shares for row in share)
    rows = [row for one in alone for row in one]
    assert len(set(rows)) == len(rows) == (clips // batch * batch or clips)
    assert set(rows) <= set(range(clips))


@given(**SIZES, step=st.integers(0, 60))
def test_a_restart_at_a_step_has_the_rest_of_the_epoch(clips, per_rank, world, seed, epoch, step):
    batch, ranks = per_rank * world, Ranks(world - 1, world)
    whole = steps_of(clips, batch, seed, epoch, ranks=ranks)
    step = min(step, len(whole))
    assert steps_of(clips, batch, seed, epoch, step, ranks) == whole[step:]


def test_the_order_is_torchs_permutation_of_the_seeds_own_generator():
    generator = torch.Generator().manual_seed((7 * 1_000_003 + 2) * 1_009)
    order = torch.randperm(10, generator=generator).tolist()
    assert steps_of(10, 4, 7, 2) == [order[:4], order[4:8]]
    assert steps_of(10, 4, 7, 2, ranks=Ranks(1, 2)) == [order[1:4:2], order[5:8:2]]


def test_epochs_and_seeds_differ():
    orders = [steps_of(50, 50, seed, epoch)[0] for seed in (1, 2) for epoch in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4
